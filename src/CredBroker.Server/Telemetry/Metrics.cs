using CredBroker.Server.Configuration;
using CredBroker.Server.Hosting;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace CredBroker.Server.Telemetry;

/// <summary>Metrics in Prometheus' format: of the broker, of the runtime and of the web server.</summary>
internal static class Metrics
{
    private const string Path = "/metrics";

    // From a tenth of a second to a day: a lease that takes longer to prove dead is an incident, not a measurement.
    private static readonly double[] TimesToDead = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400];

    public static void AddBrokerMetrics(this IServiceCollection services, TelemetryConfiguration telemetry)
    {
        services.AddMetrics();
        if (telemetry is { MetricsAddress: null, MetricsOnEveryAddress: false }) return;
        services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("credbroker")).WithMetrics(metrics => metrics
            .AddMeter("CredBroker", "CredBroker.*", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
            .AddView("credbroker.tasks.time_to_refused", new ExplicitBucketHistogramConfiguration { Boundaries = TimesToDead })
            .AddView("credbroker.leases.time_to_first_attempt", new ExplicitBucketHistogramConfiguration { Boundaries = TimesToDead })
            .AddView("credbroker.leases.time_to_dead", new ExplicitBucketHistogramConfiguration { Boundaries = TimesToDead })
            .AddPrometheusExporter());
    }

    public static void UseBrokerMetrics(this WebApplication app, TelemetryConfiguration telemetry)
    {
        if (telemetry is { MetricsAddress: null, MetricsOnEveryAddress: false }) return;
        app.UseOpenTelemetryPrometheusScrapingEndpoint(context => context.Request.Path == Path && (telemetry.MetricsOnEveryAddress || Listeners.IsMetricsOnly(context)));
        app.Use((context, next) =>
        {
            if (!Listeners.IsMetricsOnly(context)) return next(context);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
    }
}

using CredBroker.AspNetCore.Authentication;
using CredBroker.AspNetCore.Endpoints;
using CredBroker.AspNetCore.Json;
using CredBroker.AspNetCore.OpenApi;
using CredBroker.AspNetCore.Services;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CredBroker.AspNetCore;

/// <summary>The broker on the web: the contract by gRPC and REST, and what other standards want beside it.</summary>
public static class CredBrokerAspNetCore
{
    /// <summary>The tag of health checks that decide whether the broker is ready.</summary>
    public const string Ready = "ready";

    /// <summary>Adds everything at the transport's edge. Core, a store and Data Protection's key ring are the host's to add.</summary>
    public static IServiceCollection AddCredBrokerAspNetCore(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddTransport();
        services.Configure<GrpcServiceOptions<PolicySetsApi>>(options => options.MaxReceiveMessageSize = StrictJson.MostPolicyBytes);
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks(options =>
        {
            options.Services.Clear();
            options.Services.Map("", check => check.Tags.Contains(Ready));
        });
        services.AddHealthChecks().AddCheck<RegistryLoaded>("registry", tags: [Ready]);
        services.AddSingleton<RefusalLog>();
        services.AddAuthentication(BearerHandler.Name).AddScheme<AuthenticationSchemeOptions, BearerHandler>(BearerHandler.Name, null);
        services.AddAuthorizationBuilder().AddPolicy(BearerHandler.Name, policy => policy.AddAuthenticationSchemes(BearerHandler.Name).RequireAuthenticatedUser());
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, RefusalWriter>();
        services.AddSingleton<HookEndpoint>();
        services.AddSingleton<RegistryReaders>();
        services.AddSingleton<KeepAliveLine>();
        return services;
    }

    /// <summary>Maps the whole surface. Forwarded headers, if proxies are trusted, come before it.</summary>
    public static WebApplication MapCredBroker(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseTransport(edge => edge.UseAuthentication().UseAuthorization());
        MapContract(app);
        app.MapWellKnown();
        app.MapIntrospection();
        HookEndpoint.Map(app);
        app.MapGet("/openapi/v1.json", async (HttpContext context) =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(await ContractDocument.JsonAsync(), context.RequestAborted);
        }).AllowAnonymous();
        app.MapHealthChecks("/healthz", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        app.MapHealthChecks("/readyz", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Ready), ResponseWriter = SayWhatIsMissingAsync }).AllowAnonymous();
        app.MapGrpcHealthChecksService().AllowAnonymous();
        app.MapGrpcReflectionService().AllowAnonymous();
        return app;
    }

    private static void MapContract(WebApplication app)
    {
        app.MapGrpcService<TasksApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<LeasesApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<ReceiptsApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<WorkloadsApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<SuspensionsApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<DecisionsApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<AuditEventsApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<ProvidersApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<ProviderTypesApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<RolesApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<IdentitySourcesApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<HooksApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<OperationsApi>().RequireAuthorization(BearerHandler.Name);
        app.MapGrpcService<PolicySetsApi>().RequireAuthorization(BearerHandler.Name);
    }

    // Our own words alone: an exception's text could name hosts and users to anybody.
    private static Task SayWhatIsMissingAsync(HttpContext context, HealthReport report)
    {
        var missing = report.Entries.Where(entry => entry.Value.Status != HealthStatus.Healthy).Select(entry => $"{entry.Key}: {entry.Value.Description ?? "failed"}\n");
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(report.Status == HealthStatus.Healthy ? "ready\n" : string.Concat(missing), context.RequestAborted);
    }

    /// <summary>Not ready before the registry was read: until then nobody can be identified.</summary>
    private sealed class RegistryLoaded(Core.Registry.Catalog catalog) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(catalog.Loaded ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The registry was not loaded yet."));
    }
}

using CredBroker.Abstractions;
using CredBroker.AspNetCore;
using CredBroker.Contracts;
using CredBroker.Core.Hosting;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;
using CredBroker.EntityFrameworkCore;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.Quartz;
using CredBroker.Server.Configuration;
using CredBroker.Server.Secrets;
using CredBroker.Server.Startup;
using CredBroker.Server.Telemetry;

namespace CredBroker.Server.Hosting;

/// <summary>Puts the broker together: <c>AddCredBroker(…).UseConfiguredStorage().AddProvider&lt;T&gt;()</c>.</summary>
public sealed class BrokerBuilder
{
    private readonly ConfigurationResult.Valid _valid;

    internal BrokerBuilder(IServiceCollection services, ConfigurationResult.Valid valid) => (Services, _valid) = (services, valid);

    /// <summary>The services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>SQLite, in this file.</summary>
    public BrokerBuilder UseSqlite(string path) => UseStore(store => store.UseSqlite(path));

    /// <summary>PostgreSQL.</summary>
    public BrokerBuilder UsePostgres(string connectionString) => UseStore(store => store.UsePostgres(connectionString));

    /// <summary>The database that the configuration names.</summary>
    public BrokerBuilder UseConfiguredStorage() => _valid.Configuration.Storage switch
    {
        { Postgresql: { } postgres } => UsePostgres(PostgreSqlConnection.StringOf(postgres, Environment.GetEnvironmentVariable)),
        { Sqlite: { } sqlite } => UseStore(store => store.UseSqlite(sqlite.Path).KeptBack = sqlite.KeptBackMiB * 1024L * 1024),
        _ => throw new InvalidOperationException("The configuration names no database."),
    };

    /// <summary>A type of provider, by the name that it gives itself. Two of one name are refused at start.</summary>
    public BrokerBuilder AddProvider<T>()
        where T : class, IProviderType
    {
        Services.AddSingleton<IProviderType, T>();
        return this;
    }

    private BrokerBuilder UseStore(Action<StoreOptions> where)
    {
        Services.AddCredBrokerStore(store =>
        {
            where(store);
            store.WitnessFile = _valid.Configuration.Storage.WitnessFile;
            store.WrappingKey = _valid.Installation.WrappingKey;
            store.PreviousWrappingKeys = _valid.Installation.PreviousWrappingKeys;
        });
        return this;
    }
}

/// <summary>The broker as an application.</summary>
public static class BrokerApplication
{
    /// <summary>How long shutting down may take after the notice, all in all.</summary>
    private static readonly TimeSpan ShutdownBound = TimeSpan.FromSeconds(30);

    /// <summary>Adds everything but storage and providers.</summary>
    public static BrokerBuilder AddCredBroker(this WebApplicationBuilder builder, ConfigurationResult.Valid valid)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(valid);
        var configuration = valid.Configuration;
        builder.Logging.AddBrokerLogging(configuration.Logging);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listeners.Configure(kestrel, configuration));
        var root = configuration.Operator.Root is { } named ? new OperatorRoot(named.IdentitySource, named.Subject) : null;
        builder.Services
            .Configure<HostOptions>(host => host.ShutdownTimeout = configuration.Listen.StopNotice + ShutdownBound)
            .AddHostedService<ShutOutWatch>()
            .AddHostedService(provider => ActivatorUtilities.CreateInstance<StopNotice>(provider, configuration.Listen))
            .AddSingleton(TimeProvider.System)
            .AddSingleton(valid.Installation)
            .AddSingleton(configuration.Egress)
            .AddSingleton<ISecretSources>(new SecretSources(configuration.SecretSources, Environment.GetEnvironmentVariable))
            .AddCredBrokerCore(new CoreOptions(configuration.Limits, root, BrokerSchema.ReadText()))
            .AddCredBrokerQuartz()
            .AddCredBrokerAspNetCore()
            .AddSingleton<RegistryShelves>()
            .AddSingleton<OperatorSources>()
            .AddSingleton<ManifestFolder>()
            .AddSingleton<BrokerStart>()
            .AddBrokerMetrics(configuration.Telemetry);
        builder.Services.AddHealthChecks()
            .AddCheck<StoreAnswers>("store", tags: [CredBrokerAspNetCore.Ready])
            .AddCheck<ClockAgrees>("clock", tags: [CredBrokerAspNetCore.Ready])
            .AddCheck<KeysRotate>("signing-keys", tags: [CredBrokerAspNetCore.Ready])
            .AddCheck<StoreTakes>("room", tags: [CredBrokerAspNetCore.Ready])
            .AddCheck<RevocationsSucceed>("revocations", tags: [CredBrokerAspNetCore.Ready])
            .AddCheck<TargetsAgree>("reconciliation", tags: [CredBrokerAspNetCore.Ready])
            .AddCheck<NotStopping>("process", tags: [CredBrokerAspNetCore.Ready]);
        return new BrokerBuilder(builder.Services, valid);
    }

    /// <summary>Maps everything that the server answers.</summary>
    public static WebApplication UseCredBroker(this WebApplication app, ServerConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(configuration);
        app.UseBrokerMetrics(configuration.Telemetry);
        if (configuration.Listen.BehindTlsProxy is { } proxy) app.UseTlsProxy(proxy);
        return app.MapCredBroker();
    }
}

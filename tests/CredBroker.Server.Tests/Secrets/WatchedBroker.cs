using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Abstractions;
using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Core.Egress;
using CredBroker.Providers.AwsSts;
using CredBroker.Providers.Azure;
using CredBroker.Providers.PostgreSql;
using CredBroker.Providers.Token;
using CredBroker.Providers.Vault;
using CredBroker.Server.Configuration;
using CredBroker.Server.Hosting;
using CredBroker.Server.Startup;
using CredBroker.Server.Tests.Secrets.Targets;
using CredBroker.Testing.Scripted;
using CredBroker.TestSupport.Postgres;
using DevIdentity;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>The server as it is composed for operators, in this process, with detailed errors and everything observed.</summary>
internal sealed class WatchedBroker : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WatchedBroker(WebApplication app, Workplace place, DevIdentitySource identity) => (_app, Place, Identity) = (app, place, identity);

    public Workplace Place { get; }

    public DevIdentitySource Identity { get; }

    public required Observed Observed { get; init; }

    public required ScriptedProviderType Scripted { get; init; }

    /// <param name="target">The database that the postgresql provider makes logins at.</param>
    /// <param name="store">The broker's own database; null for SQLite.</param>
    /// <param name="search">Learns the secrets of the configuration.</param>
    /// <param name="others">The targets of the other providers.</param>
    public static async Task<WatchedBroker> StartAsync(TargetDatabase? target, PostgresDatabase? store, SecretSearch search, params IReadOnlyList<WatchedTarget> others)
    {
        var place = new Workplace();
        var identity = await DevIdentitySource.StartAsync();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        search.Add("the wrapping key", key);
        if (target is not null) search.Add("the provider's password", target.Password);
        place.Write("wrapping.key", key);
        var file = place.Write("credbroker.yaml", Configuration(place, identity.Issuer, SecretSources(place, target, others), store is null ? "sqlite: {path: credbroker.db}" : StoreOf(place, store, search)));
        var read = new ConfigurationReader(new Dictionary<string, string>()).Read(file, create: true);
        Assert.That(read, Is.InstanceOf<ConfigurationResult.Valid>(), read is ConfigurationResult.Invalid invalid ? string.Join('\n', invalid.Errors) : "");
        var valid = (ConfigurationResult.Valid)read;

        var observed = new Observed();
        var scripted = new ScriptedProviderType(TimeProvider.System);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "credbroker-server" });
        builder.AddCredBroker(valid).UseConfiguredStorage().AddProvider<TokenProviderType>().AddProvider<PostgreSqlProviderType>()
            .AddProvider<VaultProviderType>().AddProvider<AzureProviderType>().AddProvider<AwsStsProviderType>();
        if (AuthoritiesOf(others) is { Count: > 0 } authorities)
            builder.Services.AddSingleton<IEgress>(provider => new TrustingEgress(new PolicyEgress(provider.GetRequiredService<EgressPolicy>()), authorities));
        builder.Services.AddSingleton<IProviderType>(scripted).AddSingleton<IProviderType, FaultyProviderType>().Configure<GrpcServiceOptions>(options => options.EnableDetailedErrors = true);
        builder.Logging.ClearProviders().AddProvider(observed).SetMinimumLevel(LogLevel.Trace);
        var app = builder.Build();
        await app.Services.GetRequiredService<BrokerStart>().PrepareAsync(valid, CancellationToken.None);
        await app.UseCredBroker(valid.Configuration).StartAsync();
        return new WatchedBroker(app, place, identity) { Observed = observed, Scripted = scripted };
    }

    public BrokerClient Connect(string token) => new(new BrokerClientOptions { Address = Place.Grpc, Token = TokenSource.From(_ => ValueTask.FromResult(token)) });

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await Identity.DisposeAsync();
        Observed.Dispose();
        Place.Dispose();
    }

    /// <summary>Stops the server, so that everything it would still write is written.</summary>
    public Task StopAsync() => _app.StopAsync();

    private static string StoreOf(Workplace place, PostgresDatabase store, SecretSearch search)
    {
        var settings = new NpgsqlConnectionStringBuilder(store.ConnectionString);
        var password = settings.Password is { Length: > 0 } given ? $"\n    passwordFile: {place.Write("store.password", given)}" : "";
        if (settings.Password is { Length: >= 16 } secret) search.Add("the store's password", secret);
        return string.Create(CultureInfo.InvariantCulture, $"postgresql:\n    host: 127.0.0.1\n    port: {store.Port}\n    database: {store.Name}\n    username: {settings.Username}{password}");
    }

    private static string SecretSources(Workplace place, TargetDatabase? target, IReadOnlyList<WatchedTarget> others)
    {
        var items = string.Concat(others.Select(other => other.SecretSources(place)));
        return target is not null ? $"{DatabaseStory.SecretSources(place, target)}\n{items}" : items.Length > 0 ? $"secretSources:\n{items}" : "";
    }

    private static X509Certificate2Collection AuthoritiesOf(IReadOnlyList<WatchedTarget> others)
    {
        var authorities = new X509Certificate2Collection();
        foreach (var pem in others.Select(other => other.Host.AuthorityPem).Where(pem => pem.Length > 0)) authorities.ImportFromPem(pem);
        return authorities;
    }

    private static string Configuration(Workplace place, string issuer, string secretSources, string storage) => $$"""
        installation:
          id: {{Installation.Id}}
          publicUrl: http://127.0.0.1:{{place.HttpPort}}
          wrappingKeyFile: wrapping.key
        listen:
          http: 127.0.0.1:{{place.HttpPort}}
          grpc: 127.0.0.1:{{place.GrpcPort}}
        storage:
          {{storage}}
        operator:
          identitySources:
            - name: operator
              oidc:
                issuer: {{issuer}}
                audiences: [{{Installation.OperatorAudience}}]
          root: {identitySource: operator, subject: root}
        egress:
          allow: [127.0.0.1, "::1", localhost]
        logging: {level: trace}
        {{secretSources}}
        """;

    /// <summary>A provider with a fault that nobody foresaw: what it throws is no <see cref="ProviderException"/>.</summary>
    private sealed class FaultyProviderType : ProviderType<ScriptedConfiguration>
    {
        private int _checks;

        public override string Name => "faulty";

        public override string Description => "Fails in a way that nobody foresaw.";

        public override TimeSpan LateEffect => TimeSpan.Zero;

        public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new ScriptedRoleKind()];

        protected override IEnumerable<ValidationError> Validate(ScriptedConfiguration configuration) => [];

        protected override IProvider Create(ProviderContext context, ScriptedConfiguration configuration) => new Faulty(this);

        // Registering it works.
        public ProviderHealth Check() => Interlocked.Increment(ref _checks) == 1 ? new ProviderHealth("faulty", []) : throw new InvalidOperationException("Nobody foresaw this either.");
    }

    private sealed class Faulty(FaultyProviderType type) : IProvider
    {
        public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken) => throw new InvalidOperationException("Nobody foresaw this.");

        public Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException("Nor this.");

        public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => Task.FromResult(type.Check());

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Providers.Azure.Tests.EndToEnd;

/// <summary>The real server as a process, in front of a stand-in at which it logs in by its own signature, with a role of each kind.</summary>
internal sealed class AzureBroker : IAsyncDisposable
{
    public const string Provider = "azure";

    private readonly Workplace _place = new();
    private readonly string _shared;
    private BrokerProcess? _restarted;

    private AzureBroker(AzureStandIn azure, ShiftedTime time, StandInHost host)
    {
        (Azure, Time, Host) = (azure, time, host);
        _shared = azure.AddSharedApplication("shared");
        Principal = azure.AddManagedIdentity();
        azure.ByHand(_ => azure.Vault.Allowed.Add(Principal));
        azure.ByHand(_ => azure.Vault.Plant(Target.ExistingSecret, Target.ExistingValue));
    }

    public AzureStandIn Azure { get; }

    public ShiftedTime Time { get; }

    public StandInHost Host { get; }

    /// <summary>A managed identity that exists, and reads the vault.</summary>
    public string Principal { get; }

    public Installation Installation { get; private set; } = null!;

    public Workplace Place => _place;

    public string Address => $"https://127.0.0.1:{Host.Address.Port}";

    /// <summary>A resource that whoever has a role in the group can read.</summary>
    public string Resource => $"{Address}{AzureStandIn.Group}/providers/Microsoft.Storage/storageAccounts/data?api-version=2023-01-01";

    public static string RoleName(string role) => $"providers/{Provider}/roles/{role}";

    public static async Task<AzureBroker> StartAsync(Timing timing)
    {
        var time = new ShiftedTime();
        timing.AssertionClock = TimeProvider.System;
        var azure = new AzureStandIn(time, Tenant.NewId(), timing, KeysOf);
        var broker = new AzureBroker(azure, time, await StandInHost.StartAsync(new StandInOptions { Clock = time, Tls = true }, azure.Answer));
        try
        {
            // What the server and the sample trust beside the system's authorities: they are processes of their own, and inherit it.
            Environment.SetEnvironmentVariable("SSL_CERT_FILE", broker._place.Write("authority.pem", broker.Host.AuthorityPem));
            broker.Installation = await Installation.StartAsync(
                broker._place, "limits: {issueDeadline: 6s, attemptTimeout: 6s, claimFor: 7s}", new Narrator(TextWriter.Null), CancellationToken.None);
            await broker.RegisterAsync();
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills the server at once (SIGKILL).</summary>
    public async Task KillAsync()
    {
        using var process = System.Diagnostics.Process.GetProcessById(Installation.BrokerProcessId);
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async Task RestartAsync() => _restarted = await BrokerProcess.StartAsync(Path.Combine(_place.Folder, "credbroker.yaml"), _place.Http, CancellationToken.None);

    /// <summary>Completes when nothing has been asked for a second: the broker has looked, and looks again ten seconds later.</summary>
    public async Task UntilQuietAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var seen = -1; seen != Host.Log.Count; await timer.WaitForNextTickAsync()) seen = Host.Log.Count;
    }

    public async ValueTask DisposeAsync()
    {
        if (_restarted is not null) await _restarted.DisposeAsync();
        if (Installation is not null) await Installation.DisposeAsync();
        await Host.DisposeAsync();
        _place.Dispose();
    }

    // As Entra does: it asks the issuer for its keys.
    private static string? KeysOf(string issuer)
    {
        if (!Uri.TryCreate($"{issuer}/.well-known/jwks.json", UriKind.Absolute, out var address) || !address.IsLoopback) return null;
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        using var answer = client.Send(request);
        if (!answer.IsSuccessStatusCode) return null;
        using var reader = new StreamReader(answer.Content.ReadAsStream());
        return reader.ReadToEnd();
    }

    private async Task RegisterAsync()
    {
        using var administrator = Installation.Administrator();
        var quiet = new Narrator(TextWriter.Null);
        await Registration.RegisterAgentsAsync(administrator, Installation.Identity.Issuer, quiet, CancellationToken.None);
        var config = Struct.Parser.ParseJson($$"""
            {"tenantId":"{{Azure.Tenant.Id}}","credential":{"clientId":"{{Azure.BrokerClientId}}"},
             "endpoints":{"authority":"{{Address}}","graph":"{{Address}}","resourceManager":"{{Address}}"},
             "sharedApplications":["{{_shared}}"],"scopes":["{{AzureStandIn.Group}}"],"vaults":["{{Address}}"]}
            """);
        var provider = await administrator.Providers.CreateProviderAsync(new() { ProviderId = Provider, Provider = new Provider { Type = "azure", Config = config } });
        // As an administrator of the tenant does once.
        var subject = $"{Installation.Id}:provider:{provider.Uid}";
        Azure.TrustBroker($"http://127.0.0.1:{_place.HttpPort}/federation", subject, $"credbroker:{subject}:127.0.0.1");
        var health = await administrator.Providers.CheckProviderAsync(new() { Name = provider.Name });
        Assert.That(health.Healthy, health.ToString());

        var assignments = $$"""[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]""";
        await RoleAsync(administrator, "app-password", $$"""{"assignments":{{assignments}}}""");
        await RoleAsync(administrator, "app-federated", $$"""{"audience":"https://management.azure.com","assignments":{{assignments}}}""");
        await RoleAsync(administrator, "shared-app-password", $$"""{"application":"{{_shared}}"}""");
        await RoleAsync(administrator, "role-assignment", $$"""{"principal":"{{Principal}}","scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}","allowWithoutExpiry":true}""");
        await RoleAsync(administrator, "keyvault-secret-write", $$"""{"vault":"{{Address}}"}""");
        await RoleAsync(administrator, "keyvault-secret-read", $$"""{"vault":"{{Address}}","name":"{{Target.ExistingSecret}}"}""");
        const string Policy = "permit (principal in IdentitySource::\"agents\", action in [Action::\"createTask\", Action::\"issue\"], resource);";
        await Registration.RegisterPolicyAsync(administrator, "all", Policy, quiet, CancellationToken.None);
    }

    private static async Task RoleAsync(BrokerClient administrator, string kind, string template) => await administrator.Roles.CreateRoleAsync(new()
    {
        Parent = $"providers/{Provider}",
        RoleId = kind,
        Role = new Role { Kind = kind, Template = Struct.Parser.ParseJson(template), MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)) },
    });
}

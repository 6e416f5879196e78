using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Benchmarks.Providers;

/// <summary>
/// The role kinds of the Azure provider, at a stand-in where nothing lags. Revoking is its first look: those after it wait for Azure.
/// </summary>
internal static class AzureScenarios
{
    private const string Existing = "existing-api-key";

    public static IEnumerable<ProviderScenario> All =>
    [
        new("azure app-password", () => AzureTarget.StartAsync("app-password")),
        new("azure app-federated", () => AzureTarget.StartAsync("app-federated")),
        new("azure shared-app-password", () => AzureTarget.StartAsync("shared-app-password")),
        // Leases share one assignment, and the broker lets one at a time change it.
        new("azure role-assignment", () => AzureTarget.StartAsync("role-assignment")) { MostCallers = 1 },
        new("azure keyvault-secret-write", () => AzureTarget.StartAsync("keyvault-secret-write")),
        new("azure keyvault-secret-read", () => AzureTarget.StartAsync("keyvault-secret-read")),
    ];

    private sealed class AzureTarget(StandInHost host, IProvider provider, TestIdentity identity, string kind, string template) : MeasuredTarget
    {
        public override IProvider Provider => provider;

        public override string RoleKind => kind;

        public override string Template => template;

        public override int RoundTrips => host.Log.Count;

        public static async Task<MeasuredTarget> StartAsync(string kind)
        {
            TestIdentity? identity = null;
            var azure = new AzureStandIn(TimeProvider.System, Tenant.NewId(), Timing.Immediate(), _ => identity?.KeySet);
            // A vault of its own: the SDK remembers for the whole process which tenant a vault belongs to.
            var vault = $"kv-{Tenant.NewId()[..8]}.vault.azure.net";
            var host = await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System, Tls = true, Hosts = [.. AzureStandIn.Hosts, vault] }, azure.Answer);
            var context = TestContexts.Create(TimeProvider.System, egress: host.Egress);
            identity = (TestIdentity)context.Identity;
            azure.TrustBroker(identity.Issuer, identity.Subject, identity.Audience);
            azure.ByHand(_ => azure.Vault.Plant(Existing, "stored"));
            var shared = azure.AddSharedApplication("shared");
            var configuration = new JsonObject
            {
                ["tenantId"] = azure.Tenant.Id,
                ["credential"] = new JsonObject { ["clientId"] = azure.BrokerClientId },
                ["sharedApplications"] = new JsonArray(shared),
                ["scopes"] = new JsonArray(AzureStandIn.Group),
                ["vaults"] = new JsonArray($"https://{vault}"),
            }.Deserialize<JsonElement>();
            var assignments = $$"""[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]""";
            var template = kind switch
            {
                "app-password" => $$"""{"assignments":{{assignments}}}""",
                "app-federated" => $$"""{"audience":"https://management.azure.com","assignments":{{assignments}}}""",
                "shared-app-password" => $$"""{"application":"{{shared}}"}""",
                "role-assignment" => $$"""{"principal":"{{azure.AddManagedIdentity()}}","scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}","allowWithoutExpiry":true}""",
                "keyvault-secret-write" => $$"""{"vault":"https://{{vault}}"}""",
                _ => $$"""{"vault":"https://{{vault}}","name":"{{Existing}}"}""",
            };
            return new AzureTarget(host, new AzureProviderType().Create(context, configuration), identity, kind, template);
        }

        public override async ValueTask DisposeAsync()
        {
            await provider.DisposeAsync();
            await host.DisposeAsync();
            identity.Dispose();
        }
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Benchmarks.Providers;

/// <summary>The three role kinds of the Vault provider.</summary>
internal static class VaultScenarios
{
    public static IEnumerable<ProviderScenario> All =>
    [
        new("vault scoped-token", () => VaultTarget.StartAsync("scoped-token", """{"policies":["app"]}""")),
        new("vault dynamic-secret", () => VaultTarget.StartAsync("dynamic-secret", """{"path":"database/creds/app","policies":["app"]}""")),
        new("vault kv-read", () => VaultTarget.StartAsync("kv-read", """{"mount":"kv","path":"app/api","policies":["app"]}""")),
    ];

    private sealed class VaultTarget(StandInHost host, IProvider provider, string kind, string template) : MeasuredTarget
    {
        public override IProvider Provider => provider;

        public override string RoleKind => kind;

        public override string Template => template;

        public override int RoundTrips => host.Log.Count;

        public static async Task<MeasuredTarget> StartAsync(string kind, string template)
        {
            var bao = new OpenBao(TimeProvider.System);
            bao.AddDatabase(5432);
            bao.Policy("broker", Administrator.BrokerPolicy);
            bao.Policy("app", """
                path "database/creds/app" { capabilities = ["read"] }
                path "kv/data/app/*" { capabilities = ["read"] }
                """);
            bao.TokenRole("broker", ["app"]);
            bao.Database(5432, defaultTtl: "1h");
            bao.Admin("POST", "sys/mounts/kv", new JsonObject { ["type"] = "kv" });
            bao.Admin("POST", "kv/data/app/api", new JsonObject { ["data"] = new JsonObject { ["value"] = "stored" } });
            var (roleId, secretId) = bao.AppRole("broker");
            var host = await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System }, bao.Answer);
            var configuration = new JsonObject
            {
                ["address"] = host.Address.GetLeftPart(UriPartial.Authority),
                ["auth"] = new JsonObject { ["appRole"] = new JsonObject { ["roleId"] = roleId, ["secretId"] = new JsonObject { ["source"] = "secret-id" } } },
                ["tokenRoles"] = new JsonArray("broker"),
            }.Deserialize<JsonElement>();
            var context = TestContexts.Create(TimeProvider.System, new Dictionary<string, string> { ["secret-id"] = secretId }, egress: host.Egress);
            return new VaultTarget(host, new VaultProviderType().Create(context, configuration), kind, template);
        }

        public override async ValueTask DisposeAsync()
        {
            await provider.DisposeAsync();
            await host.DisposeAsync();
        }
    }
}

using System.Security.Cryptography;
using System.Text.Json.Nodes;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets.Targets;

/// <summary>OpenBao by TLS of an authority of its own, at which the broker logs in by an AppRole.</summary>
internal sealed class WatchedVault : WatchedTarget
{
    private WatchedVault(OpenBao bao, StandInHost host, Wire wire, string roleId, string secretId) => (Bao, Host, Wire, RoleId, SecretId) = (bao, host, wire, roleId, secretId);

    public OpenBao Bao { get; }

    public override StandInHost Host { get; }

    public override Wire Wire { get; }

    public string RoleId { get; }

    public string SecretId { get; }

    public override string Type => "vault";

    public override IReadOnlyList<(string Name, string Kind, string Template)> Roles { get; } =
    [
        ("token", "scoped-token", """{"policies":["app"]}"""),
        ("wrapped", "scoped-token", """{"policies":["app"],"wrapFor":"1m"}"""),
        ("login", "dynamic-secret", """{"path":"database/creds/app","policies":["app"]}"""),
        ("value", "kv-read", """{"mount":"kv","path":"app/api","policies":["app"]}"""),
    ];

    public static async Task<WatchedVault> StartAsync()
    {
        var bao = new OpenBao(TimeProvider.System);
        bao.AddDatabase(5432);
        bao.Policy("broker", Administrator.BrokerPolicy);
        bao.Policy("app", """
            path "database/creds/app" { capabilities = ["read"] }
            path "kv/data/app/*" { capabilities = ["read"] }
            """);
        bao.TokenRole("broker", ["app"]);
        bao.Database(5432);
        bao.Admin("POST", "sys/mounts/kv", new JsonObject { ["type"] = "kv" });
        bao.Admin("POST", "kv/data/app/api", new JsonObject { ["data"] = new JsonObject { ["value"] = $"stored-{RandomNumberGenerator.GetHexString(32)}" } });
        var (roleId, secretId) = bao.AppRole("broker");
        var wire = new Wire(bao.Answer);
        return new WatchedVault(bao, await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System, Tls = true }, wire.Answer), wire, roleId, secretId);
    }

    public override string SecretSources(Workplace place) => SecretSource(place, "vault-secret-id", SecretId) + SecretSource(place, "vault-ca", Host.AuthorityPem);

    public override Struct Configuration() => Struct.Parser.ParseJson($$"""
        {"address":"https://127.0.0.1:{{Host.Address.Port}}","rootCertificate":{"source":"vault-ca"},"tokenRoles":["broker"],
         "auth":{"appRole":{"roleId":"{{RoleId}}","secretId":{"source":"vault-secret-id"} } } }
        """);

    public override bool Matters(StandInRequest request) =>
        request.Path.StartsWith("/v1/auth/token/create/", StringComparison.Ordinal) || request.Path is "/v1/database/creds/app" or "/v1/kv/data/app/api" or "/v1/auth/token/revoke-accessor" or "/v1/auth/approle/login";

    public override StandInAnswer Quote(StandInRequest request) =>
        StandInAnswer.Json(400, new JsonObject { ["errors"] = new JsonArray($"cannot take {request.Text} with {request.Header("X-Vault-Token")}") });
}

using System.Security.Cryptography;
using System.Text.Json.Nodes;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets.Targets;

/// <summary>A tenant where nothing lags, at which the broker logs in by a client secret.</summary>
internal sealed class WatchedAzure : WatchedTarget
{
    private const string Existing = "existing-api-key";
    private readonly string _shared;
    private readonly string _principal;

    private WatchedAzure(AzureStandIn azure, StandInHost host, Wire wire)
    {
        (Azure, Host, Wire) = (azure, host, wire);
        _shared = azure.AddSharedApplication("shared");
        _principal = azure.AddManagedIdentity();
        azure.ByHand(_ => azure.Vault.Plant(Existing, $"stored-{RandomNumberGenerator.GetHexString(32)}"));
        azure.ByHand(_ =>
        {
            azure.Broker.Passwords.Add(new PasswordObject(Tenant.NewId(), "standing", ClientSecret, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, DateTimeOffset.UnixEpoch));
            return true;
        });
    }

    public AzureStandIn Azure { get; }

    public override StandInHost Host { get; }

    public override Wire Wire { get; }

    public string ClientSecret { get; } = $"Standing~{RandomNumberGenerator.GetHexString(32)}";

    public override string Type => "azure";

    public override IReadOnlyList<(string Name, string Kind, string Template)> Roles =>
    [
        ("app-password", "app-password", $$"""{"assignments":{{Assignments}}}"""),
        ("app-federated", "app-federated", $$"""{"audience":"https://management.azure.com","assignments":{{Assignments}}}"""),
        ("shared-app-password", "shared-app-password", $$"""{"application":"{{_shared}}"}"""),
        ("role-assignment", "role-assignment", $$"""{"principal":"{{_principal}}","scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}","allowWithoutExpiry":true}"""),
        ("keyvault-secret-write", "keyvault-secret-write", $$"""{"vault":"{{Address}}"}"""),
        ("keyvault-secret-read", "keyvault-secret-read", $$"""{"vault":"{{Address}}","name":"{{Existing}}"}"""),
    ];

    private static string Assignments => $$"""[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]""";

    private string Address => $"https://127.0.0.1:{Host.Address.Port}";

    public static async Task<WatchedAzure> StartAsync()
    {
        var azure = new AzureStandIn(TimeProvider.System, Tenant.NewId(), Timing.Immediate(), KeysOf);
        var wire = new Wire(azure.Answer);
        return new WatchedAzure(azure, await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System, Tls = true }, wire.Answer), wire);
    }

    public override string SecretSources(Workplace place) => SecretSource(place, "azure-client-secret", ClientSecret);

    public override Struct Configuration() => Struct.Parser.ParseJson($$"""
        {"tenantId":"{{Azure.Tenant.Id}}","credential":{"clientId":"{{Azure.BrokerClientId}}","kind":"client-secret","secret":{"source":"azure-client-secret"} },
         "endpoints":{"authority":"{{Address}}","graph":"{{Address}}","resourceManager":"{{Address}}"},
         "sharedApplications":["{{_shared}}"],"scopes":["{{AzureStandIn.Group}}"],"vaults":["{{Address}}"]}
        """);

    public override bool Matters(StandInRequest request) => AzureStandIn.Creates(request) || request.Path.EndsWith("/oauth2/v2.0/token", StringComparison.Ordinal) || request.Method == "DELETE";

    public override StandInAnswer Quote(StandInRequest request) => StandInAnswer.Json(
        400,
        request.Path.EndsWith("/token", StringComparison.Ordinal)
            ? new JsonObject { ["error"] = "invalid_client", ["error_description"] = $"AADSTS7000215: {request.Text}", ["error_codes"] = new JsonArray(7000215) }
            : new JsonObject { ["error"] = new JsonObject { ["code"] = "Request_BadRequest", ["message"] = $"{request.Text} {request.Header("Authorization")}" } });

    // The broker signs for one kind what the tenant looks up.
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
}

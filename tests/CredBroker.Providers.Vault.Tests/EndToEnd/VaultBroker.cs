using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Providers.Vault.Tests.EndToEnd;

/// <summary>The real server as a process, in front of a stand-in at which it logs in by its own signature, with a role of each kind.</summary>
internal sealed class VaultBroker : IAsyncDisposable
{
    public const string Provider = "vault-prod";
    public const string AppPolicy = """
        path "database/creds/app" { capabilities = ["read"] }
        path "kv/data/app/*" { capabilities = ["read"] }
        path "pki/issue/leased" { capabilities = ["update"] }
        path "ssh/sign/app" { capabilities = ["update"] }
        path "auth/token/lookup-self" { capabilities = ["read"] }
        """;

    // As docs/providers/vault.md has them.
    private const string Certificate =
        """{"path":"pki/issue/leased","policies":["app"],"method":"write","parameters":{"common_name":"agent.example.org"},"lifeParameter":"ttl","fields":["certificate","private_key","ca_chain","serial_number"]}""";

    private const string SignedKey =
        """{"path":"ssh/sign/app","policies":["app"],"method":"write","parameters":{"public_key":"ssh-ed25519 {{key}}","valid_principals":"deploy"},"lifeParameter":"ttl","leased":false,"fields":["signed_key","serial_number"]}""";

    private readonly Workplace _place = new();
    private BrokerProcess? _restarted;

    private VaultBroker(OpenBao bao, FakeDatabase database, StandInHost host) => (Bao, Database, Host) = (bao, database, host);

    public OpenBao Bao { get; }

    public FakeDatabase Database { get; }

    public StandInHost Host { get; }

    public Installation Installation { get; private set; } = null!;

    public Workplace Place => _place;

    public static string RoleName(string role) => $"providers/{Provider}/roles/{role}";

    public static async Task<VaultBroker> StartAsync()
    {
        var bao = new OpenBao(TimeProvider.System);
        var database = bao.AddDatabase(5432);
        bao.Policy("broker", $"{Administrator.BrokerPolicy}\n{Administrator.ListingPolicy}");
        bao.Policy("app", AppPolicy);
        bao.TokenRole("broker", ["app"]);
        bao.Database(5432);
        bao.Pki();
        bao.Ssh();
        bao.Admin("POST", "sys/mounts/kv", new JsonObject { ["type"] = "kv" });
        bao.Admin("POST", "kv/data/app/api", new JsonObject { ["data"] = new JsonObject { ["value"] = "stored-for-a-task" } });
        var broker = new VaultBroker(bao, database, await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System }, bao.Answer));
        try
        {
            broker.Installation = await Installation.StartAsync(
                broker._place, "limits: {issueDeadline: 3s, attemptTimeout: 5s, claimFor: 6s}", new Narrator(TextWriter.Null), CancellationToken.None);
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

    /// <summary>The tokens at the target that were made for leases.</summary>
    public IReadOnlyList<string> LiveTokens()
    {
        Bao.Ask("GET", "sys/health", null, null);
        IReadOnlyList<string> names = [];
        Bao.Locked(() => names = [.. Bao.Root.Tokens.All.Select(token => token.DisplayName).Where(name => name.StartsWith("token-cb-", StringComparison.Ordinal))]);
        return names;
    }

    public async ValueTask DisposeAsync()
    {
        if (_restarted is not null) await _restarted.DisposeAsync();
        if (Installation is not null) await Installation.DisposeAsync();
        await Host.DisposeAsync();
        _place.Dispose();
    }

    private async Task RegisterAsync()
    {
        using var administrator = Installation.Administrator();
        var quiet = new Narrator(TextWriter.Null);
        await Registration.RegisterAgentsAsync(administrator, Installation.Identity.Issuer, quiet, CancellationToken.None);
        var config = new Struct
        {
            Fields =
            {
                ["address"] = Value.ForString(Host.Address.GetLeftPart(UriPartial.Authority)),
                ["auth"] = Value.ForStruct(new Struct { Fields = { ["jwt"] = Value.ForStruct(new Struct { Fields = { ["role"] = Value.ForString("broker") } }) } }),
                ["tokenRoles"] = Value.ForList(Value.ForString("broker")),
                ["listing"] = Value.ForBool(true),
            },
        };
        var provider = await administrator.Providers.CreateProviderAsync(new() { ProviderId = Provider, Provider = new Provider { Type = "vault", Config = config } });
        await TrustAsync($"{Installation.Id}:provider:{provider.Uid}");
        var health = await administrator.Providers.CheckProviderAsync(new() { Name = provider.Name });
        Assert.That(health.Healthy, health.ToString());
        await RoleAsync(administrator, "token", "scoped-token", Target.ScopedToken);
        await RoleAsync(administrator, "wrapped", "scoped-token", """{"policies":["app"],"wrapFor":"1m"}""");
        await RoleAsync(administrator, "login", "dynamic-secret", Target.DynamicSecret);
        await RoleAsync(administrator, "certificate", "dynamic-secret", Certificate);
        await RoleAsync(administrator, "signed-key", "dynamic-secret", SignedKey, new RoleParameter { Name = "key", Pattern = "[A-Za-z0-9+/=]+", Required = true });
        await RoleAsync(administrator, "value", "kv-read", Target.StoredValue);
        const string Policy = "permit (principal in IdentitySource::\"agents\", action in [Action::\"createTask\", Action::\"issue\"], resource);";
        await Registration.RegisterPolicyAsync(administrator, "all", Policy, quiet, CancellationToken.None);
    }

    // As an administrator of the target does once: by the broker's published key.
    private async Task TrustAsync(string subject)
    {
        using var client = new HttpClient();
        var keys = JsonNode.Parse(await client.GetStringAsync(new Uri(_place.Http, "/federation/.well-known/jwks.json")))!["keys"]!.AsArray();
        using var rsa = RSA.Create(new RSAParameters { Modulus = Base64Url.DecodeFromChars(keys[0]!["n"]!.GetValue<string>()), Exponent = Base64Url.DecodeFromChars(keys[0]!["e"]!.GetValue<string>()) });
        Bao.Jwt("jwt", rsa.ExportSubjectPublicKeyInfoPem(), $"http://127.0.0.1:{_place.HttpPort}/federation", $"credbroker:{subject}:{Host.Address.Authority}", subject);
    }

    private static async Task RoleAsync(BrokerClient administrator, string name, string kind, string template, params IEnumerable<RoleParameter> parameters) => await administrator.Roles.CreateRoleAsync(new()
    {
        Parent = $"providers/{Provider}",
        RoleId = name,
        Role = new Role { Kind = kind, Template = Struct.Parser.ParseJson(template), MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)), Parameters = { parameters } },
    });
}

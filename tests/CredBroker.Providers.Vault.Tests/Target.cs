using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Providers.Vault.Tests;

/// <summary>A stand-in of its own, set up as the documentation says, with a least-privileged log-in for the broker.</summary>
internal sealed class Target : IAsyncDisposable
{
    public const string ScopedToken = """{"policies":["app"]}""";
    public const string DynamicSecret = """{"path":"database/creds/app","policies":["app"]}""";
    public const string LeasedCertificate = """{"path":"pki/issue/leased","policies":["app"],"method":"write","parameters":{"common_name":"a.example.org"},"lifeParameter":"ttl","fields":["certificate","private_key","ca_chain"]}""";
    public const string UnleasedCertificate = """{"path":"pki/issue/unleased","policies":["app"],"method":"write","parameters":{"common_name":"a.example.org"},"lifeParameter":"ttl","leased":false,"fields":["certificate","private_key"]}""";
    public const string StoredValue = """{"mount":"kv","path":"app/api","policies":["app"]}""";
    public const string SecretSource = "secret-id";

    private const string AppPolicy = """
        path "database/creds/app" { capabilities = ["read"] }
        path "database/creds/nope" { capabilities = ["read"] }
        path "pki/issue/+" { capabilities = ["update"] }
        path "kv/data/app/*" { capabilities = ["read"] }
        """;

    private const string ReaderPolicy = """path "auth/token/lookup-self" { capabilities = ["read"] }""";

    private Target(SkewedClock clock, OpenBao bao, StandInHost host, FakeDatabase database, (string RoleId, string SecretId) login)
    {
        Clock = clock;
        Bao = bao;
        Host = host;
        Database = database;
        Login = login;
        Context = TestContexts.Create(clock.Broker, new Dictionary<string, string> { [SecretSource] = login.SecretId }, egress: host.Egress);
        Configuration = Configure();
    }

    public SkewedClock Clock { get; }

    public OpenBao Bao { get; }

    public StandInHost Host { get; }

    public FakeDatabase Database { get; }

    public (string RoleId, string SecretId) Login { get; }

    public ProviderContext Context { get; }

    public JsonElement Configuration { get; }

    public VaultProviderType Type { get; } = new();

    public static async Task<Target> CreateAsync(string? brokerPolicy = null, bool tls = false)
    {
        var clock = new SkewedClock();
        var bao = new OpenBao(clock);
        var database = bao.AddDatabase(5432);
        bao.Policy("broker", brokerPolicy ?? $"{Administrator.BrokerPolicy}\n{Administrator.ListingPolicy}");
        bao.Policy("app", $"{AppPolicy}\n{ReaderPolicy}");
        bao.TokenRole("broker", ["app"]);
        bao.Database(5432);
        bao.Pki();
        bao.Admin("POST", "sys/mounts/kv", new JsonObject { ["type"] = "kv" });
        bao.Admin("POST", "kv/data/app/api", new JsonObject { ["data"] = new JsonObject { ["value"] = $"stored-{StandIn.Random.Text(12)}", ["number"] = 7 } });
        var login = bao.AppRole("broker");
        var host = await StandInHost.StartAsync(new StandInOptions { Clock = clock, Tls = tls }, bao.Answer);
        return new Target(clock, bao, host, database, login);
    }

    public JsonElement Configure(bool listing = true, JsonObject? auth = null, string? inNamespace = null, string? address = null) => new JsonObject
    {
        ["address"] = address ?? Host.Address.GetLeftPart(UriPartial.Authority),
        ["namespace"] = inNamespace,
        ["auth"] = auth ?? new JsonObject { ["appRole"] = new JsonObject { ["roleId"] = Login.RoleId, ["secretId"] = new JsonObject { ["source"] = SecretSource } } },
        ["tokenRoles"] = new JsonArray("broker"),
        ["listing"] = listing,
    }.Deserialize<JsonElement>();

    public IProvider Connect(JsonElement? configuration = null, ProviderContext? context = null) => Type.Create(context ?? Context, configuration ?? Configuration);

    public IssueRequest NewRequest(string kind, string template, TimeSpan? life = null)
    {
        var lease = Uid.New(Context.Time);
        var now = Context.Time.GetUtcNow();
        return new IssueRequest
        {
            LeaseId = lease,
            TaskId = Uid.New(Context.Time),
            ExternalName = $"cb-{Context.InstallationId}-{lease}",
            Mark = $"cb1:{Context.InstallationId}:{lease}:0123abcd:{new string('m', 43)}",
            RoleKind = kind,
            Template = JsonElement.Parse(template),
            Workload = "source/subject",
            Deadline = now.AddSeconds(30),
            ExpiresAt = now + (life ?? TimeSpan.FromMinutes(10)),
        };
    }

    public static RevokeRequest Revoking(IssueRequest request, Handle? handle = null, DateTimeOffset? mayStillArriveUntil = null) => new()
    {
        LeaseId = request.LeaseId,
        ExternalName = request.ExternalName,
        Handle = handle,
        RoleKind = request.RoleKind,
        Mark = request.Mark,
        PossibleDeathAt = request.ExpiresAt,
        MayStillArriveUntil = mayStillArriveUntil,
    };

    /// <summary>Whether a request makes something, or makes it last.</summary>
    public static bool Creates(StandInRequest request) =>
        request.Path.StartsWith("/v1/auth/token/create/", StringComparison.Ordinal) || request.Path.StartsWith("/v1/database/creds/", StringComparison.Ordinal)
        || request.Path.StartsWith("/v1/pki/issue/", StringComparison.Ordinal) || request.Path is "/v1/auth/token/renew-accessor" or "/v1/sys/leases/renew";

    /// <summary>Whether a request changes something, but a log-in.</summary>
    public static bool Changes(StandInRequest request) =>
        Creates(request) || request.Path is "/v1/auth/token/revoke-accessor" or "/v1/sys/leases/revoke";

    /// <summary>Whether the target lets the credential in; a stored value is taken away with the token it was read by.</summary>
    public bool Accepts(IssuedCredential credential)
    {
        var fields = credential.Fields.ToDictionary(field => field.Key, field => field.Value.Value.Reveal());
        if (fields.TryGetValue("token", out var token))
        {
            if (fields["wrapped"] == "true" && !_unwrapped.TryGetValue(token, out token)) _unwrapped[fields["token"]] = token = Unwrap(fields["token"]);
            return token is not null && Bao.Ask("GET", "auth/token/lookup-self", null, token).Status == 200;
        }

        if (fields.TryGetValue("password", out var password)) return Database.Accepts(fields["username"], password);
        var live = Live();
        return credential.Handle is { } handle && JsonNode.Parse(handle.Value)!["Accessor"]!.GetValue<string>() is var accessor && live.Any(found => found.Accessor == accessor);
    }

    private readonly Dictionary<string, string?> _unwrapped = [];

    /// <summary>Whether anything is alive that was made under this name: its token, or what was leased with it.</summary>
    public bool Lives(string externalName)
    {
        var alive = false;
        var live = Live();
        Bao.Locked(() => alive = live.Any(found => found.DisplayName == $"token-{externalName}") || Bao.Root.Leases.All.Any(lease => lease.Token.DisplayName == $"token-{externalName}"));
        return alive;
    }

    public string AccessorOf(string externalName) => Live().Single(token => token.DisplayName == $"token-{externalName}").Accessor;

    /// <summary>Revokes every lease, as an administrator may.</summary>
    public void RevokeLeases(bool sync)
    {
        string[] leases = [];
        Bao.Locked(() => leases = [.. Bao.Root.Leases.All.Select(lease => lease.Id)]);
        foreach (var lease in leases) Bao.Admin("POST", "sys/leases/revoke", new JsonObject { ["lease_id"] = lease, ["sync"] = sync });
    }

    public async Task<RevokeOutcome> RevokeUntilDeadAsync(IProvider provider, RevokeRequest request)
    {
        for (var look = 0; look < 20; look++)
        {
            switch (await provider.RevokeAsync(request, CancellationToken.None))
            {
                case RevokeOutcome.Settling settling:
                    request = request with { Handle = settling.Handle ?? request.Handle };
                    Clock.PassUntil(settling.Until);
                    break;
                case RevokeOutcome.ExpiresAt expires:
                    Clock.PassUntil(expires.At);
                    break;
                case var dead:
                    return dead;
            }
        }

        throw new AssertionException("It does not settle.");
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private string? Unwrap(string wrapping)
    {
        var answer = Bao.Ask("POST", "sys/wrapping/unwrap", null, wrapping);
        return answer.Status == 200 ? JsonNode.Parse(answer.Body)!["auth"]!["client_token"]!.GetValue<string>() : null;
    }

    private IReadOnlyList<Token> Live()
    {
        Bao.Ask("GET", "sys/health", null, null); // Whatever is due by now happens at the next request.
        IReadOnlyList<Token> tokens = [];
        Bao.Locked(() => tokens = [.. Bao.Root.Tokens.All]);
        return tokens;
    }
}

/// <summary>The stand-in's clock, which the broker's runs ahead of by what the test says.</summary>
internal sealed class SkewedClock : TimeProvider
{
    /// <summary>The broker's clock.</summary>
    public FakeTimeProvider Broker { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, 250, TimeSpan.Zero));

    public TimeSpan Offset { get; set; }

    public override DateTimeOffset GetUtcNow() => Broker.GetUtcNow() + Offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => Broker.CreateTimer(callback, state, dueTime, period);

    /// <summary>Passes time until both clocks have reached the instant.</summary>
    public void PassUntil(DateTimeOffset until)
    {
        if (GetUtcNow() < until) Broker.Advance(until - GetUtcNow());
    }
}

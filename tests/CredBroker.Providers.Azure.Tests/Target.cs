using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests;

/// <summary>A stand-in of its own with a tenant, a resource group, a key vault, a shared application and a managed identity, and what a provider needs to talk to it.</summary>
internal sealed class Target : IAsyncDisposable
{
    public const string ExistingSecret = "existing-api-key";
    public const string ExistingValue = "the value that somebody wrote long ago";
    private readonly HttpClient _client;
    private readonly TestIdentity _identity;

    private Target(StandInHost host, AzureStandIn azure, TestClock clock, ProviderContext context, string vault)
    {
        Vault = vault;
        Host = host;
        Azure = azure;
        Clock = clock;
        Context = context;
        _client = host.CreateClient();
        _identity = (TestIdentity)context.Identity;
        SharedApplication = azure.AddSharedApplication("shared");
        ManagedIdentity = azure.AddManagedIdentity();
        azure.ByHand(_ => azure.Vault.Allowed.Add(ManagedIdentity));
        azure.ByHand(_ => azure.Vault.Plant(ExistingSecret, ExistingValue));
        azure.TrustBroker(_identity.Issuer, _identity.Subject, _identity.Audience);
        Configuration = Configure();
    }

    /// <summary>The vault's address: its own, since the SDK remembers for the whole process which tenant a vault belongs to.</summary>
    public string Vault { get; }

    public StandInHost Host { get; }

    public AzureStandIn Azure { get; }

    public TestClock Clock { get; }

    public ProviderContext Context { get; }

    public JsonElement Configuration { get; }

    public AzureProviderType Type { get; } = new();

    public string SharedApplication { get; }

    public string ManagedIdentity { get; }

    public static async Task<Target> CreateAsync(Timing? timing = null, string? tenant = null, IReadOnlyDictionary<string, string>? secrets = null)
    {
        var clock = new TestClock();
        TestIdentity? identity = null;
        var azure = new AzureStandIn(clock.Target, tenant ?? Tenant.NewId(), timing ?? new Timing(), issuer => issuer == identity?.Issuer ? identity.KeySet : null);
        var vault = $"kv-{Tenant.NewId()[..8]}.vault.azure.net";
        var host = await StandInHost.StartAsync(new StandInOptions { Clock = clock.Target, Tls = true, Hosts = [.. AzureStandIn.Hosts, vault] }, azure.Answer);
        var context = TestContexts.Create(clock.Broker, secrets, egress: host.Egress);
        identity = (TestIdentity)context.Identity;
        return new Target(host, azure, clock, context, $"https://{vault}");
    }

    public JsonElement Configure(Action<JsonObject>? change = null)
    {
        var document = new JsonObject
        {
            ["tenantId"] = Azure.Tenant.Id,
            ["credential"] = new JsonObject { ["clientId"] = Azure.BrokerClientId },
            ["sharedApplications"] = new JsonArray(SharedApplication),
            ["scopes"] = new JsonArray(AzureStandIn.Group),
            ["vaults"] = new JsonArray(Vault),
        };
        change?.Invoke(document);
        return document.Deserialize<JsonElement>();
    }

    public IProvider Connect(JsonElement? configuration = null) => Type.Create(Context, configuration ?? Configuration);

    public string Template(string kind) => kind switch
    {
        "app-password" => $$"""{"assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]}""",
        "app-federated" => $$"""{"audience":"https://management.azure.com","assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]}""",
        "shared-app-password" => $$"""{"application":"{{SharedApplication}}"}""",
        "role-assignment" => $$"""{"principal":"{{ManagedIdentity}}","scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}","allowWithoutExpiry":true}""",
        "keyvault-secret-write" => $$"""{"vault":"{{Vault}}"}""",
        "keyvault-secret-read" => $$"""{"vault":"{{Vault}}","name":"{{ExistingSecret}}"}""",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public IssueRequest NewRequest(string kind, string? template = null, TimeSpan? life = null)
    {
        var lease = Uid.New(Clock.Broker);
        var now = Clock.Broker.GetUtcNow();
        return new IssueRequest
        {
            LeaseId = lease,
            TaskId = Uid.New(Clock.Broker),
            ExternalName = $"cb-{Context.InstallationId}-{lease}",
            Mark = $"cb1:{Context.InstallationId}:{lease}:0123abcd:{new string('m', 43)}",
            RoleKind = kind,
            Template = JsonElement.Parse(template ?? Template(kind)),
            Workload = "source/subject",
            Deadline = now.AddSeconds(30),
            ExpiresAt = now + (life ?? TimeSpan.FromMinutes(10)),
        };
    }

    public static RevokeRequest Revoking(IssueRequest request, Handle? handle, DateTimeOffset? mayStillArriveUntil = null) => new()
    {
        LeaseId = request.LeaseId,
        ExternalName = request.ExternalName,
        Handle = handle,
        RoleKind = request.RoleKind,
        Mark = request.Mark,
        PossibleDeathAt = request.ExpiresAt,
        MayStillArriveUntil = mayStillArriveUntil,
    };

    /// <summary>Asks until it is dead; answers the outcomes on the way too.</summary>
    public async Task<List<RevokeOutcome>> RevokeUntilDeadAsync(IProvider provider, RevokeRequest request)
    {
        var outcomes = new List<RevokeOutcome>();
        for (var look = 0; look < 20; look++)
        {
            var outcome = await provider.RevokeAsync(request, CancellationToken.None);
            outcomes.Add(outcome);
            switch (outcome)
            {
                case RevokeOutcome.Settling settling:
                    request = request with { Handle = settling.Handle ?? request.Handle };
                    Clock.AdvanceTargetTo(settling.Until);
                    break;
                case RevokeOutcome.ExpiresAt expires:
                    Clock.AdvanceTargetTo(expires.At);
                    break;
                default:
                    return outcomes;
            }
        }

        throw new AssertionException("It does not settle.");
    }

    /// <summary>Takes a token with a client secret, as its holder does. Null: refused, with the codes.</summary>
    public async Task<(string? Token, long[] Codes)> LogInAsync(string clientId, string secret, string audience = "https://management.azure.com", bool continuous = false)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = clientId, ["client_secret"] = secret, ["scope"] = $"{audience}/.default" };
        if (continuous) form["claims"] = """{"access_token":{"xms_cc":{"values":["cp1"]}}}""";
        using var content = new FormUrlEncodedContent(form);
        using var answer = await _client.PostAsync(new Uri($"https://login.microsoftonline.com/{Azure.Tenant.Id}/oauth2/v2.0/token"), content);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        return answer.IsSuccessStatusCode ? ((string)body["access_token"]!, []) : (null, [.. body["error_codes"]!.AsArray().Select(code => (long)code!)]);
    }

    /// <summary>Whether a token opens a resource below the group.</summary>
    public async Task<bool> ReadsAsync(string token)
    {
        using var answer = await SendAsync(HttpMethod.Get, $"https://management.azure.com{AzureStandIn.Group}/providers/Microsoft.Storage/storageAccounts/data?api-version=2023-01-01", token);
        return answer.IsSuccessStatusCode;
    }

    /// <summary>What the vault says to a reader.</summary>
    public async Task<string?> ReadSecretAsync(string name, string version)
    {
        using var answer = await SendAsync(HttpMethod.Get, $"{Vault}/secrets/{name}/{version}?api-version=7.4", Azure.TokenOf(ManagedIdentity, "https://vault.azure.net"));
        return answer.IsSuccessStatusCode ? (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["value"] : null;
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string address, string? token, string? body = null)
    {
        using var request = new HttpRequestMessage(method, address);
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await _client.SendAsync(request);
    }

    /// <summary>Whether Azure lets a credential in, once it has had the time that Azure may take to know of it.</summary>
    public async Task<bool> IsAcceptedAsync(IssuedCredential credential)
    {
        if (await IsAcceptedNowAsync(credential)) return true;
        Clock.Advance(TimeSpan.FromSeconds(35));
        return await IsAcceptedNowAsync(credential);
    }

    public async Task<bool> IsAcceptedNowAsync(IssuedCredential credential)
    {
        string? Field(string name) => credential.Fields.TryGetValue(name, out var field) ? field.Value.Reveal() : null;
        if (Field("client_secret") is { } secret)
        {
            var (token, _) = await LogInAsync(Field("client_id")!, secret);
            var shared = Azure.ByHand(tenant => tenant.Applications[SharedApplication].AppId);
            return token is not null && (Field("client_id") == shared || await ReadsAsync(token));
        }

        if (Field("access_token") is { } access) return await ReadsAsync(access);
        if (Field("reference") is { } reference) return Azure.LeftOf(reference).Count > 0 && await ReadsAsync(Azure.TokenOf(Field("principal_id")!));
        // Nothing at Azure ends a value that was read: all that ends is the time of its lease, by the vault's clock.
        if (Field("name") == ExistingSecret) return Field("value") == ExistingValue && Clock.Target.GetUtcNow() < credential.ExpiresAt;
        return await ReadSecretAsync(Field("name")!, Field("version")!) is { } value && value == Field("value");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Host.DisposeAsync();
        _identity.Dispose();
    }
}

/// <summary>A journal that remembers, as the broker's store does.</summary>
internal sealed class Journal : IIssueJournal
{
    public List<Handle> Records { get; } = [];

    public Handle? Last => Records.Count == 0 ? null : Records[^1];

    public Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken)
    {
        Records.Add(handle);
        return Task.FromResult(true);
    }
}

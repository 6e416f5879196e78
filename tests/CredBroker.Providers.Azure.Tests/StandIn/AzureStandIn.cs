using System.Globalization;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>
/// Entra's token endpoint, Microsoft Graph, Azure Resource Manager and a key vault of one tenant, as far as the broker and those who use its credentials talk to
/// them. Assertions are verified, tokens end, and what was changed takes its time to be noticed. It is held against recordings of the real ones.
/// </summary>
public sealed class AzureStandIn
{
    /// <summary>A resource group in which the broker may assign roles.</summary>
    public const string Group = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/demo";

    /// <summary>Reader, the same id in every tenant.</summary>
    public const string Reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

    /// <summary>Storage Blob Data Reader.</summary>
    public const string BlobReader = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

    /// <summary>The role with which the broker assigns others.</summary>
    public const string Assigner = "0b5c4d1e-0000-4000-8000-00000000a551";

    internal const string Json = "application/json; charset=utf-8";
    private readonly Lock _lock = new();
    private readonly TokenEndpoint _tokens;
    private readonly GraphApi _graph;
    private readonly ArmApi _arm;
    private readonly VaultApi _vault;
    private readonly TimeProvider _time;

    /// <summary>A tenant with the broker's application in it.</summary>
    /// <param name="time">Azure's clock.</param>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="timing">How slow it is.</param>
    /// <param name="keysOf">The JWKS document of an issuer whose assertions a federated credential may trust; null for one that cannot be had.</param>
    public AzureStandIn(TimeProvider time, string tenantId, Timing timing, Func<string, string?> keysOf)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        Timing = timing;
        Tenant = new Tenant(tenantId);
        Broker = AddApplication("broker");
        BrokerPrincipal = AddPrincipal(Broker.AppId);
        BrokerPrincipal.GraphRoles.Add("Application.ReadWrite.OwnedBy");
        Tenant.Assignments.Add(new AssignmentObject(Group, Guid.Parse("0b5c4d1e-0000-4000-8000-000000000001"), RoleId(Assigner), BrokerPrincipal.Id, "ServicePrincipal", null, DateTimeOffset.UnixEpoch));
        _tokens = new TokenEndpoint(Tenant, time, timing, keysOf);
        _graph = new GraphApi(Tenant, time, timing, this);
        _arm = new ArmApi(Tenant, time, timing, this);
        _vault = new VaultApi(Tenant, time, timing, this);
    }

    /// <summary>The hosts that it stands in for, beside that of its vault.</summary>
    public static IReadOnlyList<string> Hosts { get; } = ["login.microsoftonline.com", "graph.microsoft.com", "management.azure.com"];

    /// <summary>How slow it is.</summary>
    public Timing Timing { get; }

    /// <summary>The broker's client id.</summary>
    public string BrokerClientId => Broker.AppId;

    /// <summary>How many calls it refused although they were right, because what they needed had not spread.</summary>
    public int RefusedByLag { get; internal set; }

    internal Tenant Tenant { get; }

    internal AppObject Broker { get; }

    internal PrincipalObject BrokerPrincipal { get; }

    internal VaultApi Vault => _vault;

    /// <summary>Answers a request.</summary>
    public StandInAnswer Answer(StandInRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_lock)
        {
            if (request.Path.EndsWith("/oauth2/v2.0/token", StringComparison.Ordinal) || request.Path.Contains("/.well-known/", StringComparison.Ordinal) || request.Path.StartsWith("/common/", StringComparison.Ordinal))
                return _tokens.Answer(request);
            if (request.Path.StartsWith("/v1.0/", StringComparison.Ordinal) || request.Path.StartsWith("/beta/", StringComparison.Ordinal)) return _graph.Answer(request);
            if (request.Path.StartsWith("/subscriptions/", StringComparison.Ordinal)) return _arm.Answer(request);
            return request.Path.StartsWith("/secrets", StringComparison.Ordinal) || request.Path.StartsWith("/deletedsecrets", StringComparison.Ordinal)
                ? _vault.Answer(request)
                : StandInAnswer.Empty(404);
        }
    }

    /// <summary>Whether a request makes something, or delivers a secret that exists: what must not be repeated.</summary>
    public static bool Creates(StandInRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var isVault = request.Path.StartsWith("/secrets/", StringComparison.Ordinal) && request.Header("Authorization") is not null;
        return request.Method switch
        {
            "PATCH" => request.Header("Prefer") == "create-if-missing",
            "POST" => request.Path is "/v1.0/servicePrincipals" || request.Path.EndsWith("/addPassword", StringComparison.Ordinal) || request.Path.EndsWith("/federatedIdentityCredentials", StringComparison.Ordinal),
            "PUT" => isVault || request.Path.Contains("/roleAssignments/", StringComparison.Ordinal),
            "GET" => isVault && request.Path.StartsWith("/secrets/existing", StringComparison.Ordinal) && !request.Path.EndsWith("/versions", StringComparison.Ordinal),
            _ => false,
        };
    }

    /// <summary>Lets a federated credential of the broker's application trust its assertions.</summary>
    public void TrustBroker(string issuer, string subject, string audience)
    {
        lock (_lock) Broker.Federated.Add(new FederatedObject(Tenant.NewId(), "credbroker", issuer, subject, null, [audience], DateTimeOffset.UnixEpoch));
    }

    /// <summary>An application that exists, with its principal. Answers its object id.</summary>
    public string AddSharedApplication(string name)
    {
        lock (_lock)
        {
            var application = AddApplication(name);
            application.SignInAudience = "AzureADMyOrg";
            AddPrincipal(application.AppId);
            return application.Id;
        }
    }

    /// <summary>A managed identity that exists. Answers its principal's object id.</summary>
    public string AddManagedIdentity()
    {
        lock (_lock) return AddPrincipal(Tenant.NewId()).Id;
    }

    /// <summary>A token of a principal, taken by its own means: what a managed identity gets from its machine.</summary>
    public string TokenOf(string principalId, string audience = "https://management.azure.com")
    {
        lock (_lock) return _tokens.Give(Tenant.Principals[principalId].AppId, principalId, audience, Timing.AssertionTokenLife);
    }

    /// <summary>Everything that is left of a name: an application, live or restorable, its assignments, a password, a secret that is given out.</summary>
    public IReadOnlyList<string> LeftOf(string externalName)
    {
        lock (_lock)
        {
            var left = new List<string>();
            left.AddRange(Tenant.Applications.Values.Where(application => application.UniqueName == externalName).Select(application => $"application {application.Id}"));
            left.AddRange(Tenant.Deleted.Values.Where(application => application.UniqueName == externalName).Select(application => $"deleted application {application.Id}"));
            left.AddRange(Tenant.Assignments.Where(assignment => Carries(assignment.Description, externalName)).Select(assignment => $"assignment {assignment.Name}"));
            left.AddRange(Tenant.Applications.Values.SelectMany(application => application.Passwords).Where(password => Carries(password.DisplayName, externalName)).Select(password => $"password {password.KeyId}"));
            left.AddRange(_vault.LiveVersionsOf(externalName).Select(version => $"secret {version}"));
            return left;
        }
    }

    /// <summary>Whether a call that makes something would be refused now, because what it needs has not spread.</summary>
    internal bool WouldLag(StandInRequest request)
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            if (request.Path is "/v1.0/servicePrincipals") return Tenant.ByAppId((string?)JsonNode.Parse(request.Text)!["appId"] ?? "") is { } application && now < application.Created + Timing.ApplicationSpreads;
            if (request.Path.StartsWith("/v1.0/applications/", StringComparison.Ordinal)) return Tenant.Applications.TryGetValue(request.Path.Split('/')[3], out var of) && now < of.Created + Timing.ApplicationSpreads;
            return request.Method == "PUT" && request.Path.Contains("/roleAssignments/", StringComparison.Ordinal)
                && Tenant.Principals.TryGetValue((string?)JsonNode.Parse(request.Text)!["properties"]!["principalId"] ?? "", out var principal) && now < principal.Created + Timing.PrincipalSpreads;
        }
    }

    internal StandInAnswer? Authorize(StandInRequest request, string audience, out TokenObject token)
    {
        token = null!;
        var header = request.Header("Authorization");
        if (header is null || !header.StartsWith("Bearer ", StringComparison.Ordinal) || !Tenant.Tokens.TryGetValue(header["Bearer ".Length..], out var found) || found.Audience != audience || found.Expires <= _time.GetUtcNow())
            return StandInAnswer.Json(401, Error("InvalidAuthenticationToken", "Access token has expired or is not yet valid."), Json);
        token = found;
        return null;
    }

    internal AppObject AddApplication(string name)
    {
        var application = new AppObject { DisplayName = name, Created = DateTimeOffset.UnixEpoch };
        Tenant.Applications[application.Id] = application;
        return application;
    }

    internal PrincipalObject AddPrincipal(string appId)
    {
        var principal = new PrincipalObject(Tenant.NewId(), appId, DateTimeOffset.UnixEpoch);
        Tenant.Principals[principal.Id] = principal;
        return principal;
    }

    /// <summary>Runs under the stand-in's lock: what an administrator does by hand.</summary>
    internal T ByHand<T>(Func<Tenant, T> act)
    {
        lock (_lock) return act(Tenant);
    }

    internal bool HasSpread(DateTimeOffset made, TimeSpan needs)
    {
        if (_time.GetUtcNow() >= made + needs) return true;
        RefusedByLag++;
        return false;
    }

    internal static string RoleId(string role) => $"{Group[..Group.IndexOf("/resourceGroups", StringComparison.Ordinal)]}/providers/Microsoft.Authorization/roleDefinitions/{role}";

    internal static JsonObject Error(string code, string message) => new() { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } };

    internal static string Seconds(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    internal static string Ticks(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);

    private static bool Carries(string? text, string externalName) => text is not null
        && text.Split(' ').Any(word => word == externalName || (word.Split(':') is ["cb1", var installation, var lease, _, _] && $"cb-{installation}-{lease}" == externalName));
}

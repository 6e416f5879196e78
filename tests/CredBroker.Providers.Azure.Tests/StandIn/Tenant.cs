using System.Security.Cryptography;

namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>What a tenant holds.</summary>
internal sealed class Tenant(string id)
{
    public string Id { get; } = id;

    public Dictionary<string, AppObject> Applications { get; } = new(StringComparer.OrdinalIgnoreCase);

    public Dictionary<string, AppObject> Deleted { get; } = new(StringComparer.OrdinalIgnoreCase);

    public Dictionary<string, PrincipalObject> Principals { get; } = new(StringComparer.OrdinalIgnoreCase);

    public List<AssignmentObject> Assignments { get; } = [];

    /// <summary>What was removed, with when: services act on it for a while.</summary>
    public List<AssignmentObject> RemovedAssignments { get; } = [];

    public Dictionary<string, TokenObject> Tokens { get; } = new(StringComparer.Ordinal);

    public AppObject? ByAppId(string appId) => Applications.Values.FirstOrDefault(application => application.AppId.Equals(appId, StringComparison.OrdinalIgnoreCase));

    public PrincipalObject? PrincipalOf(string appId) => Principals.Values.FirstOrDefault(principal => principal.AppId.Equals(appId, StringComparison.OrdinalIgnoreCase));

    public static string NewId() => new Guid(RandomNumberGenerator.GetBytes(16)).ToString();
}

internal sealed class AppObject
{
    public string Id { get; } = Tenant.NewId();

    public string AppId { get; init; } = Tenant.NewId();

    public required string DisplayName { get; set; }

    public string? UniqueName { get; init; }

    public string? Notes { get; set; }

    public string SignInAudience { get; set; } = "AzureADandPersonalMicrosoftAccount";

    public required DateTimeOffset Created { get; init; }

    public List<PasswordObject> Passwords { get; } = [];

    /// <summary>Removed, with when: the token endpoint takes them for a while.</summary>
    public List<PasswordObject> RemovedPasswords { get; } = [];

    public List<FederatedObject> Federated { get; } = [];

    /// <summary>Certificates with which it logs in, by their SHA-256 thumbprint.</summary>
    public Dictionary<string, RSA> Certificates { get; } = new(StringComparer.Ordinal);
}

internal sealed record PasswordObject(string KeyId, string? DisplayName, string Secret, DateTimeOffset Start, DateTimeOffset End, DateTimeOffset Added)
{
    public DateTimeOffset? Removed { get; set; }
}

internal sealed record FederatedObject(string Id, string Name, string Issuer, string Subject, string? Description, IReadOnlyList<string> Audiences, DateTimeOffset Added);

internal sealed record PrincipalObject(string Id, string AppId, DateTimeOffset Created)
{
    public string? Notes { get; init; }

    public string Type { get; init; } = "ServicePrincipal";

    /// <summary>Its application permissions in Microsoft Graph.</summary>
    public List<string> GraphRoles { get; } = [];
}

internal sealed record AssignmentObject(string Scope, Guid Name, string RoleDefinitionId, string PrincipalId, string PrincipalType, string? Description, DateTimeOffset Created)
{
    public string? Condition { get; init; }

    public string? ConditionVersion { get; init; }

    public DateTimeOffset? Removed { get; init; }

    public string Role => RoleDefinitionId[(RoleDefinitionId.LastIndexOf('/') + 1)..].ToLowerInvariant();
}

internal sealed record TokenObject(string AppId, string PrincipalId, string Audience, DateTimeOffset Expires);

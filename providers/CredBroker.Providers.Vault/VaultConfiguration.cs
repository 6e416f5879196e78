using System.Net;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault;

/// <summary>A connection to one HashiCorp Vault or OpenBao cluster.</summary>
public sealed record VaultConfiguration
{
    /// <summary>Where it answers, such as <c>https://vault.example:8200</c>: no path, and TLS unless the host is a loopback address.</summary>
    public required string Address { get; init; }

    /// <summary>
    /// The secret source with the certificates, in PEM, of the authorities to trust instead of the system's: for a private one. It is the operator's, since whoever chooses whom to believe
    /// can put himself in the target's place.
    /// </summary>
    public SecretRef? RootCertificate { get; init; }

    /// <summary>The namespace that all of this happens in, such as <c>team-a</c> or <c>org/team-a</c>; the root namespace if it is left out.</summary>
    public string? Namespace { get; init; }

    /// <summary>How the broker logs in: exactly one way.</summary>
    public required VaultAuthentication Auth { get; init; }

    /// <summary>The token roles through which tokens are made: 1 to 20. The first is that of a role that names none.</summary>
    public required IReadOnlyList<string> TokenRoles { get; init; }

    /// <summary>
    /// Whether the broker lists the tokens it made, which needs <c>list</c> and <c>sudo</c> on <c>auth/token/accessors</c> and costs a look-up for each token
    /// of the namespace. Without it, what a crash may have left counts as alive until its time has passed.
    /// </summary>
    public bool Listing { get; init; }

    /// <summary>How long one call may take: 1 s to 60 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    internal Uri BaseAddress => new(Address);

    internal IEnumerable<ValidationError> Validate()
    {
        foreach (var error in ValidateAddress()) yield return error;
        if (Namespace is not null && !Names.IsPath(Namespace)) yield return new("namespace", Names.PathRule);
        if (RootCertificate is { Source: var source } && !Names.IsSegment(source)) yield return new("rootCertificate.source", "This names a secret source of the operator's file.");
        foreach (var error in Auth.Validate()) yield return error;
        if (TokenRoles.Count is 0 or > 20) yield return new("tokenRoles", "Name 1 to 20 token roles.");
        for (var i = 0; i < TokenRoles.Count; i++)
        {
            if (!Names.IsSegment(TokenRoles[i])) yield return new($"tokenRoles[{i}]", Names.SegmentRule);
            else if (TokenRoles.Take(i).Contains(TokenRoles[i])) yield return new($"tokenRoles[{i}]", "This token role appears twice.");
        }

        if (Timeout < TimeSpan.FromSeconds(1) || Timeout > TimeSpan.FromSeconds(60)) yield return new("timeout", "This must be between 1s and 60s.");
    }

    private IEnumerable<ValidationError> ValidateAddress()
    {
        const string rule = "This is https, a host and perhaps a port, such as https://vault.example:8200: no path, no query, no user name.";
        if (Address.Length > 300 || Address.Any(character => character is <= ' ' or > '~') || !Uri.TryCreate(Address, UriKind.Absolute, out var address)
            || address.Scheme is not ("https" or "http") || address.AbsolutePath != "/" || address.Query.Length > 0 || address.Fragment.Length > 0
            || address.UserInfo.Length > 0 || Address.Contains('@', StringComparison.Ordinal) || Address.Contains('?', StringComparison.Ordinal) || Address.Contains('#', StringComparison.Ordinal))
        {
            yield return new("address", rule);
            yield break;
        }

        var loopback = address.Host == "localhost" || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
        if (address.Scheme == "http" && !loopback) yield return new("address", "Only a loopback address may be used without TLS: use https.");
    }
}

/// <summary>How the broker logs in. Exactly one member is given.</summary>
public sealed record VaultAuthentication
{
    /// <summary>By a JWT that the broker signs for this provider alone: no secret is configured.</summary>
    public JwtAuthentication? Jwt { get; init; }

    /// <summary>By an AppRole.</summary>
    public AppRoleAuthentication? AppRole { get; init; }

    /// <summary>By the token of a Kubernetes service account.</summary>
    public KubernetesAuthentication? Kubernetes { get; init; }

    internal IEnumerable<ValidationError> Validate()
    {
        if (new object?[] { Jwt, AppRole, Kubernetes }.Count(way => way is not null) != 1)
            yield return new("auth", "Give exactly one of jwt, appRole and kubernetes. jwt needs no secret.");
        foreach (var error in Check("auth.jwt.", Jwt?.Mount, Jwt?.Role, null)) yield return error;
        foreach (var error in Check("auth.appRole.", AppRole?.Mount, null, AppRole?.SecretId)) yield return error;
        if (AppRole is { RoleId: var id } && !Names.IsSegment(id)) yield return new("auth.appRole.roleId", Names.SegmentRule);
        foreach (var error in Check("auth.kubernetes.", Kubernetes?.Mount, Kubernetes?.Role, Kubernetes?.Token)) yield return error;
    }

    private static IEnumerable<ValidationError> Check(string at, string? mount, string? role, SecretRef? secret)
    {
        if (mount is not null && !Names.IsPath(mount)) yield return new($"{at}mount", Names.PathRule);
        if (role is not null && !Names.IsSegment(role)) yield return new($"{at}role", Names.SegmentRule);
        if (secret is not null && !Names.IsSegment(secret.Source))
            yield return new($"{at}{(at == "auth.appRole." ? "secretId" : "token")}.source", "This names a secret source of the operator's file.");
    }
}

/// <summary>Log in with the broker's own assertion.</summary>
public sealed record JwtAuthentication
{
    /// <summary>The role of the auth method.</summary>
    public required string Role { get; init; }

    /// <summary>Where the auth method is mounted.</summary>
    public string Mount { get; init; } = "jwt";
}

/// <summary>Log in with an AppRole.</summary>
public sealed record AppRoleAuthentication
{
    /// <summary>The role's id, which is not secret.</summary>
    public required string RoleId { get; init; }

    /// <summary>The secret source with the secret id.</summary>
    public required SecretRef SecretId { get; init; }

    /// <summary>Where the auth method is mounted.</summary>
    public string Mount { get; init; } = "approle";
}

/// <summary>Log in with a service account's token.</summary>
public sealed record KubernetesAuthentication
{
    /// <summary>The role of the auth method.</summary>
    public required string Role { get; init; }

    /// <summary>The secret source with the token: the operator's file points it at the projected file.</summary>
    public required SecretRef Token { get; init; }

    /// <summary>Where the auth method is mounted.</summary>
    public string Mount { get; init; } = "kubernetes";
}

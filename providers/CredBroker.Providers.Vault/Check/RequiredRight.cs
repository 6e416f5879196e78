namespace CredBroker.Providers.Vault.Check;

/// <summary>A right that the broker's own token needs.</summary>
/// <param name="Path">The path.</param>
/// <param name="Capabilities">What is done there.</param>
/// <param name="For">What it is for.</param>
/// <param name="Optional">It works without, and less is known or proven.</param>
internal sealed record RequiredRight(string Path, IReadOnlyList<string> Capabilities, string For, bool Optional = false)
{
    public static IReadOnlyList<RequiredRight> Of(VaultConfiguration configuration) =>
    [
        .. configuration.TokenRoles.Select(role => new RequiredRight($"auth/token/create/{role}", ["update"], "makes tokens")),
        .. configuration.TokenRoles.Select(role => new RequiredRight($"auth/token/roles/{role}", ["read"], "lets this check look at the token role", Optional: true)),
        new("auth/token/lookup-accessor", ["update"], "proves that a token is gone"),
        new("auth/token/renew-accessor", ["update"], "gives a token its life"),
        new("auth/token/revoke-accessor", ["update"], "revokes a token"),
        new("sys/leases/lookup", ["update"], "proves that a lease is gone"),
        new("sys/leases/renew", ["update"], "renews a lease"),
        new("sys/leases/revoke", ["update"], "revokes a lease in step with its backend"),
        .. configuration.Listing ? (RequiredRight[])[new("auth/token/accessors", ["list", "sudo"], "lists the tokens that were made")] : [],
    ];

    /// <summary>What of it is missing; empty if nothing is.</summary>
    public IReadOnlyList<string> Missing(IReadOnlyList<string> has) => has.Contains("root") ? [] : [.. Capabilities.Except(has, StringComparer.Ordinal)];

    /// <summary>The policy text that grants it.</summary>
    public string Policy => $"path \"{Path}\" {{ capabilities = [{string.Join(", ", Capabilities.Select(capability => $"\"{capability}\""))}] }}";
}

using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>What revoking a session remembers.</summary>
/// <param name="Target">The account's identity.</param>
/// <param name="Role">The role's ARN; null where nobody knows it.</param>
/// <param name="RoleId">The role's own id: a role of the same name that was made later is another one.</param>
/// <param name="SettleSeconds">How long a change of policy takes to be in force.</param>
/// <param name="IssuedAt">When the session was opened at the latest, by AWS's clock.</param>
/// <param name="DeadSince">Since when everything that must be is written, by AWS's clock.</param>
internal sealed record SessionHandle(
    string Target, string? Role, string? RoleId, int SettleSeconds, DateTimeOffset? IssuedAt = null, DateTimeOffset? DeadSince = null)
{
    public TimeSpan Settle => TimeSpan.FromSeconds(SettleSeconds);

    public Handle Seal() => new(JsonSerializer.Serialize(this));

    /// <summary>Reads a handle; null where there is none.</summary>
    /// <exception cref="ProviderException">It is from another account, or none of these.</exception>
    public static SessionHandle? Open(Handle? handle, string target)
    {
        if (handle is null) return null;
        SessionHandle? opened;
        try
        {
            opened = JsonSerializer.Deserialize<SessionHandle>(handle.Value);
        }
        catch (JsonException)
        {
            opened = null;
        }

        if (opened is null or { Target: null } or { SettleSeconds: < 0 or > 86_400 })
            throw new ProviderException(ProviderFault.Credential, "The handle is not one of a session.", ProviderEffect.None);
        if (opened.Target != target)
            throw new ProviderException(ProviderFault.TargetMismatch, $"The session was opened in {opened.Target}, and this is {target}.", ProviderEffect.None);
        return opened;
    }
}

using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.LeaseRoles;

/// <summary>What revoking a role of one lease remembers.</summary>
/// <param name="Target">The account's identity.</param>
/// <param name="RoleId">The role's own id.</param>
/// <param name="SettleSeconds">How long a change of policy takes to be in force.</param>
/// <param name="OffSince">Since when it is denied everything, or was first found gone, by AWS's clock.</param>
internal sealed record LeaseRoleHandle(string Target, string RoleId, int SettleSeconds, DateTimeOffset? OffSince = null)
{
    public Handle Seal() => new(JsonSerializer.Serialize(this));

    /// <summary>Reads a handle; null where there is none.</summary>
    /// <exception cref="ProviderException">It is from another account, or none of these.</exception>
    public static LeaseRoleHandle? Open(Handle? handle, string target)
    {
        if (handle is null) return null;
        LeaseRoleHandle? opened;
        try
        {
            opened = JsonSerializer.Deserialize<LeaseRoleHandle>(handle.Value);
        }
        catch (JsonException)
        {
            opened = null;
        }

        if (opened is null or { Target: null } or { RoleId: null } or { SettleSeconds: < 0 or > 86_400 })
            throw new ProviderException(ProviderFault.Credential, "The handle is not one of a role.", ProviderEffect.None);
        if (opened.Target != target)
            throw new ProviderException(ProviderFault.TargetMismatch, $"The role was made in {opened.Target}, and this is {target}.", ProviderEffect.None);
        return opened;
    }
}

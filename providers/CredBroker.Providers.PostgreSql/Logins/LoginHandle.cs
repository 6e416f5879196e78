using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>
/// What revoking remembers: the target, the role's oid, under which its sessions are found even after it was dropped, and when it was
/// switched off.
/// </summary>
/// <param name="Target">The target's identity.</param>
/// <param name="Oid">The role's oid.</param>
/// <param name="OffAt">When it was first seen unable to log in, by the target's clock.</param>
internal sealed record LoginHandle(string Target, long Oid, DateTimeOffset? OffAt = null)
{
    public Handle Seal() => new(JsonSerializer.Serialize(this));

    /// <exception cref="ProviderException">It is not from this target.</exception>
    public static LoginHandle? Open(Handle? handle, Server server)
    {
        if (handle is null) return null;
        LoginHandle? opened;
        try
        {
            opened = JsonSerializer.Deserialize<LoginHandle>(handle.Value);
        }
        catch (JsonException)
        {
            throw new ProviderException(ProviderFault.Credential, "The handle is not one of this provider.", ProviderEffect.None);
        }

        if (opened is null || opened.Target == server.Identity) return opened;
        throw new ProviderException(
            ProviderFault.TargetMismatch, $"The login was made at {opened.Target}, and this is {server.Identity}.", ProviderEffect.None);
    }
}

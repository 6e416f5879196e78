using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure;

/// <summary>
/// What revoking remembers. It is written down before the first call that makes something, as a plan of all that will have an id of its own, and again with
/// what only answers told. It never holds a secret.
/// </summary>
internal sealed record AzureHandle
{
    /// <summary>The target's identity.</summary>
    public required string Target { get; init; }

    /// <summary>An application's object id: the shared one, or the one that was made once it is known.</summary>
    public string? Application { get; init; }

    /// <summary>The role assignments that were to be made.</summary>
    public IReadOnlyList<AssignmentId> Assignments { get; init; } = [];

    /// <summary>The password's id.</summary>
    public string? KeyId { get; init; }

    /// <summary>The key vault.</summary>
    public string? Vault { get; init; }

    /// <summary>The secret's version, or for one that was only read its name and version.</summary>
    public string? Version { get; init; }

    /// <summary>How long after its removal a role assignment may still count.</summary>
    public long SettleSeconds { get; init; }

    /// <summary>Whether the caller may have got the credential: until then nobody can have used it.</summary>
    public bool Delivered { get; init; }

    /// <summary>The name was somebody else's: nothing of this name was made.</summary>
    public bool Taken { get; init; }

    /// <summary>It was seen at the target when it was revoked.</summary>
    public bool Seen { get; init; }

    /// <summary>When it was removed, others still held the same: that does not end with this lease.</summary>
    public bool OthersRemain { get; init; }

    /// <summary>When the last token that the credential can open, or is, ends.</summary>
    public DateTimeOffset? TokensEndAt { get; init; }

    /// <summary>When everything was last seen to be removed, by the target's clock.</summary>
    public DateTimeOffset? RemovedAt { get; init; }

    public Handle Seal() => new(JsonSerializer.Serialize(this, AzureJson.Default.AzureHandle));

    /// <exception cref="ProviderException">It is none of this provider, or not from this target.</exception>
    public static AzureHandle? Open(Handle? handle, string target)
    {
        if (handle is null) return null;
        AzureHandle? opened;
        try
        {
            opened = JsonSerializer.Deserialize(handle.Value, AzureJson.Default.AzureHandle);
        }
        catch (JsonException)
        {
            opened = null;
        }

        if (opened is null) throw new ProviderException(ProviderFault.Credential, "The handle is not one of this provider.", ProviderEffect.None);
        if (opened.Target == target) return opened;
        throw new ProviderException(ProviderFault.TargetMismatch, $"The credential was made at {opened.Target}, and this is {target}.", ProviderEffect.None);
    }
}

/// <summary>A role assignment's place and name.</summary>
/// <param name="Scope">Where.</param>
/// <param name="Name">Its id.</param>
internal sealed record AssignmentId(string Scope, Guid Name);

using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Session;

namespace CredBroker.Providers.Vault.Children;

/// <summary>What revoking remembers: the target, the child token's accessor, and the leases that were read with it.</summary>
/// <param name="Target">The target's identity.</param>
/// <param name="Accessor">The child token's accessor, which revokes it and gives nothing away.</param>
internal sealed record ChildHandle(string Target, string Accessor)
{
    /// <summary>The leases that were read with the child and are known.</summary>
    public IReadOnlyList<string> Leases { get; init; } = [];

    /// <summary>Where a lease was about to be read; null where none ever is. With no lease known, one may exist there that nobody has the id of.</summary>
    public string? Path { get; init; }

    /// <summary>What was read cannot be revoked: it lasts until its own end.</summary>
    public bool Lasts { get; init; }

    /// <summary>A lease may exist whose id the broker never learned.</summary>
    [JsonIgnore]
    public bool MayHaveUnknownLease => Path is not null && Leases.Count == 0 && !Lasts;

    public Handle Seal() => new(JsonSerializer.Serialize(this, HandleJson.Default.ChildHandle));

    /// <exception cref="ProviderException">It is none of ours, or not from this target.</exception>
    public static ChildHandle? Open(Handle? handle, BrokerSession session)
    {
        if (handle is null) return null;
        ChildHandle? opened;
        try
        {
            opened = JsonSerializer.Deserialize(handle.Value, HandleJson.Default.ChildHandle);
        }
        catch (JsonException)
        {
            opened = null;
        }

        if (opened is not { Target.Length: > 0, Accessor.Length: > 0 })
            throw new ProviderException(ProviderFault.Credential, "The handle is not one of this provider.", ProviderEffect.None);
        if (opened.Target == session.Identity) return opened;
        throw new ProviderException(ProviderFault.TargetMismatch, $"The token was made at {opened.Target}, and this is {session.Identity}.", ProviderEffect.None);
    }
}

[JsonSerializable(typeof(ChildHandle))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, MaxDepth = 4)]
internal sealed partial class HandleJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Client;

/// <summary>The envelope of every answer. Not a record: nothing prints what is in it.</summary>
internal sealed class VaultAnswer
{
    public string? LeaseId { get; init; }

    public bool Renewable { get; init; }

    public long LeaseDuration { get; init; }

    public JsonElement? Data { get; init; }

    public VaultToken? Auth { get; init; }

    public VaultWrapping? WrapInfo { get; init; }

    public IReadOnlyList<string>? Warnings { get; init; }

    public IReadOnlyList<string>? Errors { get; init; }
}

/// <summary>A token as a login, its creation and its renewal answer it.</summary>
internal sealed class VaultToken
{
    public HiddenText? ClientToken { get; init; }

    public string? Accessor { get; init; }

    public IReadOnlyList<string>? Policies { get; init; }

    public long LeaseDuration { get; init; }

    public bool Renewable { get; init; }
}

/// <summary>A wrapping token.</summary>
internal sealed class VaultWrapping
{
    public HiddenText? Token { get; init; }

    public string? WrappedAccessor { get; init; }

    public long Ttl { get; init; }
}

/// <summary>What a look-up of an accessor says.</summary>
internal sealed class VaultTokenState
{
    public string? Accessor { get; init; }

    public string? DisplayName { get; init; }

    public DateTimeOffset? ExpireTime { get; init; }

    public IReadOnlyDictionary<string, string>? Meta { get; init; }

    public IReadOnlyList<string>? Policies { get; init; }
}

/// <summary>What a look-up of a lease says.</summary>
internal sealed class VaultLeaseState
{
    public long Ttl { get; init; }

    /// <summary>Set once the server has given up revoking it.</summary>
    public string? RevokeError { get; init; }
}

/// <summary>A token role, as far as it is checked.</summary>
internal sealed class VaultTokenRole
{
    public bool Orphan { get; init; }

    public bool Renewable { get; init; }

    public IReadOnlyList<string>? AllowedPolicies { get; init; }

    public long ExplicitMaxTtl { get; init; }

    public long TokenExplicitMaxTtl { get; init; }

    public long TokenPeriod { get; init; }

    public long Period { get; init; }

    public string? TokenType { get; init; }
}

/// <summary>The health of a node. It is no secret, and needs no token.</summary>
internal sealed class VaultHealth
{
    public bool Initialized { get; init; }

    public bool Sealed { get; init; }

    public bool Standby { get; init; }

    public string? ClusterId { get; init; }

    public string? Version { get; init; }
}

internal sealed class VaultKeys
{
    public IReadOnlyList<string>? Keys { get; init; }
}

internal sealed class VaultIrrevocable
{
    public long LeaseCount { get; init; }
}

internal sealed record CreateToken(IReadOnlyList<string> Policies, IReadOnlyDictionary<string, string> Meta, string DisplayName, string Ttl, bool Renewable, bool NoDefaultPolicy);

internal sealed record AccessorBody(string Accessor, string? Increment = null);

internal sealed record LeaseBody(string LeaseId, long? Increment = null, bool? Sync = null);

internal sealed record PathsBody(IReadOnlyList<string> Paths);

/// <summary>A text of an answer that is a secret from the moment it is read. It is never written: what is sent is written by hand.</summary>
[JsonConverter(typeof(HiddenTextConverter))]
internal sealed class HiddenText(Secret value)
{
    public Secret Value { get; } = value;
}

internal sealed class HiddenTextConverter : JsonConverter<HiddenText>
{
    public override HiddenText? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType == JsonTokenType.String
        ? reader.GetString() is { Length: > 0 } text ? new HiddenText(new Secret(text)) : null
        : throw new JsonException("A secret is a string.");

    public override void Write(Utf8JsonWriter writer, HiddenText value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value.ToString());
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 32)]
[JsonSerializable(typeof(VaultAnswer))]
[JsonSerializable(typeof(VaultTokenState))]
[JsonSerializable(typeof(VaultLeaseState))]
[JsonSerializable(typeof(VaultTokenRole))]
[JsonSerializable(typeof(VaultHealth))]
[JsonSerializable(typeof(VaultKeys))]
[JsonSerializable(typeof(VaultIrrevocable))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, IReadOnlyList<string>>))]
[JsonSerializable(typeof(CreateToken))]
[JsonSerializable(typeof(AccessorBody))]
[JsonSerializable(typeof(LeaseBody))]
[JsonSerializable(typeof(PathsBody))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
internal sealed partial class VaultJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Core.Signing;

/// <summary>The public keys of one family, as <c>{issuer}/.well-known/jwks.json</c> (RFC 7517, section 5; <c>application/jwk-set+json</c>).</summary>
/// <param name="Keys">The published keys, newest first.</param>
public sealed record PublicKeySet([property: JsonPropertyName("keys")] IReadOnlyList<PublicJsonWebKey> Keys)
{
    /// <summary>The document.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this);
}

/// <summary>One public key (RFC 7518, section 6).</summary>
public sealed record PublicJsonWebKey
{
    /// <summary><c>EC</c> or <c>RSA</c>.</summary>
    [JsonPropertyName("kty")]
    public required string KeyType { get; init; }

    /// <summary>The thumbprint (RFC 7638).</summary>
    [JsonPropertyName("kid")]
    public required string KeyId { get; init; }

    /// <summary>The one algorithm.</summary>
    [JsonPropertyName("alg")]
    public required string Algorithm { get; init; }

    /// <summary>Always <c>sig</c>.</summary>
    [JsonPropertyName("use")]
    public string Use { get; init; } = "sig";

    /// <summary>The curve of an EC key.</summary>
    [JsonPropertyName("crv"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Curve { get; init; }

    /// <summary>The point of an EC key.</summary>
    [JsonPropertyName("x"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? X { get; init; }

    /// <summary>The point of an EC key.</summary>
    [JsonPropertyName("y"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Y { get; init; }

    /// <summary>The modulus of an RSA key.</summary>
    [JsonPropertyName("n"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Modulus { get; init; }

    /// <summary>The exponent of an RSA key.</summary>
    [JsonPropertyName("e"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Exponent { get; init; }
}

/// <summary>
/// What a verifier needs to know of one family, as <c>{issuer}/.well-known/openid-configuration</c> (OpenID Connect Discovery 1.0, section 3).
/// </summary>
public sealed record IssuerMetadata
{
    /// <summary>The exact <c>iss</c>.</summary>
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>Where the keys are.</summary>
    [JsonPropertyName("jwks_uri")]
    public required string JwksUri { get; init; }

    /// <summary>Required by the specification; nobody can ask for tokens here.</summary>
    [JsonPropertyName("response_types_supported")]
    public IReadOnlyList<string> ResponseTypes { get; init; } = ["id_token"];

    /// <summary>Required by the specification.</summary>
    [JsonPropertyName("subject_types_supported")]
    public IReadOnlyList<string> SubjectTypes { get; init; } = ["public"];

    /// <summary>The family's one algorithm.</summary>
    [JsonPropertyName("id_token_signing_alg_values_supported")]
    public required IReadOnlyList<string> Algorithms { get; init; }

    /// <summary>Where a lease token's state can be asked for (RFC 8414, section 2); only of the lease family.</summary>
    [JsonPropertyName("introspection_endpoint"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? IntrospectionEndpoint { get; init; }

    /// <summary>The document.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this);
}

using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Contracts.V1;

namespace CredBroker.Client;

/// <summary>
/// A field of a credential. <see cref="ToString"/>, debugger views and JSON show <c>***</c>; only <see cref="Reveal"/> gives the
/// value, so that every use can be found by its name.
/// </summary>
[DebuggerDisplay("***")]
[JsonConverter(typeof(Converter))]
public sealed class SecretValue
{
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _value;

    /// <summary>Takes the value and what it is, such as <c>text/plain</c>.</summary>
    public SecretValue(string value, string mediaType = "text/plain")
    {
        ArgumentNullException.ThrowIfNull(value);
        _value = value;
        MediaType = mediaType;
    }

    /// <summary>What it is, such as <c>application/jwt</c>.</summary>
    public string MediaType { get; }

    /// <summary>The value itself.</summary>
    public string Reveal() => _value;

    /// <summary>The fields of a credential as the contract carries it, each in place of an earlier one of its name.</summary>
    /// <param name="credential">The fields; null for none.</param>
    /// <param name="earlier">Fields that stay where there is no newer one.</param>
    public static IReadOnlyDictionary<string, SecretValue> Of(Credential? credential, IReadOnlyDictionary<string, SecretValue>? earlier = null)
    {
        var fields = new Dictionary<string, SecretValue>(earlier ?? new Dictionary<string, SecretValue>(), StringComparer.Ordinal);
        foreach (var (name, field) in credential?.ToDictionary() ?? new Dictionary<string, CredentialField>()) fields[name] = new(field.Value, field.MediaType);
        return fields;
    }

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";

    private sealed class Converter : JsonConverter<SecretValue>
    {
        public override SecretValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new JsonException("A secret is not read from JSON.");

        public override void Write(Utf8JsonWriter writer, SecretValue value, JsonSerializerOptions options) => writer.WriteStringValue("***");
    }
}

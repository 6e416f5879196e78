using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Abstractions;

/// <summary>
/// A value that must not be printed. <see cref="ToString"/>, debugger views and JSON show <c>***</c>;
/// only <see cref="Reveal"/> gives the value, so that every use can be found by its name.
/// </summary>
[DebuggerDisplay("***")]
[JsonConverter(typeof(SecretJsonConverter))]
public sealed class Secret
{
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _value;

    /// <summary>Takes the value. It is never copied anywhere by this type.</summary>
    public Secret(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _value = value;
    }

    /// <summary>The value itself: for the one who hands it to its owner or to the target.</summary>
    public string Reveal() => _value;

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";

    private sealed class SecretJsonConverter : JsonConverter<Secret>
    {
        public override Secret Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new JsonException("A secret is never read from JSON: configuration names a secret source instead.");

        public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) => writer.WriteStringValue("***");
    }
}

/// <summary>
/// A reference to a named secret source, which the operator declares in the server's own configuration file together with
/// the consumers that may use it. Configuration objects hold references, never values.
/// </summary>
/// <param name="Source">The source's name.</param>
public sealed record SecretRef(string Source);

/// <summary>
/// What a provider needs to revoke a credential; never the credential itself. Opaque to the broker, which encrypts it at rest.
/// </summary>
/// <param name="Value">The provider's own text, at most <see cref="MaxLength"/> characters.</param>
[DebuggerDisplay("***")]
public sealed record Handle(string Value)
{
    /// <summary>The longest handle, in characters.</summary>
    public const int MaxLength = 4096;

    /// <summary>Always <c>***</c>: a handle can name what the target's administrators keep to themselves.</summary>
    public override string ToString() => "***";
}

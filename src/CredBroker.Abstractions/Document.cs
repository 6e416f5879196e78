using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Abstractions;

/// <summary>
/// Reads a JSON document into a record, strictly: unknown, duplicate and missing members are errors, and all of them are
/// reported. The JSON Schema is made from the same type, so that the two cannot disagree.
/// </summary>
/// <typeparam name="T">The record.</typeparam>
public static class Document<T>
    where T : class
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        AllowDuplicateProperties = false,
        NumberHandling = JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(), // The schema exporter makes the options read-only, which needs one.
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false), new DurationConverter() },
    };

    /// <summary>The JSON Schema of the document.</summary>
    public static JsonNode Schema { get; } = Options.GetJsonSchemaAsNode(typeof(T), new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });

    /// <summary>Reads a document that is valid.</summary>
    /// <exception cref="JsonException">It is not.</exception>
    public static T Read(JsonElement json) => json.Deserialize<T>(Options) ?? throw new JsonException("The document is null.");

    /// <summary>Writes the record in the document's own form.</summary>
    public static JsonElement Write(T value) => JsonSerializer.SerializeToElement(value, Options);

    /// <summary>Every error: misspelled and missing members first, then what <paramref name="further"/> finds.</summary>
    public static IReadOnlyList<ValidationError> Validate(JsonElement json, Func<T, IEnumerable<ValidationError>> further)
    {
        ArgumentNullException.ThrowIfNull(further);
        var shape = SchemaCheck.Run(Schema, json).ToList();
        if (shape.Count > 0) return shape;
        try
        {
            return [.. further(Read(json))];
        }
        catch (JsonException e)
        {
            return [new ValidationError(Clean(e.Path), "This value does not have the form that the schema asks for.")];
        }
    }

    private static string Clean(string? path) => path is null or "$" ? "" : path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path;
}

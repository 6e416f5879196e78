using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>
/// Cedar's JSON formats of values, entities, policies and policy sets. <c>null</c>, fractions and repeated names are refused; whole numbers are read from
/// their text, so that none of their 64 bits is lost.
/// </summary>
public static class CedarJson
{
    private const int MaxValueDepth = 100;
    private const int MaxPolicyDepth = 1000;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, MaxDepth = 2 * MaxPolicyDepth, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads one value.</summary>
    public static Parsed<CedarValue> ParseValue(string json, string file = "") =>
        Parse(json, file, MaxValueDepth, (shape, root) => new JsonValueReader(shape).Read(root, null, JsonPath.Root));

    /// <summary>Reads a request's context.</summary>
    /// <param name="json">A JSON object.</param>
    /// <param name="schema">If given, the action's context type says where entities and extension values may be written without their wrapping.</param>
    /// <param name="action">The request's action.</param>
    /// <param name="file">The name that errors carry.</param>
    public static Parsed<CedarRecord> ParseContext(string json, Schema? schema = null, EntityUid? action = null, string file = "")
    {
        var type = schema is null || action is null ? null : schema.FindAction(action)?.Context;
        return Parse(json, file, MaxValueDepth, (shape, root) => new JsonValueReader(shape).ReadRecord(root, type, JsonPath.Root));
    }

    /// <summary>Reads a list of entities: <c>{"uid": …, "attrs": {…}, "parents": […], "tags": {…}}</c>.</summary>
    /// <param name="json">A JSON array.</param>
    /// <param name="schema">
    /// If given, the entity types say where entities and extension values may be written without their wrapping, and the schema's actions are added.
    /// Whether the entities are as the schema wants them is for <see cref="Validator.Validate(EntityStore)"/> to say.
    /// </param>
    /// <param name="file">The name that errors carry.</param>
    public static Parsed<EntityStore> ParseEntities(string json, Schema? schema = null, string file = "") =>
        Parse(json, file, MaxValueDepth, (shape, root) => new EntityJsonReader(shape, schema).ReadAll(root));

    /// <summary>Reads one policy or template.</summary>
    /// <param name="json">A JSON object.</param>
    /// <param name="id">The id that it gets.</param>
    /// <param name="file">The name that errors carry.</param>
    public static Parsed<Policy> ParsePolicy(string json, string id = "policy0", string file = "") =>
        Parse(json, file, MaxPolicyDepth, (shape, root) => new PolicyJsonReader(shape).Read(id, root, JsonPath.Root));

    /// <summary>A value, so that it reads back without a schema.</summary>
    public static string Write(CedarValue value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Write(json => new ValueJsonWriter(json).Write(value));
    }

    /// <summary>The entities, so that they read back without a schema.</summary>
    public static string Write(EntityStore entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        return Write(json => Write(json, entities.Entities));
    }

    /// <summary>Writes a value into a document of the caller's, so that it reads back without a schema.</summary>
    public static void Write(Utf8JsonWriter json, CedarValue value)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(value);
        new ValueJsonWriter(json).Write(value);
    }

    /// <summary>Writes a list of entities into a document of the caller's, as they are: whether they fit together is for <see cref="EntityStore.Create"/> to say.</summary>
    public static void Write(Utf8JsonWriter json, IEnumerable<Entity> entities)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(entities);
        var writer = new ValueJsonWriter(json);
        json.WriteStartArray();
        foreach (var entity in entities) writer.Write(entity);
        json.WriteEndArray();
    }

    /// <summary>A policy or template, without its id.</summary>
    public static string Write(Policy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return Write(json => new PolicyJsonWriter(json).Write(policy));
    }

    internal static Parsed<PolicySet> ParsePolicySet(string json, string file) =>
        Parse(json, file, MaxPolicyDepth, (shape, root) => new PolicyJsonReader(shape).ReadSet(root));

    internal static string WritePolicySet(PolicySet set) => Write(json => new PolicyJsonWriter(json).Write(set));

    internal static string Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Indented))
            write(json);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    internal static Parsed<T> Parse<T>(string json, string file, int maxDepth, Func<JsonShape, JsonElement, T> read) where T : class
    {
        ArgumentNullException.ThrowIfNull(json);
        if (json.Length > TextLimits.MaxJsonLength)
            return Refused<T>(file, $"the text has {json.Length} characters; at most {TextLimits.MaxJsonLength} are accepted");
        if (!Names.IsUnicode(json))
            return Refused<T>(file, "the text is not valid Unicode");
        var shape = new JsonShape(file);
        var options = new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false };
        try
        {
            using var document = JsonDocument.Parse(json, options);
            var value = read(shape, document.RootElement);
            shape.ThrowIfWrong();
            return new Parsed<T>(value);
        }
        catch (JsonException error)
        {
            var location = new SourceLocation(file, (int)(error.LineNumber ?? 0) + 1, (int)(error.BytePositionInLine ?? 0) + 1);
            return new Parsed<T>([new Diagnostic(location, $"this is not the JSON that was expected: {Shown(error.Message)}")]);
        }
        catch (JsonShapeException error)
        {
            return new Parsed<T>([.. shape.Errors.Append(error).Distinct().Select(e => new Diagnostic(JsonPlace.Find(json, e.Path, file), e.Message)).OrderBy(d => (d.Location.Line, d.Location.Column))]);
        }
    }

    private static Parsed<T> Refused<T>(string file, string why) where T : class => new([new Diagnostic(new SourceLocation(file, 1, 1), why)]);

    // The framework quotes what it met.
    private static string Shown(string message) => Quoting.Quote(message)[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal);
}

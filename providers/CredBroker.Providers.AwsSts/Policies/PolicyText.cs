using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CredBroker.Providers.AwsSts.Policies;

/// <summary>Writes policy documents from their parts, never by joining text.</summary>
internal static class PolicyText
{
    // Quotes, backslashes and control characters are escaped; nothing else needs to be in a document that is no part of a page.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A whole document, without white space.</summary>
    public static string Write(params IEnumerable<Statement> statements)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("Version", "2012-10-17");
            json.WriteStartArray("Statement");
            foreach (var statement in statements) Write(json, statement);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>An instant as conditions compare it, in whole seconds.</summary>
    public static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>How much of a limit a document takes: white space does not count.</summary>
    public static int LengthOf(string document) => document.Count(character => !char.IsWhiteSpace(character));

    private static void Write(Utf8JsonWriter json, Statement statement)
    {
        json.WriteStartObject();
        if (statement.Sid is { } sid) json.WriteString("Sid", sid);
        json.WriteString("Effect", statement.Allow ? "Allow" : "Deny");
        if (statement.Principal is { } principal)
        {
            json.WriteStartObject("Principal");
            json.WriteString("AWS", principal);
            json.WriteEndObject();
        }

        Write(json, "Action", statement.Actions);
        if (statement.Resources.Count > 0) Write(json, "Resource", statement.Resources);
        if (statement.Conditions.Count > 0)
        {
            json.WriteStartObject("Condition");
            foreach (var byOperator in statement.Conditions.GroupBy(condition => condition.Operator, StringComparer.Ordinal))
            {
                json.WriteStartObject(byOperator.Key);
                foreach (var condition in byOperator) Write(json, condition.Key, condition.Values);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 1)
        {
            json.WriteString(name, values[0]);
            return;
        }

        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}

/// <summary>A statement as it is written.</summary>
internal sealed record Statement(bool Allow, IReadOnlyList<string> Actions, IReadOnlyList<string> Resources)
{
    /// <summary>The statement's id, of letters and digits.</summary>
    public string? Sid { get; init; }

    /// <summary>The principal, in a trust policy.</summary>
    public string? Principal { get; init; }

    /// <summary>The conditions, all of which must hold.</summary>
    public IReadOnlyList<Condition> Conditions { get; init; } = [];

    public static Statement Of(PolicyStatement statement) => new(statement.Effect == StatementEffect.Allow, statement.Actions, statement.Resources)
    {
        Conditions = [.. (statement.Conditions ?? new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyList<string>>>())
            .SelectMany(byOperator => byOperator.Value.Select(byKey => new Condition(byOperator.Key, byKey.Key, byKey.Value)))],
    };
}

/// <summary>A condition.</summary>
internal sealed record Condition(string Operator, string Key, IReadOnlyList<string> Values)
{
    public Condition(string @operator, string key, string value)
        : this(@operator, key, [value])
    {
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>What was asked for one decision, kept so that it can be asked again: of the caller, and of each task above.</summary>
/// <param name="Questions">The questions, the caller's first.</param>
/// <param name="AnyParameters">Whether it was asked if policy could permit it for any parameters.</param>
/// <param name="OfNothing">Whether it is about a role that is not there: then it is denied, whatever policy says.</param>
/// <param name="WithoutWords">Whether what callers merely say (intent, labels, declared) was left out.</param>
public sealed record RecordedLine(IReadOnlyList<Question> Questions, bool AnyParameters, bool OfNothing, bool WithoutWords)
{
    /// <summary>The most characters that are kept of one decision. One that needs more is kept without its question.</summary>
    public const int MostCharacters = 32 * 1024;

    /// <summary>As JSON; null if there is nothing to keep, or too much.</summary>
    public static string? Write(RecordedLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        if (line.Questions.Count == 0) return null;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteStartArray("questions");
            foreach (var question in line.Questions) Write(json, question, line.WithoutWords);
            json.WriteEndArray();
            if (line.AnyParameters) json.WriteBoolean("any_parameters", true);
            if (line.OfNothing) json.WriteBoolean("of_nothing", true);
            if (line.WithoutWords) json.WriteBoolean("without_words", true);
            json.WriteEndObject();
        }

        var text = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        return text.Length <= MostCharacters ? text : null;
    }

    /// <summary>Reads what <see cref="Write(RecordedLine)"/> wrote; null if it is something else.</summary>
    public static RecordedLine? Read(string json)
    {
        try
        {
            return JsonNode.Parse(json) is JsonObject root && root["version"]?.GetValue<int>() == 1
                ? new RecordedLine([.. root["questions"]!.AsArray().Select(question => Read(question!.AsObject()))], Flag(root, "any_parameters"), Flag(root, "of_nothing"), Flag(root, "without_words"))
                : null;
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException or NullReferenceException or KeyNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// Asks again. Null where nobody can say: where words were left out, and a policy that may have a say reads them.
    /// </summary>
    public Answer? Ask(PolicyBook book, PolicySchema schema)
    {
        ArgumentNullException.ThrowIfNull(book);
        if (OfNothing) return new Answer(Verdict.Denied, Questions[0]);
        if (WithoutWords && Questions.Any(question => ReadsWords(book, question))) return null;
        return (AnyParameters ? book.ForAnyParameters : book).Ask(Questions, schema);
    }

    private static bool ReadsWords(PolicyBook book, Question question) =>
        book.Sets.Where(set => set.Covers(question.Scope)).SelectMany(set => set.Policies).Any(PolicySetCheck.ReadsDeclared);

    private static void Write(Utf8JsonWriter json, Question question, bool withoutWords)
    {
        json.WriteStartObject();
        Write(json, "principal", question.Principal);
        json.WriteString("action", question.Action);
        Write(json, "resource", question.Resource);
        json.WriteString("now", question.Now.ToString("O", CultureInfo.InvariantCulture));
        json.WritePropertyName("context");
        CedarJson.Write(json, withoutWords ? WithoutWordsIn(question.ContextRecord) : question.ContextRecord);
        json.WritePropertyName("entities");
        CedarJson.Write(json, withoutWords ? question.Entities.Select(entity => entity.Uid.Equals(BrokerEntities.Labels) ? new Entity(entity.Uid) : entity) : question.Entities);
        if (question.Scope.Provider is { } provider) json.WriteString("provider", provider);
        if (question.Scope.IdentitySource is { } source) json.WriteString("identity_source", source);
        if (question.OnBehalfOf is { } task) json.WriteString("on_behalf_of", task);
        if (question.IsBeyondPolicy) json.WriteBoolean("beyond_policy", true);
        json.WriteEndObject();
    }

    private static CedarRecord WithoutWordsIn(CedarRecord context) => CedarRecord.Create(context.Attributes.Select(attribute => attribute switch
    {
        { Key: "declared" } => KeyValuePair.Create(attribute.Key, (CedarValue)CedarRecord.Empty),
        { Key: "task", Value: CedarRecord task } => KeyValuePair.Create(attribute.Key, (CedarValue)CedarRecord.Create(task.Attributes.Select(
            part => part.Key == "intent" ? KeyValuePair.Create(part.Key, (CedarValue)CedarRecord.Of(("what", ""), ("forWhom", ""), ("data", ""))) : part))),
        _ => attribute,
    }));

    private static void Write(Utf8JsonWriter json, string name, EntityUid uid)
    {
        json.WriteStartObject(name);
        json.WriteString("type", uid.Type);
        json.WriteString("id", uid.Id);
        json.WriteEndObject();
    }

    private static Question Read(JsonObject json)
    {
        var action = json["action"]!.GetValue<string>();
        var question = new Question
        {
            Principal = Uid(json["principal"]!),
            Action = action,
            Resource = Uid(json["resource"]!),
            Scope = new PolicyScope(action, json["provider"]?.GetValue<string>(), json["identity_source"]?.GetValue<string>()),
            OnBehalfOf = json["on_behalf_of"]?.GetValue<string>(),
            IsBeyondPolicy = Flag(json, "beyond_policy"),
            Now = DateTimeOffset.ParseExact(json["now"]!.GetValue<string>(), "O", CultureInfo.InvariantCulture),
        };
        foreach (var (name, value) in CedarJson.ParseContext(json["context"]!.ToJsonString()).OrThrow().Attributes) question.Context(name, value);
        return question.With(CedarJson.ParseEntities(json["entities"]!.ToJsonString()).OrThrow().Entities);
    }

    private static EntityUid Uid(JsonNode json) => new(json["type"]!.GetValue<string>(), json["id"]!.GetValue<string>());

    private static bool Flag(JsonObject json, string name) => json[name]?.GetValue<bool>() == true;
}

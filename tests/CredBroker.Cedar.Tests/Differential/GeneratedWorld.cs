using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>A schema, policies, entities and requests that go together, in the formats that both implementations read.</summary>
internal sealed class GeneratedWorld
{
    private static readonly string[] Ids = ["x", "y", "z"];

    private static readonly JsonSerializerOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly GeneratedSchema _schema;

    public GeneratedWorld(byte[] bytes, int requests)
    {
        var choices = new Choices(bytes);
        _schema = new GeneratedSchema(choices);
        Schema = _schema.ToText();
        Policies = string.Join('\n', Enumerable.Range(0, 1 + choices.Next(5)).Select(_ => Policy(choices)));
        Entities = EntitiesOf(choices);
        // Requests are made of what is left of the choices, or of numbers that go on from there: they are many, and small.
        var seed = bytes.Aggregate(17, (sum, b) => unchecked(sum * 31 + b));
        var random = new Random(seed);
        Requests = [.. Enumerable.Range(0, requests).Select(i => RequestOf(i == 0 ? choices : RandomChoices(random)))];
    }

    public string Schema { get; }

    public string Policies { get; }

    public string Entities { get; }

    public IReadOnlyList<GeneratedRequest> Requests { get; }

    public static byte[] RandomBytes(int seed, int length = 600)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static Choices RandomChoices(Random random)
    {
        var bytes = new byte[80];
        random.NextBytes(bytes);
        return new Choices(bytes);
    }

    private string Policy(Choices choices)
    {
        var action = _schema.Actions[choices.Next(_schema.Actions.Count)];
        var principal = action.Principals[choices.Next(action.Principals.Count)];
        var resource = action.Resources[choices.Next(action.Resources.Count)];
        var expressions = new ExpressionGenerator(choices, _schema, principal, action, resource);
        var narrow = !choices.OneIn(5);
        var scope = $"{Scope("principal", principal, narrow, choices)}, {ActionScope(action, narrow, choices)}, {Scope("resource", resource, narrow, choices)}";
        var conditions = string.Concat(Enumerable.Range(0, choices.Next(3)).Select(_ => $"\n  {choices.Of("when", "when", "unless")} {{ {expressions.Condition(1 + choices.Next(4))} }}"));
        return $"{choices.Of("permit", "permit", "forbid")}({scope}){conditions};";
    }

    private string Scope(string variable, string type, bool narrow, Choices choices)
    {
        var group = GeneratedSchema.Parents[type[(type.LastIndexOf(':') + 1)..]] is [var parent] ? _schema.Qualified(parent) : type;
        return choices.Next(narrow ? 5 : 6) switch
        {
            0 or 1 => $"{variable} is {type}",
            2 => $"{variable} == {type}::\"{choices.Of(Ids)}\"",
            3 => $"{variable} is {type} in {group}::\"{choices.Of(Ids)}\"",
            4 => $"{variable} in {(narrow ? group : choices.Of(group, type))}::\"{choices.Of(Ids)}\"",
            _ => variable,
        };
    }

    private string ActionScope(GeneratedAction action, bool narrow, Choices choices) => choices.Next(narrow ? 2 : 4) switch
    {
        0 or 1 => $"action == {_schema.ActionType}::\"{action.Id}\"",
        2 => $"action in {_schema.ActionType}::\"group\"",
        _ => choices.Of("action", $"action in [{_schema.ActionType}::\"a\", {_schema.ActionType}::\"b\"]", "action in []"),
    };

    private string EntitiesOf(Choices choices)
    {
        var entities = new JsonArray();
        foreach (var (type, attributes) in _schema.Attributes)
        {
            // Parents come later in the order of ids, so there are no cycles.
            for (var i = 0; i < Ids.Length; i++)
            {
                if (choices.Next(5) > 2)
                    continue;
                var entity = new JsonObject { ["uid"] = new JsonObject { ["type"] = type, ["id"] = Ids[i] }, ["attrs"] = attributes.Value(choices), ["parents"] = ParentsOf(type, i, choices) };
                if (entity["attrs"] is not JsonObject)
                    entity["attrs"] = new JsonObject();
                if (_schema.Tags[type] is { } tag && choices.Next(2) == 0)
                    entity["tags"] = new JsonObject([.. new[] { "a", "b" }.Take(choices.Next(3)).Select(name => KeyValuePair.Create(name, tag.Value(choices)))]);
                entities.Add((JsonNode)entity);
            }
        }
        if (choices.OneIn(3))
            entities.Add((JsonNode)new JsonObject { ["uid"] = new JsonObject { ["type"] = _schema.Qualified("E"), ["id"] = choices.Of(Ids) }, ["attrs"] = new JsonObject(), ["parents"] = new JsonArray() });
        return entities.ToJsonString(Options);
    }

    private JsonArray ParentsOf(string type, int index, Choices choices)
    {
        var parents = GeneratedSchema.Parents[type[(type.LastIndexOf(':') + 1)..]];
        var result = new JsonArray();
        foreach (var parent in parents)
        {
            var isSame = _schema.Qualified(parent) == type;
            for (var i = isSame ? index + 1 : 0; i < Ids.Length; i++)
            {
                if (choices.OneIn(3))
                    result.Add((JsonNode)new JsonObject { ["type"] = choices.OneIn(40) ? _schema.Qualified("E") : _schema.Qualified(parent), ["id"] = Ids[i] });
            }
        }
        return result;
    }

    private GeneratedRequest RequestOf(Choices choices)
    {
        var action = _schema.Actions[choices.Next(_schema.Actions.Count)];
        var principal = choices.OneIn(12) ? _schema.Qualified("F") : action.Principals[choices.Next(action.Principals.Count)];
        var resource = choices.OneIn(12) ? _schema.Qualified("E") : action.Resources[choices.Next(action.Resources.Count)];
        var context = action.Context.Value(choices) as JsonObject ?? [];
        return new GeneratedRequest(
            GeneratedSchema.Uid(principal, choices).ToJsonString(Options),
            new JsonObject { ["type"] = _schema.ActionType, ["id"] = choices.OneIn(20) ? "nope" : action.Id }.ToJsonString(Options),
            GeneratedSchema.Uid(resource, choices).ToJsonString(Options),
            context.ToJsonString(Options));
    }
}

internal sealed record GeneratedRequest(string Principal, string Action, string Resource, string Context);

using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>A small schema: users in groups, things in folders, an enumeration, actions with a group.</summary>
internal sealed class GeneratedSchema
{
    private const string Enumeration = "E";

    private readonly string _space;

    public GeneratedSchema(Choices choices)
    {
        _space = choices.OneIn(4) ? "N" : "";
        string[] types = ["U", "G", "T", "F", Enumeration];
        EntityTypes = [.. types.Select(Qualified)];
        Attributes = types.Where(t => t != Enumeration).ToDictionary(Qualified, _ => GeneratedType.RecordOf(choices, EntityTypes));
        Tags = types.Where(t => t != Enumeration).ToDictionary(Qualified, _ => choices.OneIn(3) ? GeneratedType.Of(choices, EntityTypes, 1) : null);
        Actions = [.. new[] { "a", "b", "g h" }.Select(id => new GeneratedAction(id, id == "a" && choices.OneIn(2),
            Some(choices, "U", "G", Enumeration), Some(choices, "T", "F", "U"), GeneratedType.RecordOf(choices, EntityTypes)))];
    }

    public IReadOnlyList<string> EntityTypes { get; }

    public IReadOnlyDictionary<string, GeneratedType.Record> Attributes { get; }

    public IReadOnlyDictionary<string, GeneratedType?> Tags { get; }

    public IReadOnlyList<GeneratedAction> Actions { get; }

    public string ActionType => Qualified("Action");

    public static readonly IReadOnlyDictionary<string, string[]> Parents = new Dictionary<string, string[]> { ["U"] = ["G"], ["G"] = ["G"], ["T"] = ["F"], ["F"] = ["F"], ["E"] = [] };

    public string Qualified(string name) => _space.Length == 0 ? name : $"{_space}::{name}";

    public static JsonObject Uid(string type, Choices choices) => new() { ["type"] = type, ["id"] = choices.Of("x", "y", "z") };

    public string ToText()
    {
        var lines = new List<string>();
        foreach (var (name, parents) in Parents)
        {
            if (name == Enumeration)
                lines.Add("entity E enum [\"x\", \"y\"];");
            else
                lines.Add($"entity {name} in [{string.Join(", ", parents)}] = {Attributes[Qualified(name)].ToSchemaText()}{(Tags[Qualified(name)] is { } tags ? $" tags {tags.ToSchemaText()}" : "")};");
        }
        lines.Add("action group;");
        lines.AddRange(Actions.Select(a => $"action \"{a.Id}\"{(a.IsGrouped ? " in group" : "")} appliesTo {{ principal: [{string.Join(", ", a.Principals)}], resource: [{string.Join(", ", a.Resources)}], context: {a.Context.ToSchemaText()} }};"));
        var body = string.Join('\n', lines);
        return _space.Length == 0 ? body : $"namespace {_space} {{\n{body}\n}}";
    }

    private List<string> Some(Choices choices, params string[] types) => [.. types.Take(1 + choices.Next(types.Length)).Select(Qualified)];
}

internal sealed record GeneratedAction(string Id, bool IsGrouped, IReadOnlyList<string> Principals, IReadOnlyList<string> Resources, GeneratedType.Record Context);

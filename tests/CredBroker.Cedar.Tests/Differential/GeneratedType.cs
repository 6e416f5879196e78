using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>A type of a generated schema.</summary>
internal abstract record GeneratedType
{
    public sealed record Named(string Name) : GeneratedType;

    public sealed record Entity(string Name) : GeneratedType;

    public sealed record Set(GeneratedType Element) : GeneratedType;

    public sealed record Record(IReadOnlyList<GeneratedAttribute> Attributes) : GeneratedType;

    public string ToSchemaText() => this switch
    {
        Named t => t.Name,
        Entity t => t.Name,
        Set t => $"Set<{t.Element.ToSchemaText()}>",
        Record t => $"{{{string.Join(", ", t.Attributes.Select(a => $"{a.Key}{(a.IsRequired ? "" : "?")}: {a.Type.ToSchemaText()}"))}}}",
        _ => throw new InvalidOperationException(),
    };

    public static GeneratedType Of(Choices choices, IReadOnlyList<string> entityTypes, int depth = 2) => choices.Next(depth > 0 ? 12 : 9) switch
    {
        0 or 7 => new Named("Long"),
        1 or 8 => new Named("String"),
        2 => new Named("Bool"),
        3 => new Entity(entityTypes[choices.Next(entityTypes.Count)]),
        4 => new Named(choices.Of("ipaddr", "decimal")),
        5 => new Named("datetime"),
        6 => new Named("duration"),
        9 => new Set(Of(choices, entityTypes, depth - 1)),
        _ => RecordOf(choices, entityTypes, depth - 1),
    };

    public static Record RecordOf(Choices choices, IReadOnlyList<string> entityTypes, int depth = 2) =>
        new([.. new[] { "a", "b", "c", "in", "x y" }.Take(choices.Next(6)).Select(name => new GeneratedAttribute(name, !choices.OneIn(3), Of(choices, entityTypes, depth)))]);

    /// <summary>A value in JSON; sometimes of another type.</summary>
    public JsonNode? Value(Choices choices, int depth = 3)
    {
        if (choices.OneIn(60))
            return choices.Of<Func<JsonNode?>>(() => 1, () => "x", () => true, () => new JsonArray(), () => new JsonObject(), () => null)();
        return this switch
        {
            Named { Name: "Long" } => choices.Of(0L, 1L, 2L, -1L, 7L, long.MaxValue, long.MinValue),
            Named { Name: "Bool" } => choices.Next(2) == 0,
            Named { Name: "String" } => choices.Of("", "a", "b", "ab", "a*b", "é\n", "1.0"),
            Named { Name: "ipaddr" } => Call("ip", choices.Of("10.0.0.1", "10.0.0.0/8", "127.0.0.1", "::1", "ff00::/8", "1:2::3", choices.OneIn(20) ? "no" : "1.1.1.1")),
            Named { Name: "decimal" } => Call("decimal", choices.Of("0.0", "1.0", "-1.5", "922337203685477.5807", choices.OneIn(20) ? "1" : "1.0000")),
            Named { Name: "datetime" } => Call("datetime", choices.Of("1970-01-01", "2024-02-29T12:34:56Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59-2359", choices.OneIn(20) ? "2023-02-29" : "2026-01-01T00:00:00+0130")),
            Named => Call("duration", choices.Of("0ms", "1d2h3m4s5ms", "-1ms", "9223372036854775807ms", choices.OneIn(20) ? "1h1d" : "90s")),
            Entity t => new JsonObject { ["__entity"] = GeneratedSchema.Uid(t.Name, choices) },
            Set t => new JsonArray([.. choices.Many(3, () => t.Element.Value(choices, depth - 1))]),
            Record t => RecordValue(t, choices, depth),
            _ => null,
        };
    }

    private static JsonObject RecordValue(Record type, Choices choices, int depth)
    {
        var result = new JsonObject();
        foreach (var attribute in type.Attributes)
        {
            if (attribute.IsRequired ? !choices.OneIn(60) : choices.Next(2) == 0)
                result[attribute.Name] = attribute.Type.Value(choices, depth - 1);
        }
        if (choices.OneIn(80))
            result["more"] = 1;
        return result;
    }

    private static JsonObject Call(string function, string argument) => new() { ["__extn"] = new JsonObject { ["fn"] = function, ["arg"] = argument } };
}

internal sealed record GeneratedAttribute(string Name, bool IsRequired, GeneratedType Type)
{
    public string Key => Name is "in" or "x y" ? $"\"{Name}\"" : Name;

    public string Access => Name is "in" or "x y" ? $"[\"{Name}\"]" : $".{Name}";
}

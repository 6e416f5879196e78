namespace CredBroker.Cedar.Tests.Differential;

/// <summary>
/// Makes expressions, mostly of the type that is wanted where the variables are of given types: only such policies get past the validator. Sometimes it makes
/// something else, so that errors are met too.
/// </summary>
internal sealed class ExpressionGenerator(Choices choices, GeneratedSchema schema, string principal, GeneratedAction action, string resource)
{
    private const int MaxPaths = 40;

    // What is known to be there, because the policy asks for it first.
    private readonly List<(string Text, GeneratedType Type, string? Guard)> _paths = [];

    public string Condition(int depth)
    {
        if (_paths.Count == 0)
            CollectPaths();
        return Bool(depth);
    }

    private void CollectPaths()
    {
        Add("principal", new GeneratedType.Entity(principal), null, 2);
        Add("resource", new GeneratedType.Entity(resource), null, 2);
        Add("context", action.Context, null, 3);
        _paths.Add(("action", new GeneratedType.Entity(schema.ActionType), null));
    }

    private void Add(string text, GeneratedType type, string? guard, int depth)
    {
        _paths.Add((text, type, guard));
        var attributes = type is GeneratedType.Record record ? record.Attributes
            : type is GeneratedType.Entity entity && schema.Attributes.TryGetValue(entity.Name, out var known) ? known.Attributes : [];
        foreach (var attribute in attributes)
        {
            if (depth == 0 || _paths.Count > MaxPaths)
                return;
            var needed = attribute.IsRequired ? guard : guard is null ? $"{text} has {attribute.Key}" : $"{guard} && {text} has {attribute.Key}";
            Add(text + attribute.Access, attribute.Type, needed, depth - 1);
        }
    }

    private string Of(GeneratedType type, int depth)
    {
        if (choices.OneIn(50))
            return Of(GeneratedType.Of(choices, schema.EntityTypes, 1), depth);
        var paths = _paths.Where(p => p.Type.Equals(type) || (p.Type is GeneratedType.Set && type is GeneratedType.Set && p.Type.ToSchemaText() == type.ToSchemaText())).ToList();
        if (paths.Count > 0 && choices.Next(3) != 0)
        {
            var (text, _, guard) = paths[choices.Next(paths.Count)];
            return guard is null || choices.OneIn(8) ? text : $"(if {guard} then {text} else {Literal(type)})";
        }
        if (depth > 0 && choices.OneIn(6))
            return $"(if {Bool(depth - 1)} then {Of(type, depth - 1)} else {Of(type, depth - 1)})";
        return type switch
        {
            GeneratedType.Named { Name: "Bool" } => $"({Bool(depth - 1)})",
            GeneratedType.Named { Name: "Long" } when depth > 0 => Long(depth - 1),
            GeneratedType.Named { Name: "datetime" } when depth > 0 => Datetime(depth - 1),
            GeneratedType.Named { Name: "duration" } when depth > 0 => Duration(depth - 1),
            GeneratedType.Set set when depth > 0 => $"[{string.Join(", ", choices.Many(3, () => Of(set.Element, depth - 1)).Append(Of(set.Element, depth - 1)))}]",
            GeneratedType.Record record => $"{{{string.Join(", ", record.Attributes.Where(a => a.IsRequired || choices.Next(2) == 0).Select(a => $"{a.Key}: {Of(a.Type, depth - 1)}"))}}}",
            _ => Literal(type),
        };
    }

    private string Literal(GeneratedType type) => type switch
    {
        GeneratedType.Named { Name: "Long" } => choices.Of("0", "1", "2", "-1", "7", "9223372036854775807", "-9223372036854775808", "(-3)"),
        GeneratedType.Named { Name: "Bool" } => choices.Of("true", "false"),
        GeneratedType.Named { Name: "String" } => choices.Of("\"\"", "\"a\"", "\"b\"", "\"ab\"", "\"a*b\"", "\"\\u{e9}\\n\"", "\"1.0\""),
        GeneratedType.Named { Name: "ipaddr" } => $"ip(\"{choices.Of("10.0.0.1", "10.0.0.0/8", "127.0.0.1", "::1", "ff00::/8", "1:2::3", "1.2.3.4/33")}\")",
        GeneratedType.Named { Name: "decimal" } => $"decimal(\"{choices.Of("0.0", "1.0", "-1.5", "922337203685477.5807", "1.23456")}\")",
        GeneratedType.Named { Name: "datetime" } => $"datetime(\"{choices.Of("1970-01-01", "2024-02-29T12:34:56Z", "1969-12-31T23:59:59.999Z", "2026-01-01T00:00:00+0130", "2026-13-01")}\")",
        GeneratedType.Named => $"duration(\"{choices.Of("0ms", "1d2h3m4s5ms", "-1ms", "9223372036854775807ms", "1s1m")}\")",
        GeneratedType.Entity t => $"{t.Name}::\"{choices.Of("x", "y", "z")}\"",
        GeneratedType.Set t => $"[{Literal(t.Element)}]",
        GeneratedType.Record t => $"{{{string.Join(", ", t.Attributes.Where(a => a.IsRequired).Select(a => $"{a.Key}: {Literal(a.Type)}"))}}}",
        _ => throw new InvalidOperationException(),
    };

    private string Bool(int depth)
    {
        if (depth <= 0)
            return choices.Next(4) == 0 ? choices.Of("true", "false") : Comparison(0);
        return choices.Next(14) switch
        {
            0 => Comparison(depth - 1),
            1 => $"({Bool(depth - 1)} && {Bool(depth - 1)})",
            2 => $"({Bool(depth - 1)} || {Bool(depth - 1)})",
            3 => $"{choices.Of("!", "!!", "!!!!")}({Bool(depth - 1)})",
            4 => $"(if {Bool(depth - 1)} then {Bool(depth - 1)} else {Bool(depth - 1)})",
            5 => Has(),
            6 => $"{Of(new GeneratedType.Named("String"), depth - 1)} like \"{choices.Of("*", "a*", "*b", "a\\*b", "a*b*", "", "é*")}\"",
            7 => Hierarchy(depth - 1),
            8 => Extension(depth - 1),
            9 => Sets(depth - 1),
            10 => Tags(depth - 1),
            11 => $"{Bool(depth - 1)} && {Comparison(depth - 1)} || {Comparison(0)}",
            _ => Guarded(depth - 1),
        };
    }

    private string Comparison(int depth)
    {
        var type = GeneratedType.Of(choices, schema.EntityTypes, 1);
        if (_paths.Count > 0 && choices.Next(2) == 0)
            type = _paths[choices.Next(_paths.Count)].Type;
        if (type is GeneratedType.Named { Name: "Long" or "datetime" or "duration" } && choices.Next(3) != 0)
            return $"{Of(type, depth)} {choices.Of("<", "<=", ">", ">=")} {Of(type, depth)}";
        return $"{Of(type, depth)} {choices.Of("==", "!=")} {Of(type, depth)}";
    }

    private string Guarded(int depth)
    {
        var guarded = _paths.Where(p => p.Guard is not null && p.Type is not GeneratedType.Record).ToList();
        if (guarded.Count == 0)
            return Comparison(depth);
        var (text, type, guard) = guarded[choices.Next(guarded.Count)];
        return choices.Of($"({guard} && {text} == {Of(type, depth)})", $"(!({guard}) || {text} == {Of(type, depth)})", $"({guard} && {Bool(depth - 1)} && {text} == {Of(type, depth)})");
    }

    private string Has()
    {
        var holders = _paths.Where(p => p.Type is GeneratedType.Record or GeneratedType.Entity && p.Guard is null).ToList();
        var (text, _, _) = holders[choices.Next(holders.Count)];
        return $"{text} has {choices.Of("a", "b", "c", "\"in\"", "\"x y\"", "a.b", "b.a.c", "nope")}";
    }

    private string Hierarchy(int depth)
    {
        var left = choices.Of("principal", "resource", "action", "principal", Of(new GeneratedType.Entity(schema.EntityTypes[choices.Next(schema.EntityTypes.Count)]), depth));
        var type = schema.EntityTypes[choices.Next(schema.EntityTypes.Count)];
        var group = choices.OneIn(4) ? $"{schema.ActionType}::\"{choices.Of("group", "a", "b")}\"" : Of(new GeneratedType.Entity(type), depth);
        return choices.Next(5) switch
        {
            0 => $"{left} is {type}",
            1 => $"{left} is {type} in {group}",
            2 => $"{left} in [{group}, {Of(new GeneratedType.Entity(type), depth)}]",
            3 => $"({left} is {type} && {left} in {group})",
            _ => $"{left} in {group}",
        };
    }

    private string Extension(int depth)
    {
        string Make(string name) => Of(new GeneratedType.Named(name), depth);
        return choices.Next(6) switch
        {
            0 => $"{Make("ipaddr")}.{choices.Of("isIpv4", "isIpv6", "isLoopback", "isMulticast")}()",
            1 => $"{Make("ipaddr")}.isInRange({Make("ipaddr")})",
            2 => $"{Make("decimal")}.{choices.Of("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")}({Make("decimal")})",
            3 => $"{Make("duration")}.{choices.Of("toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays")}() == {Make("Long")}",
            4 => $"{Make("datetime")}.toTime() == {Make("duration")}",
            _ => choices.OneIn(8) ? $"{Make("ipaddr")}.isInRange()" : $"{Make("datetime")} < {Make("datetime")}",
        };
    }

    private string Sets(int depth)
    {
        var element = GeneratedType.Of(choices, schema.EntityTypes, 0);
        var sets = _paths.Where(p => p.Type is GeneratedType.Set && p.Guard is null).ToList();
        if (sets.Count > 0 && choices.Next(3) != 0)
            element = ((GeneratedType.Set)sets[choices.Next(sets.Count)].Type).Element;
        var set = Of(new GeneratedType.Set(element), depth);
        return choices.Next(4) switch
        {
            0 => $"{set}.contains({Of(element, depth)})",
            1 => $"{set}.containsAll({Of(new GeneratedType.Set(element), depth)})",
            2 => $"{set}.containsAny({Of(new GeneratedType.Set(element), depth)})",
            _ => $"{(choices.OneIn(10) ? "[]" : set)}.isEmpty()",
        };
    }

    private string Tags(int depth)
    {
        var (holder, type) = choices.Next(2) == 0 ? ("principal", principal) : ("resource", resource);
        var name = choices.Of("\"a\"", "\"b\"", Of(new GeneratedType.Named("String"), depth));
        if (!schema.Tags.TryGetValue(type, out var tag) || tag is null)
            return choices.OneIn(6) ? $"{holder}.getTag({name}) == 1" : $"{holder}.hasTag({name})";
        var read = $"{holder}.getTag({name}) == {Of(tag, depth)}";
        return choices.OneIn(6) ? read : $"({holder}.hasTag({name}) && {read})";
    }

    private string Long(int depth) => choices.Next(5) switch
    {
        0 => $"({Of(new GeneratedType.Named("Long"), depth)} + {Of(new GeneratedType.Named("Long"), depth)})",
        1 => $"({Of(new GeneratedType.Named("Long"), depth)} - {Of(new GeneratedType.Named("Long"), depth)})",
        2 => $"({Of(new GeneratedType.Named("Long"), depth)} * {Of(new GeneratedType.Named("Long"), depth)})",
        3 => $"(-{Of(new GeneratedType.Named("Long"), depth)})",
        _ => Literal(new GeneratedType.Named("Long")),
    };

    private string Datetime(int depth) => choices.Next(3) switch
    {
        0 => $"{Of(new GeneratedType.Named("datetime"), depth)}.offset({Of(new GeneratedType.Named("duration"), depth)})",
        1 => $"{Of(new GeneratedType.Named("datetime"), depth)}.toDate()",
        _ => Literal(new GeneratedType.Named("datetime")),
    };

    private string Duration(int depth) => choices.Next(3) switch
    {
        0 => $"{Of(new GeneratedType.Named("datetime"), depth)}.durationSince({Of(new GeneratedType.Named("datetime"), depth)})",
        1 => $"{Of(new GeneratedType.Named("datetime"), depth)}.toTime()",
        _ => Literal(new GeneratedType.Named("duration")),
    };
}

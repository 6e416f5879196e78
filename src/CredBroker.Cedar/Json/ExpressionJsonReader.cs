using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Reads expressions of JSON policies: each is an object whose only member is named after the operator.</summary>
internal sealed class ExpressionJsonReader(JsonShape shape, SourceLocation at)
{
    private int _nesting;

    public Expr Read(JsonElement json, JsonPath path)
    {
        if (_nesting >= TextLimits.MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw shape.Wrong(path, $"the expression is more than {TextLimits.MaxDepth} deep");
        _nesting++;
        var (name, body) = shape.OnlyMember(json, path);
        var result = ReadNamed(name, body, path.Child(name));
        _nesting--;
        return result.Depth <= TextLimits.MaxDepth ? result : throw shape.Wrong(path, $"the expression is more than {TextLimits.MaxDepth} deep");
    }

    private Expr ReadNamed(string name, JsonElement body, JsonPath path) => name switch
    {
        "Value" => ReadValue(body, path),
        "Var" => new VariableExpr(at, ReadVariable(body, path)),
        "Slot" => throw shape.Wrong(path, "slots may stand only in the scope"),
        "!" => new NotExpr(at, ReadOperand(body, path)),
        "neg" => new NegateExpr(at, ReadOperand(body, path)),
        "isEmpty" => new IsEmptyExpr(at, ReadOperand(body, path)),
        "&&" => new AndExpr(at, ReadChain("&&", body, path)),
        "||" => new OrExpr(at, ReadChain("||", body, path)),
        "." => ReadAccess(body, path),
        "has" => ReadHas(body, path),
        "like" => ReadLike(body, path),
        "is" => ReadIs(body, path),
        "if-then-else" => ReadIf(body, path),
        "Set" => new SetExpr(at, ReadMany(body, path)),
        "Record" => ReadRecord(body, path),
        _ when BinaryOperators.Find(name) is { } op => ReadBinary(op, body, path),
        _ when ExtensionFunction.Find(name) is { } function => ReadCall(function, body, path),
        _ => throw shape.Wrong(path, $"there is no operator or function {Quoting.Quote(name)}"),
    };

    private Expr ReadValue(JsonElement json, JsonPath path)
    {
        if (json.ValueKind == JsonValueKind.Array)
            return new SetExpr(at, [.. json.EnumerateArray().Select((e, i) => ReadValue(e, path.At(i)))]);
        if (json.ValueKind != JsonValueKind.Object)
            return new LiteralExpr(at, new JsonValueReader(shape).Read(json, null, path));
        if (json.TryGetProperty("__entity", out _))
            return new LiteralExpr(at, new JsonValueReader(shape).ReadUid(json, path));
        if (json.TryGetProperty("__extn", out var call))
        {
            shape.ExpectNames(json, path, ["__extn"]);
            var (function, arguments) = shape.ReadCall(call, path);
            return new CallExpr(at, function, [.. arguments.Select(a => ReadValue(a, path))]);
        }
        return new RecordExpr(at, [.. json.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, ReadValue(p.Value, path.Child(p.Name))))]);
    }

    private Variable ReadVariable(JsonElement json, JsonPath path) => shape.Text(json, path) switch
    {
        "principal" => Variable.Principal,
        "action" => Variable.Action,
        "resource" => Variable.Resource,
        "context" => Variable.Context,
        var other => throw shape.Wrong(path, $"there is no variable {Quoting.Quote(other)}"),
    };

    private Expr ReadOperand(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["arg"]);
        return Read(shape.Required(json, "arg", path), path.Child("arg"));
    }

    private (Expr Left, Expr Right) ReadOperands(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["left", "right"]);
        return (Read(shape.Required(json, "left", path), path.Child("left")), Read(shape.Required(json, "right", path), path.Child("right")));
    }

    private BinaryExpr ReadBinary(BinaryOperator op, JsonElement json, JsonPath path)
    {
        var (left, right) = ReadOperands(json, path);
        return new BinaryExpr(at, op, left, right);
    }

    // A chain leans to the left; it becomes one node again, however long it is.
    private ImmutableArray<Expr> ReadChain(string op, JsonElement json, JsonPath path)
    {
        var rights = new Stack<Expr>();
        while (true)
        {
            shape.ExpectNames(json, path, ["left", "right"]);
            rights.Push(Read(shape.Required(json, "right", path), path.Child("right")));
            var left = shape.Required(json, "left", path);
            if (left.ValueKind != JsonValueKind.Object || !left.TryGetProperty(op, out var inner) || left.EnumerateObject().Count() != 1)
                return [Read(left, path.Child("left")), .. rights];
            (json, path) = (inner, path.Child("left").Child(op));
        }
    }

    private GetAttributeExpr ReadAccess(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["left", "attr"]);
        return new GetAttributeExpr(at, Read(shape.Required(json, "left", path), path.Child("left")), shape.Text(shape.Required(json, "attr", path), path.Child("attr")));
    }

    private Expr ReadHas(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["left", "attr"]);
        var target = Read(shape.Required(json, "left", path), path.Child("left"));
        var attributes = shape.Required(json, "attr", path);
        if (attributes.ValueKind != JsonValueKind.Array)
            return new HasExpr(at, target, [shape.Text(attributes, path.Child("attr"))]);
        ImmutableArray<string> names = [.. attributes.EnumerateArray().Select(a => shape.Text(a, path.Child("attr")))];
        if (names.IsEmpty)
            throw shape.Wrong(path.Child("attr"), "at least one name is needed");
        return names.Length == 1 || names.All(n => Names.IsIdentifier(n) && !Names.IsReserved(n))
            ? new HasExpr(at, target, names)
            : new AndExpr(at, new HasExpr(at, target, names).Expand()); // only in JSON may a longer path have names that are no identifiers
    }

    private LikeExpr ReadLike(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["left", "pattern"]);
        var pattern = shape.Required(json, "pattern", path);
        shape.Expect(pattern, JsonValueKind.Array, path.Child("pattern"));
        var pieces = new List<string> { "" };
        foreach (var element in pattern.EnumerateArray())
        {
            if (element.ValueKind == JsonValueKind.String && element.ValueEquals("Wildcard"))
                pieces.Add("");
            else if (shape.OnlyMember(element, path) is ("Literal", var literal))
                pieces[^1] += shape.Text(literal, path.Child("pattern"));
            else
                throw shape.Wrong(path.Child("pattern"), "expected \"Wildcard\" or {\"Literal\": …}");
        }
        return new LikeExpr(at, Read(shape.Required(json, "left", path), path.Child("left")), new Pattern([.. pieces]));
    }

    private IsExpr ReadIs(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["left", "entity_type", "in"]);
        var target = Read(shape.Required(json, "left", path), path.Child("left"));
        var ancestor = json.TryGetProperty("in", out var within) ? Read(within, path.Child("in")) : null;
        return new IsExpr(at, target, shape.TypeName(shape.Required(json, "entity_type", path), path.Child("entity_type")), at, ancestor);
    }

    private IfExpr ReadIf(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["if", "then", "else"]);
        Expr Part(string name) => Read(shape.Required(json, name, path), path.Child(name));
        return new IfExpr(at, Part("if"), Part("then"), Part("else"));
    }

    private RecordExpr ReadRecord(JsonElement json, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Object, path);
        return new RecordExpr(at, [.. json.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, Read(p.Value, path.Child(p.Name))))]);
    }

    private CallExpr ReadCall(ExtensionFunction function, JsonElement json, JsonPath path)
    {
        var arguments = ReadMany(json, path);
        return function.IsConstructor || !arguments.IsEmpty
            ? new CallExpr(at, function, arguments)
            : throw shape.Wrong(path, $"{function.Name} is a method: its first argument is what it is called on");
    }

    private ImmutableArray<Expr> ReadMany(JsonElement json, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Array, path);
        return [.. json.EnumerateArray().Select((e, i) => Read(e, path.At(i)))];
    }
}

using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Expressions;

/// <summary><c>[a, b]</c></summary>
public sealed class SetExpr : Expr
{
    private readonly CedarSet? _constant;

    internal SetExpr(SourceLocation location, ImmutableArray<Expr> elements) : base(location, elements.AsSpan())
    {
        Elements = elements;
        if (elements.All(e => e.Constant is not null))
            _constant = new CedarSet([.. elements.Select(e => e.Constant!)]);
    }

    internal override CedarValue? Constant => _constant;

    /// <summary>The elements.</summary>
    public ImmutableArray<Expr> Elements { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => Elements;

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        if (_constant is not null)
            return _constant;
        var values = new CedarValue[Elements.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (Elements[i].Evaluate(evaluation) is not { } value)
                return null;
            values[i] = value;
        }
        return new CedarSet(values);
    }

    private protected override string Write() => $"[{string.Join(", ", Elements)}]";
}

/// <summary><c>{ a: 1, "b c": 2 }</c></summary>
public sealed class RecordExpr : Expr
{
    private readonly CedarRecord? _constant;

    internal RecordExpr(SourceLocation location, ImmutableArray<KeyValuePair<string, Expr>> attributes)
        : base(location, [.. attributes.Select(a => a.Value)])
    {
        Attributes = attributes;
        if (attributes.All(a => a.Value.Constant is not null) && attributes.DistinctBy(a => a.Key, StringComparer.Ordinal).Count() == attributes.Length)
            _constant = CedarRecord.Create(attributes.Select(a => KeyValuePair.Create(a.Key, a.Value.Constant!)));
    }

    internal override CedarValue? Constant => _constant;

    /// <summary>The attributes in the order they are written; names are distinct.</summary>
    public ImmutableArray<KeyValuePair<string, Expr>> Attributes { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => Attributes.Select(a => a.Value);

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        if (_constant is not null)
            return _constant;
        var values = new KeyValuePair<string, CedarValue>[Attributes.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (Attributes[i].Value.Evaluate(evaluation) is not { } value)
                return null;
            values[i] = new(Attributes[i].Key, value);
        }
        return CedarRecord.Create(values);
    }

    private protected override string Write() => $"{{{string.Join(", ", Attributes.Select(a => $"{Names.WriteKey(a.Key)}: {a.Value}"))}}}";
}

/// <summary>A call of an extension function or method.</summary>
public sealed class CallExpr : Expr
{
    private readonly CedarValue? _constant;

    internal CallExpr(SourceLocation location, ExtensionFunction function, ImmutableArray<Expr> arguments) : base(location, arguments.AsSpan())
    {
        (Function, Arguments) = (function, arguments);
        // Constructors are nearly always given literals: read them once, here.
        if (function.IsConstructor && arguments is [LiteralExpr literal])
            _constant = function.Invoke([literal.Value], out _);
    }

    internal override CedarValue? Constant => _constant;

    /// <summary>What is called.</summary>
    public ExtensionFunction Function { get; }

    /// <summary>The arguments; of a method, first what it is called on. Their number may be wrong: that is an error at evaluation.</summary>
    public ImmutableArray<Expr> Arguments { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => Arguments;

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        if (_constant is not null)
            return _constant;
        if (Arguments.Length > 2)
            return EvaluateMany(evaluation);
        if (Arguments.IsEmpty)
            return Call(evaluation, []);
        if (Arguments[0].Evaluate(evaluation) is not { } first)
            return null;
        if (Arguments.Length == 1)
            return Call(evaluation, [first]);
        return Arguments[1].Evaluate(evaluation) is { } second ? Call(evaluation, [first, second]) : null;
    }

    private CedarValue? EvaluateMany(Evaluation evaluation)
    {
        var values = new CedarValue[Arguments.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (Arguments[i].Evaluate(evaluation) is not { } value)
                return null;
            values[i] = value;
        }
        return Call(evaluation, values);
    }

    private CedarValue? Call(Evaluation evaluation, ReadOnlySpan<CedarValue> values) =>
        Function.Invoke(values, out var error) ?? evaluation.Fail(this, error!);

    private protected override string Write() => Function.IsConstructor
        ? $"{Function.Name}({string.Join(", ", Arguments)})"
        : $"{Arguments[0]}.{Function.Name}({string.Join(", ", Arguments.Skip(1))})";
}

/// <summary><c>x.isEmpty()</c></summary>
public sealed class IsEmptyExpr : Expr
{
    internal IsEmptyExpr(SourceLocation location, Expr target) : base(location, target) => Target = target;

    /// <summary>The Set.</summary>
    public Expr Target { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [Target];

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        var value = Target.Evaluate(evaluation);
        return value switch
        {
            null => null,
            CedarSet set => CedarBool.Of(set.Elements.IsEmpty),
            _ => evaluation.WrongType(Target, "Set", value),
        };
    }

    private protected override string Write() => $"{Target}.isEmpty()";
}

namespace CredBroker.Cedar.Expressions;

/// <summary>An expression of a policy: a tree of immutable nodes that evaluate themselves. <see cref="ToString"/> writes it with all brackets.</summary>
public abstract class Expr
{
    private string? _text;

    private protected Expr(SourceLocation location, params ReadOnlySpan<Expr> parts)
    {
        Location = location;
        Size = 1;
        foreach (var part in parts)
        {
            Depth = Math.Max(Depth, part.Depth);
            Size += part.Size;
        }
        Depth++;
    }

    /// <summary>Where it starts; for an operator between operands, where the first operand starts.</summary>
    public SourceLocation Location { get; }

    /// <summary>The expressions it is made of, in the order they are written.</summary>
    public abstract IEnumerable<Expr> Parts { get; }

    internal int Depth { get; private protected init; }

    /// <summary>Of how many nodes it consists, itself included: as many steps evaluating it takes at most, without what large values cost.</summary>
    internal int Size { get; }

    /// <summary>The value, if it is the same for every request and was computed beforehand.</summary>
    internal virtual CedarValue? Constant => null;

    /// <summary>The value, or null after <see cref="Evaluation.Fail"/>: errors are ordinary here, and exceptions would be slow.</summary>
    internal abstract CedarValue? Evaluate(Evaluation evaluation);

    private protected abstract string Write();

    /// <inheritdoc/>
    public sealed override string ToString() => _text ??= Write();
}

/// <summary>The variables of a policy.</summary>
public enum Variable
{
    /// <summary>Who asks.</summary>
    Principal,

    /// <summary>What is to be done.</summary>
    Action,

    /// <summary>On what.</summary>
    Resource,

    /// <summary>Under which circumstances.</summary>
    Context,
}

/// <summary>A Bool, Long, String or entity name.</summary>
public sealed class LiteralExpr : Expr
{
    internal LiteralExpr(SourceLocation location, CedarValue value) : base(location) => Value = value;

    /// <summary>The value.</summary>
    public CedarValue Value { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [];

    internal override CedarValue Constant => Value;

    internal override CedarValue? Evaluate(Evaluation evaluation) => Value;

    // A negative number would read back as a negation when a method is called on it.
    private protected override string Write() => Value is CedarLong { Value: < 0 } ? $"({Value})" : Value.ToString()!;
}

/// <summary>One of the four variables.</summary>
public sealed class VariableExpr : Expr
{
    internal VariableExpr(SourceLocation location, Variable variable) : base(location) => Variable = variable;

    /// <summary>Which one.</summary>
    public Variable Variable { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [];

    internal static string NameOf(Variable variable) => variable switch
    {
        Variable.Principal => "principal",
        Variable.Action => "action",
        Variable.Resource => "resource",
        _ => "context",
    };

    internal override CedarValue? Evaluate(Evaluation evaluation) => Variable switch
    {
        Variable.Principal => evaluation.Request.Principal,
        Variable.Action => evaluation.Request.Action,
        Variable.Resource => evaluation.Request.Resource,
        _ => evaluation.Request.Context,
    };

    private protected override string Write() => NameOf(Variable);
}

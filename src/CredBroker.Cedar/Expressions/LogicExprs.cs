using System.Collections.Immutable;

namespace CredBroker.Cedar.Expressions;

/// <summary><c>if … then … else …</c></summary>
public sealed class IfExpr : Expr
{
    internal IfExpr(SourceLocation location, Expr condition, Expr then, Expr otherwise) : base(location, condition, then, otherwise) =>
        (Condition, Then, Else) = (condition, then, otherwise);

    /// <summary>What is asked.</summary>
    public Expr Condition { get; }

    /// <summary>The value when it is true.</summary>
    public Expr Then { get; }

    /// <summary>The value when it is false.</summary>
    public Expr Else { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [Condition, Then, Else];

    internal override CedarValue? Evaluate(Evaluation evaluation) => evaluation.Bool(Condition) switch
    {
        null => null,
        { Value: true } => Then.Evaluate(evaluation),
        _ => Else.Evaluate(evaluation),
    };

    private protected override string Write() => $"(if {Condition} then {Then} else {Else})";
}

/// <summary>Two or more operands joined by <c>&amp;&amp;</c>: a chain is one node, so that long chains aren't deep.</summary>
public sealed class AndExpr : Expr
{
    internal AndExpr(SourceLocation location, ImmutableArray<Expr> operands) : base(location, operands.AsSpan()) => Operands = operands;

    /// <summary>The operands in order; evaluation stops at the first false one.</summary>
    public ImmutableArray<Expr> Operands { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => Operands;

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        foreach (var operand in Operands)
        {
            var value = evaluation.Bool(operand);
            if (value is null or { Value: false })
                return value;
        }
        return CedarBool.True;
    }

    private protected override string Write() => $"({string.Join(" && ", Operands)})";
}

/// <summary>Two or more operands joined by <c>||</c>.</summary>
public sealed class OrExpr : Expr
{
    internal OrExpr(SourceLocation location, ImmutableArray<Expr> operands) : base(location, operands.AsSpan()) => Operands = operands;

    /// <summary>The operands in order; evaluation stops at the first true one.</summary>
    public ImmutableArray<Expr> Operands { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => Operands;

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        foreach (var operand in Operands)
        {
            var value = evaluation.Bool(operand);
            if (value is null or { Value: true })
                return value;
        }
        return CedarBool.False;
    }

    private protected override string Write() => $"({string.Join(" || ", Operands)})";
}

/// <summary><c>!</c></summary>
public sealed class NotExpr : Expr
{
    internal NotExpr(SourceLocation location, Expr operand) : base(location, operand) => Operand = operand;

    /// <summary>What is negated.</summary>
    public Expr Operand { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [Operand];

    internal override CedarValue? Evaluate(Evaluation evaluation) =>
        evaluation.Bool(Operand) is { } value ? CedarBool.Of(!value.Value) : null;

    private protected override string Write() => $"(!{Operand})";
}

/// <summary>Arithmetic negation. A negative number is a literal, not a negation.</summary>
public sealed class NegateExpr : Expr
{
    internal NegateExpr(SourceLocation location, Expr operand) : base(location, operand) => Operand = operand;

    /// <summary>What is negated.</summary>
    public Expr Operand { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [Operand];

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        var value = Operand.Evaluate(evaluation);
        return value switch
        {
            null => null,
            CedarLong { Value: long.MinValue } => evaluation.Fail(this, "the negation overflows"),
            CedarLong number => new CedarLong(-number.Value),
            _ => evaluation.WrongType(Operand, "Long", value),
        };
    }

    private protected override string Write() => $"(-({Operand}))";
}

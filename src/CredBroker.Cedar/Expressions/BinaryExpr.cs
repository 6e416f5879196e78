namespace CredBroker.Cedar.Expressions;

/// <summary>The operators and methods with two operands that evaluate both.</summary>
public enum BinaryOperator
{
    /// <summary><c>==</c></summary>
    Equal,

    /// <summary><c>!=</c></summary>
    NotEqual,

    /// <summary><c>&lt;</c></summary>
    Less,

    /// <summary><c>&lt;=</c></summary>
    LessOrEqual,

    /// <summary><c>&gt;</c></summary>
    Greater,

    /// <summary><c>&gt;=</c></summary>
    GreaterOrEqual,

    /// <summary><c>in</c></summary>
    In,

    /// <summary><c>+</c></summary>
    Add,

    /// <summary><c>-</c></summary>
    Subtract,

    /// <summary><c>*</c></summary>
    Multiply,

    /// <summary><c>.contains(…)</c></summary>
    Contains,

    /// <summary><c>.containsAll(…)</c></summary>
    ContainsAll,

    /// <summary><c>.containsAny(…)</c></summary>
    ContainsAny,

    /// <summary><c>.hasTag(…)</c></summary>
    HasTag,

    /// <summary><c>.getTag(…)</c></summary>
    GetTag,
}

/// <summary>An operator between two operands, or a built-in method with one argument.</summary>
public sealed class BinaryExpr : Expr
{
    internal BinaryExpr(SourceLocation location, BinaryOperator op, Expr left, Expr right) : base(location, left, right) =>
        (Operator, Left, Right) = (op, left, right);

    /// <summary>What is done.</summary>
    public BinaryOperator Operator { get; }

    /// <summary>The left operand, or what the method is called on.</summary>
    public Expr Left { get; }

    /// <summary>The right operand, or the argument.</summary>
    public Expr Right { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [Left, Right];

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        if (Left.Evaluate(evaluation) is not { } left || Right.Evaluate(evaluation) is not { } right)
            return null;
        // Only what looks at whole values can cost more than a step.
        if (!evaluation.Pay(Location, CostOf(left, right)))
            return null;
        return Operator switch
        {
            BinaryOperator.Equal => CedarBool.Of(left.Equals(right)),
            BinaryOperator.NotEqual => CedarBool.Of(!left.Equals(right)),
            BinaryOperator.Less => Compare(evaluation, left, right) is { } order ? CedarBool.Of(order < 0) : null,
            BinaryOperator.LessOrEqual => Compare(evaluation, left, right) is { } order ? CedarBool.Of(order <= 0) : null,
            BinaryOperator.Greater => Compare(evaluation, left, right) is { } order ? CedarBool.Of(order > 0) : null,
            BinaryOperator.GreaterOrEqual => Compare(evaluation, left, right) is { } order ? CedarBool.Of(order >= 0) : null,
            BinaryOperator.In => In(evaluation, left, right),
            BinaryOperator.Add or BinaryOperator.Subtract or BinaryOperator.Multiply => Calculate(evaluation, left, right),
            BinaryOperator.Contains => left is CedarSet set ? CedarBool.Of(set.Contains(right)) : evaluation.WrongType(Left, "Set", left),
            BinaryOperator.ContainsAll or BinaryOperator.ContainsAny => CompareSets(evaluation, left, right),
            _ => Tag(evaluation, left, right),
        };
    }

    private long CostOf(CedarValue left, CedarValue right) => Operator switch
    {
        BinaryOperator.Equal or BinaryOperator.NotEqual => Math.Min(left.Weight, right.Weight),
        BinaryOperator.In or BinaryOperator.Contains or BinaryOperator.ContainsAll => right.Weight,
        BinaryOperator.ContainsAny => Math.Min(left.Weight, right.Weight),
        _ => 0,
    };

    private int? Compare(Evaluation evaluation, CedarValue left, CedarValue right)
    {
        switch (left, right)
        {
            case (CedarLong l, CedarLong r):
                return l.Value.CompareTo(r.Value);
            case (CedarDatetime l, CedarDatetime r):
                return l.Milliseconds.CompareTo(r.Milliseconds);
            case (CedarDuration l, CedarDuration r):
                return l.Milliseconds.CompareTo(r.Milliseconds);
            case (CedarLong or CedarDatetime or CedarDuration, _):
                evaluation.WrongType(Right, left.TypeName, right);
                return null;
            default:
                evaluation.WrongType(Left, "Long, datetime or duration", left);
                return null;
        }
    }

    private CedarBool? In(Evaluation evaluation, CedarValue left, CedarValue right)
    {
        if (left is not EntityUid uid)
            return evaluation.WrongType(Left, "an entity", left);
        if (right is EntityUid ancestor)
            return CedarBool.Of(evaluation.Entities.IsIn(uid, ancestor));
        if (right is not CedarSet set)
            return evaluation.WrongType(Right, "an entity or a Set of entities", right);
        // All elements are looked at first: one that is no entity is an error wherever it stands.
        foreach (var element in set.Elements)
        {
            if (element is not EntityUid)
                return evaluation.WrongType(Right, "a Set of entities", element);
        }
        foreach (var element in set.Elements)
        {
            if (evaluation.Entities.IsIn(uid, (EntityUid)element))
                return CedarBool.True;
        }
        return CedarBool.False;
    }

    private CedarLong? Calculate(Evaluation evaluation, CedarValue left, CedarValue right)
    {
        if (left is not CedarLong l)
            return evaluation.WrongType<CedarLong>(Left, "Long", left);
        if (right is not CedarLong r)
            return evaluation.WrongType<CedarLong>(Right, "Long", right);
        var exact = Operator switch
        {
            BinaryOperator.Add => (Int128)l.Value + r.Value,
            BinaryOperator.Subtract => (Int128)l.Value - r.Value,
            _ => (Int128)l.Value * r.Value,
        };
        return exact >= long.MinValue && exact <= long.MaxValue
            ? CedarLong.Of((long)exact)
            : evaluation.Fail<CedarLong>(this, $"{l.Value} {Symbol} {r.Value} overflows");
    }

    private CedarBool? CompareSets(Evaluation evaluation, CedarValue left, CedarValue right)
    {
        if (left is not CedarSet l)
            return evaluation.WrongType(Left, "Set", left);
        if (right is not CedarSet r)
            return evaluation.WrongType(Right, "Set", right);
        return CedarBool.Of(Operator == BinaryOperator.ContainsAll ? l.ContainsAll(r) : l.ContainsAny(r));
    }

    private CedarValue? Tag(Evaluation evaluation, CedarValue left, CedarValue right)
    {
        if (left is not EntityUid uid)
            return evaluation.WrongType(Left, "an entity", left);
        if (right is not CedarString tag)
            return evaluation.WrongType(Right, "String", right);
        CedarValue? value = null;
        var found = evaluation.Entities.TryGet(uid, out var entity) && entity.Tags.TryGet(tag.Value, out value);
        if (Operator == BinaryOperator.HasTag)
            return CedarBool.Of(found);
        return value ?? evaluation.Fail(this, entity is null ? $"the entity {uid} does not exist" : $"{uid} has no tag {tag}");
    }

    private string Symbol => BinaryOperators.NameOf(Operator);

    private protected override string Write() =>
        Operator >= BinaryOperator.Contains ? $"{Left}.{Symbol}({Right})" : $"({Left} {Symbol} {Right})";
}

using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Expressions;

/// <summary><c>x.name</c> or <c>x["name"]</c></summary>
public sealed class GetAttributeExpr : Expr
{
    internal GetAttributeExpr(SourceLocation location, Expr target, string name) : base(location, target) => (Target, Name) = (target, name);

    /// <summary>The record or entity.</summary>
    public Expr Target { get; }

    /// <summary>The attribute's name.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [Target];

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        var target = Target.Evaluate(evaluation);
        return target is null ? null : Read(evaluation, target);
    }

    private CedarValue? Read(Evaluation evaluation, CedarValue target)
    {
        CedarValue? value = null;
        switch (target)
        {
            case CedarRecord record when record.TryGet(Name, out value):
            case EntityUid uid when evaluation.Entities.TryGet(uid, out var entity) && entity.Attributes.TryGet(Name, out value):
                return value;
            case CedarRecord:
                return evaluation.Fail(this, $"the record has no attribute {Quoting.Quote(Name)}");
            case EntityUid uid:
                return evaluation.Fail(this, evaluation.Entities.TryGet(uid, out _)
                    ? $"{uid} has no attribute {Quoting.Quote(Name)}" : $"the entity {uid} does not exist");
            default:
                return evaluation.WrongType(Target, "an entity or Record", target);
        }
    }

    internal static string Write(string target, string name) =>
        Names.IsIdentifier(name) && !Names.IsReserved(name) ? $"{target}.{name}" : $"{target}[{Quoting.Quote(name)}]";

    private protected override string Write() => Write(Target.ToString(), Name);
}

/// <summary><c>x has a</c>, <c>x has "a"</c> or <c>x has a.b.c</c></summary>
public sealed class HasExpr : Expr
{
    internal HasExpr(SourceLocation location, Expr target, ImmutableArray<string> path) : base(location, target)
    {
        (Target, Path) = (target, path);
        // As deep as what it stands for.
        Depth += path.Length - 1;
    }

    /// <summary>The record or entity.</summary>
    public Expr Target { get; }

    /// <summary>The names, at least one: <c>x has a.b</c> means <c>x has a &amp;&amp; x.a has b</c>.</summary>
    public ImmutableArray<string> Path { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [Target];

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        var current = Target.Evaluate(evaluation);
        foreach (var name in Path)
        {
            CedarValue? next = null;
            switch (current)
            {
                case null:
                    return null;
                case CedarRecord record:
                    record.TryGet(name, out next);
                    break;
                case EntityUid uid:
                    if (evaluation.Entities.TryGet(uid, out var entity))
                        entity.Attributes.TryGet(name, out next);
                    break;
                default:
                    return evaluation.WrongType(Target, "an entity or Record", current);
            }
            if (next is null)
                return CedarBool.False;
            current = next;
        }
        return CedarBool.True;
    }

    /// <summary>The questions that a path stands for, to be joined by <c>&amp;&amp;</c>.</summary>
    internal ImmutableArray<Expr> Expand()
    {
        var steps = ImmutableArray.CreateBuilder<Expr>(Path.Length);
        var target = Target;
        foreach (var name in Path)
        {
            steps.Add(new HasExpr(Location, target, [name]));
            target = new GetAttributeExpr(Location, target, name);
        }
        return steps.DrainToImmutable();
    }

    private protected override string Write() =>
        $"({Target} has {(Path.Length == 1 ? Names.WriteKey(Path[0]) : string.Join('.', Path))})";
}

/// <summary><c>x like "a*b"</c></summary>
public sealed class LikeExpr : Expr
{
    internal LikeExpr(SourceLocation location, Expr target, Pattern pattern) : base(location, target) => (Target, Pattern) = (target, pattern);

    /// <summary>The String.</summary>
    public Expr Target { get; }

    /// <summary>What it must look like.</summary>
    public Pattern Pattern { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => [Target];

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        var value = Target.Evaluate(evaluation);
        return value switch
        {
            null => null,
            CedarString text => evaluation.Pay(Location, Pattern.CostOf(text.Value)) ? CedarBool.Of(Pattern.Matches(text.Value)) : null,
            _ => evaluation.WrongType(Target, "String", value),
        };
    }

    private protected override string Write() => $"({Target} like {Pattern})";
}

/// <summary><c>x is T</c> or <c>x is T in y</c></summary>
public sealed class IsExpr : Expr
{
    internal IsExpr(SourceLocation location, Expr target, string entityType, SourceLocation typeLocation, Expr? ancestor)
        : base(location, ancestor is null ? [target] : [target, ancestor])
    {
        (Target, EntityType, TypeLocation) = (target, entityType, typeLocation);
        In = ancestor is null ? null : new BinaryExpr(location, BinaryOperator.In, target, ancestor);
    }

    /// <summary>The entity.</summary>
    public Expr Target { get; }

    /// <summary>The type's whole name.</summary>
    public string EntityType { get; }

    /// <summary>Where the type's name stands.</summary>
    public SourceLocation TypeLocation { get; }

    /// <summary>The <c>target in ancestor</c> that must hold as well, if there is one.</summary>
    public BinaryExpr? In { get; }

    /// <inheritdoc/>
    public override IEnumerable<Expr> Parts => In is null ? [Target] : [Target, In.Right];

    internal override CedarValue? Evaluate(Evaluation evaluation)
    {
        var value = Target.Evaluate(evaluation);
        if (value is null)
            return null;
        if (value is not EntityUid uid)
            return evaluation.WrongType(Target, "an entity", value);
        if (!string.Equals(uid.Type, EntityType, StringComparison.Ordinal))
            return CedarBool.False;
        return In is null ? CedarBool.True : In.Evaluate(evaluation);
    }

    private protected override string Write() => In is null ? $"({Target} is {EntityType})" : $"({Target} is {EntityType} in {In.Right})";
}

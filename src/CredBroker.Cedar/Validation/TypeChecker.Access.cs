using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Schemas;
using CredBroker.Cedar.Text;
using Known = System.Collections.Immutable.ImmutableHashSet<CredBroker.Cedar.Validation.Capability>;

namespace CredBroker.Cedar.Validation;

/// <content>Attributes and tags: what exists, and what must be guarded.</content>
internal sealed partial class TypeChecker
{
    private Finding CheckGetAttribute(GetAttributeExpr expr, Known known)
    {
        if (Check(expr.Target, known).Type is not { } target || ExpectHolder(expr.Target, target) is not { } attributes)
            return Finding.Failed;
        if (!attributes.Attributes.TryGetValue(expr.Name, out var attribute))
            return Report(ValidationIssueKind.Attribute, expr, $"{target} has no attribute {Quoting.Quote(expr.Name)}");
        if (attribute.IsRequired || known.Contains(Capability.Attribute(expr.Target.ToString(), expr.Name)))
            return attribute.Type;
        return Report(ValidationIssueKind.Attribute, expr,
            $"the attribute {Quoting.Quote(expr.Name)} may be absent; ask '{expr.Target} has {Names.WriteKey(expr.Name)}' first");
    }

    // x has a.b stands for x has a && x.a has b, and is typed as that.
    private Finding CheckHas(HasExpr expr, Known known)
    {
        if (Check(expr.Target, known).Type is not { } type)
            return Finding.Failed;
        var text = expr.Target.ToString();
        Finding all = CedarType.True;
        foreach (var name in expr.Path)
        {
            if (ExpectHolder(expr.Target, type) is not { } attributes)
                return Finding.Failed;
            if (!attributes.Attributes.TryGetValue(name, out var attribute))
                return CedarType.False;
            var capability = Capability.Attribute(text, name);
            // A record certainly is what its type says; an entity may be absent, and then has nothing.
            var isCertain = known.Contains(capability) || (attribute.IsRequired && type is CedarType.Record);
            all = new Finding(all.IsTrue && isCertain ? CedarType.True : CedarType.AnyBool, all.Gained.Add(capability));
            (type, text) = (attribute.Type, GetAttributeExpr.Write(text, name));
        }
        return all;
    }

    private Finding CheckHasTag(BinaryExpr expr, Known known)
    {
        var entity = ExpectEntity(expr.Left, known);
        if (Expect(expr.Right, CedarType.Text, known) is null || entity is null)
            return Finding.Failed;
        var capability = Capability.Tag(expr.Left, expr.Right);
        var type = schema.FindEntityType(entity.Name)?.Tags is null ? CedarType.False
            : known.Contains(capability) ? CedarType.True : CedarType.AnyBool;
        return new Finding(type, [capability]);
    }

    private Finding CheckGetTag(BinaryExpr expr, Known known)
    {
        var entity = ExpectEntity(expr.Left, known);
        if (Expect(expr.Right, CedarType.Text, known) is null || entity is null)
            return Finding.Failed;
        if (schema.FindEntityType(entity.Name)?.Tags is not { } type)
            return Report(ValidationIssueKind.Attribute, expr, $"{entity.Name} has no tags");
        return known.Contains(Capability.Tag(expr.Left, expr.Right))
            ? type
            : Report(ValidationIssueKind.Attribute, expr, $"the tag may be absent; ask '{expr.Left}.hasTag({expr.Right})' first");
    }

    /// <summary>The attributes of a record or an entity; actions and enumerated entities have none.</summary>
    private CedarType.Record? ExpectHolder(Expr at, CedarType type)
    {
        if (type is CedarType.Record record)
            return record;
        if (type is CedarType.Entity entity)
            return schema.FindEntityType(entity.Name)?.Attributes ?? CedarType.Record.Empty;
        Mismatch(at, "an entity or record", type);
        return null;
    }
}

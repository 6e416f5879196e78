using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Schemas;

namespace CredBroker.Cedar.Validation;

/// <summary>An attribute or tag that is known to be there, because <c>has</c> or <c>hasTag</c> was true before. Expressions count as equal by their text.</summary>
internal readonly record struct Capability(string Target, string Name, bool IsTag)
{
    public static Capability Attribute(string target, string name) => new(target, name, IsTag: false);

    public static Capability Tag(Expr target, Expr name) => new(target.ToString(), name.ToString(), IsTag: true);
}

internal static class Capabilities
{
    public static readonly ImmutableHashSet<Capability> None = [];
}

/// <summary>
/// What checking an expression found: its type (null after an error), and what is known to be there once the expression turned out true.
/// </summary>
internal readonly record struct Finding(CedarType? Type, ImmutableHashSet<Capability> Gained)
{
    public static readonly Finding Failed = new(null, Capabilities.None);

    public bool IsFailed => Type is null;

    public bool IsTrue => Type is CedarType.Bool { Known: true };

    public bool IsFalse => Type is CedarType.Bool { Known: false };

    public static implicit operator Finding(CedarType? type) => new(type, Capabilities.None);
}

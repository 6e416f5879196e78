namespace CredBroker.Cedar;

/// <summary>What kind of thing is wrong with a policy under a schema.</summary>
public enum ValidationIssueKind
{
    /// <summary>An entity type that the schema does not have.</summary>
    UnknownEntityType,

    /// <summary>An action that the schema does not have.</summary>
    UnknownAction,

    /// <summary>An id that an enumerated entity type does not list.</summary>
    UnknownEnumId,

    /// <summary>An attribute or tag that does not exist, or may be absent and is not guarded by <c>has</c>.</summary>
    Attribute,

    /// <summary>Values of the wrong type, or an extension constructor without a literal.</summary>
    Type,

    /// <summary>No action that the scope admits applies to a principal and a resource that it admits.</summary>
    ScopeFitsNothing,

    /// <summary>The conditions are false for every request that the schema allows and the scope admits.</summary>
    Impossible,
}

/// <summary>One thing that is wrong with a policy under a schema.</summary>
/// <param name="Kind">What kind of thing.</param>
/// <param name="Policy">The policy.</param>
/// <param name="Location">Where in it.</param>
/// <param name="Message">What is wrong, for a person.</param>
public sealed record ValidationIssue(ValidationIssueKind Kind, Policy Policy, SourceLocation Location, string Message)
{
    /// <summary>Whether the official implementation only warns of it: a policy that can never apply does no harm in itself, but is hardly meant.</summary>
    public bool IsWarning => Kind == ValidationIssueKind.Impossible;

    /// <summary><c>file:line:column: message</c>.</summary>
    public override string ToString() => $"{Location}: {Message}";
}

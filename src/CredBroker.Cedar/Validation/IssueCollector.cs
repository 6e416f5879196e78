using System.Collections.Immutable;

namespace CredBroker.Cedar.Validation;

/// <summary>Collects what is wrong with one policy; the same thing found for several kinds of request counts once.</summary>
internal sealed class IssueCollector(Policy policy)
{
    private readonly HashSet<ValidationIssue> _issues = [];

    /// <summary>Whether the policy names what doesn't exist: then that it can't apply is no news.</summary>
    public bool HasUnknowns => _issues.Any(i => i.Kind <= ValidationIssueKind.UnknownEnumId);

    public void Add(ValidationIssueKind kind, SourceLocation location, string message) =>
        _issues.Add(new ValidationIssue(kind, policy, location, message));

    public ImmutableArray<ValidationIssue> ToSorted() => [.. _issues.OrderBy(i => i.Location.Line).ThenBy(i => i.Location.Column)];
}

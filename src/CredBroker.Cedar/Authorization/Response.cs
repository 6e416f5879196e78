using System.Collections.Immutable;

namespace CredBroker.Cedar;

/// <summary>Yes or no.</summary>
public enum Decision
{
    /// <summary>No.</summary>
    Deny,

    /// <summary>Yes.</summary>
    Allow,
}

/// <summary>A policy that could not be evaluated, and so had no say.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Location">Where in it evaluation failed.</param>
/// <param name="Message">Why; may quote values of the request and the entities.</param>
public sealed record PolicyError(Policy Policy, SourceLocation Location, string Message);

/// <summary>The answer to a <see cref="Request"/>.</summary>
/// <param name="Decision">Allow if a permit applies and no forbid does; else deny.</param>
/// <param name="Determining">The policies that made it so: the permits of an allow, the forbids of a deny, none when nothing applies.</param>
/// <param name="Errors">
/// The policies that failed. Cedar skips them, so a forbid that fails does not forbid: a caller that must fail safe denies when there are any.
/// </param>
public sealed record Response(Decision Decision, ImmutableArray<Policy> Determining, ImmutableArray<PolicyError> Errors)
{
    /// <summary>Whether the decision is allow and no policy failed.</summary>
    public bool IsCleanAllow => Decision == Decision.Allow && Errors.IsEmpty;
}

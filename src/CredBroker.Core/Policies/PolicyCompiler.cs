using CredBroker.Cedar;
using CredBroker.Core.Registry;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Policies;

/// <summary>Compiles the registered policy sets. They were checked when they were registered; one that no longer parses denies everything it could have permitted.</summary>
public sealed partial class PolicyCompiler(ILogger<PolicyCompiler> logger)
{
    /// <summary>Compiles all sets.</summary>
    public PolicyBook Compile(IReadOnlyList<Registered<PolicySetSpec>> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        return new PolicyBook(sets.Select(Compile));
    }

    private CompiledPolicySet Compile(Registered<PolicySetSpec> set)
    {
        var definition = set.Spec.ToDefinition(set.Name);
        var parsed = PolicySet.Parse(set.Spec.Text, set.Name);
        if (parsed.IsValid) return new CompiledPolicySet(definition, parsed.Value);
        LogBroken(logger, set.Name, parsed.Errors[0].ToString());
        // Its forbids are lost with it: so nothing within its scope is permitted until it is mended.
        return new CompiledPolicySet(definition, PolicySet.Parse("@id(\"unreadable\") forbid (principal, action, resource);", set.Name).OrThrow()) { IsUnreadable = true };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The policy set {Set} cannot be read, and forbids everything in its scope: {Error}")]
    private static partial void LogBroken(ILogger logger, string set, string error);
}

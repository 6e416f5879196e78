using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Arm;

namespace CredBroker.Providers.Azure;

/// <summary>A role that is assigned at a scope.</summary>
public sealed record AssignmentTemplate
{
    /// <summary>The subscription, resource group or resource: within one that the provider's configuration names.</summary>
    public required string Scope { get; init; }

    /// <summary>The id of the role definition, a GUID such as <c>2a2b9908-6ea1-4ae2-8e65-a410df84e7d1</c> (Storage Blob Data Reader).</summary>
    public required string Role { get; init; }
}

/// <summary>What templates of several role kinds have in common.</summary>
internal static class Templates
{
    /// <summary>How long after its removal a role assignment may still count, as Azure documents it.</summary>
    public static readonly TimeSpan DefaultSettle = TimeSpan.FromMinutes(10);

    private const int MostAssignments = 5;

    // What these roles assign to others outlives whoever had them.
    private static readonly Dictionary<string, string> Assigning = new(StringComparer.OrdinalIgnoreCase)
    {
        ["8e3af657-a8ff-443c-a75c-2fe8c4bcb635"] = "Owner",
        ["18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"] = "User Access Administrator",
        ["f58310d9-a9f6-439a-9e8d-f62e7b41a168"] = "Role Based Access Control Administrator",
    };

    private const string Contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c";

    /// <summary>Whether a role can make credentials: a contributor reads the keys of storage accounts and gives identities to machines.</summary>
    public static bool CanMint(IEnumerable<AssignmentTemplate> assignments) => assignments.Any(assignment => assignment.Role.Equals(Contributor, StringComparison.OrdinalIgnoreCase));

    public static string DestinationOf(IReadOnlyList<AssignmentTemplate> assignments) => assignments.Count == 1 ? assignments[0].Scope : "";

    public static IEnumerable<ValidationError> Check(IReadOnlyList<AssignmentTemplate> assignments, bool mayHavePlaceholders)
    {
        if (assignments.Count is 0 or > MostAssignments) yield return new("assignments", $"Assign 1 to {MostAssignments} roles.");
        for (var i = 0; i < assignments.Count; i++)
        {
            foreach (var error in Check(assignments[i], mayHavePlaceholders)) yield return error with { Path = $"assignments[{i}].{error.Path}" };
            if (assignments.Take(i).Contains(assignments[i])) yield return new($"assignments[{i}]", "This assignment appears twice.");
        }
    }

    public static IEnumerable<ValidationError> Check(AssignmentTemplate assignment, bool mayHavePlaceholders)
    {
        if (ArmScope.WhyNot(mayHavePlaceholders ? WithoutPlaceholders(assignment.Scope) : assignment.Scope) is { } reason) yield return new("scope", reason);
        if (!Names.IsGuid(assignment.Role)) yield return new("role", "This is the id of a role definition, a GUID.");
        else if (Assigning.TryGetValue(assignment.Role, out var name)) yield return new("role", $"{name} assigns roles, and what it assigns outlives the lease: it is never given.");
    }

    public static IEnumerable<ValidationError> CheckSettle(TimeSpan settle)
    {
        if (settle < DefaultSettle || settle > TimeSpan.FromHours(2)) yield return new("settle", "Azure takes up to 10 minutes to notice that an assignment is gone: say 10m to 2h.");
    }

    /// <summary>Refuses what could be checked only now: placeholders are filled in, and the configuration is known.</summary>
    /// <exception cref="ProviderException">It cannot be issued from.</exception>
    public static void Require(IEnumerable<ValidationError> errors, AzureConfiguration configuration, IEnumerable<AssignmentTemplate> assignments)
    {
        if (errors.FirstOrDefault() is { } error) throw Refuse($"{error.Path}: {error.Message}");
        if (assignments.FirstOrDefault(assignment => !configuration.Scopes.Any(scope => ArmScope.Covers(scope, assignment.Scope))) is { } stranger)
            throw Refuse($"The provider's configuration has no scope that covers {stranger.Scope}.");
    }

    public static ProviderException Refuse(string words) => new(ProviderFault.Misconfigured, words, ProviderEffect.None);

    /// <summary>A placeholder stands for one letter: enough to check what is around it.</summary>
    public static string WithoutPlaceholders(string text)
    {
        for (var from = text.IndexOf("{{", StringComparison.Ordinal); from >= 0; from = text.IndexOf("{{", StringComparison.Ordinal))
        {
            var to = text.IndexOf("}}", from, StringComparison.Ordinal);
            if (to < 0) return text;
            text = $"{text[..from]}x{text[(to + 2)..]}";
        }

        return text;
    }
}

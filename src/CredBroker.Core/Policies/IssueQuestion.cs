using CredBroker.Abstractions;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Policies;

/// <summary>What may be issued or renewed, exactly as it would be granted.</summary>
public sealed record IssueQuestion
{
    /// <summary><c>issue</c> or <c>renew</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Who asks.</summary>
    public required Caller Caller { get; init; }

    /// <summary>For which task.</summary>
    public required AgentTask Task { get; init; }

    /// <summary>The tasks above it, each with the workload that performs it.</summary>
    public required IReadOnlyList<(AgentTask Task, Workload Performer)> Ancestors { get; init; }

    /// <summary>The provider.</summary>
    public required Registered<ProviderSpec> Provider { get; init; }

    /// <summary>The role.</summary>
    public required Registered<RoleSpec> Role { get; init; }

    /// <summary>The canonical parameters.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>Whether there is such a role. One that is absent is asked about like any other, and always denied.</summary>
    public bool Exists { get; init; } = true;

    /// <summary>The parameters that do not fit the role, by name: then it is asked whether policy could permit any.</summary>
    public IReadOnlyList<string> Unfit { get; init; } = [];

    /// <summary>Where the credential can be used.</summary>
    public required string Destination { get; init; }

    /// <summary>Where the caller says that it will use it; empty when it says nothing.</summary>
    public string DeclaredDestination { get; init; } = "";

    /// <summary>What revoking it means.</summary>
    public required Revocability Revocability { get; init; }

    /// <summary>Whether it can make other credentials.</summary>
    public required bool CanMint { get; init; }

    /// <summary>The life that would be granted.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>The life that the caller wishes for; null when it names none.</summary>
    public TimeSpan? RequestedTtl { get; init; }

    /// <summary>The parent task's deadline.</summary>
    public DateTimeOffset? ParentDeadline { get; init; }

    /// <summary>Leases that are not proven dead.</summary>
    public LeaseCounts Counters { get; init; }
}

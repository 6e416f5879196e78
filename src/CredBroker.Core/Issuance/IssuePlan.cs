using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Issuance;

/// <summary>A credential as a caller asks for it.</summary>
public sealed record IssueCommand
{
    /// <summary>Who asks.</summary>
    public required Caller Caller { get; init; }

    /// <summary>For which task.</summary>
    public required Uid Task { get; init; }

    /// <summary>The provider's name.</summary>
    public required string Provider { get; init; }

    /// <summary>The role's name there.</summary>
    public required string Role { get; init; }

    /// <summary>The parameters, as given.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>Where the caller says that it will use it; empty when it says nothing. Policy sees it as declared, never as proven.</summary>
    public string DeclaredDestination { get; init; } = "";

    /// <summary>The life that is wished for; null for the longest that is allowed.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>The caller's request id; empty for none.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>The attempt's number, from 0.</summary>
    public int Attempt { get; init; }
}

/// <summary>A lease with its credential: answered once.</summary>
public sealed record IssuedLease(LeaseView Lease, IReadOnlyDictionary<string, CredentialField> Credential);

/// <summary>What came of planning.</summary>
internal abstract record Planned
{
    private Planned()
    {
    }

    /// <summary>It can be issued.</summary>
    public sealed record Ready(IssuePlan Plan) : Planned;

    /// <summary>Policy does not permit it, or there is no such role.</summary>
    public sealed record Denied(Decision Decision, Uid Task) : Planned;

    /// <summary>It cannot be asked for, or is hindered.</summary>
    public sealed record Refused(BrokerError Error) : Planned;
}

/// <summary>What policy said of a renewal, and under which generations.</summary>
internal sealed record RenewalDecision(Decision Decision, GenerationCheck Generations);

/// <summary>What is going to be issued, as it was decided.</summary>
internal sealed record IssuePlan
{
    public required IssueCommand Command { get; init; }

    public required AgentTask Task { get; init; }

    public required Registered<ProviderSpec> Provider { get; init; }

    public required Registered<RoleSpec> Role { get; init; }

    public required IProviderType Type { get; init; }

    public required JsonElement Template { get; init; }

    public required SortedDictionary<string, string> Parameters { get; init; }

    public required Revocability Revocability { get; init; }

    public required bool CanMint { get; init; }

    /// <summary>The document that the credential shares with others.</summary>
    public required ExclusiveGroup? Group { get; init; }

    public required TimeSpan Ttl { get; init; }

    public required TimeSpan LongestTtl { get; init; }

    public required Decision Decision { get; init; }

    /// <summary>What policy was asked with.</summary>
    public required LeaseAsked Asked { get; init; }

    /// <summary>What the decision was made under, as it was before it was made.</summary>
    public required GenerationCheck Generations { get; init; }

    /// <summary>The same of suspensions.</summary>
    public required LeaseGates Gates { get; init; }
}

using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;

namespace CredBroker.Core.Policies;

/// <summary>What policy said, on which input, by which policies, with which obligations.</summary>
public sealed record Decision
{
    /// <summary>The text of a decision's event that holds what was asked: see <see cref="RecordedLine"/>.</summary>
    public const string QuestionText = "question";

    /// <summary>The decision's id.</summary>
    public required Uid Id { get; init; }

    /// <summary>Whether it permits.</summary>
    public required bool Allowed { get; init; }

    /// <summary>The action asked about.</summary>
    public required string Action { get; init; }

    /// <summary>Who asked, as a Cedar entity.</summary>
    public required string Principal { get; init; }

    /// <summary>On what, as a Cedar entity.</summary>
    public required string Resource { get; init; }

    /// <summary>The determining policies, as <c>set/policy</c>.</summary>
    public required IReadOnlyList<string> Policies { get; init; }

    /// <summary>Policies that failed, any of which denies, and what else made it impossible.</summary>
    public required IReadOnlyList<string> Errors { get; init; }

    /// <summary>SHA-256 over the policy sets in force, hexadecimal.</summary>
    public required string PolicyHash { get; init; }

    /// <summary>SHA-256 over principal, action, resource, context and entities, hexadecimal.</summary>
    public required string InputHash { get; init; }

    /// <summary>The input without free text, as the audit trail keeps it.</summary>
    public required JsonObject Input { get; init; }

    /// <summary>The longest life that the determining permits allow; null when none of them says.</summary>
    public TimeSpan? MaxTtl { get; init; }

    /// <summary>Whether it denies only because no person has approved it.</summary>
    public bool ApprovalRequired { get; init; }

    /// <summary>What was asked, for the caller and for each task above: so that it can be asked again.</summary>
    public IReadOnlyList<Question> Line { get; init; } = [];

    /// <summary>Whether it was asked if policy could permit it for any parameters.</summary>
    public bool AnyParameters { get; init; }

    /// <summary>Whether it is about a role that is not there.</summary>
    public bool OfNothing { get; init; }

    /// <summary>The event that records it. What was asked is beside it as a text, which is erased with the task's: without a task, nobody's own words are in it.</summary>
    public AuditDraft ToAudit(Actor by, Uid? task, Uid? lease = null, string resource = "")
    {
        var recorded = RecordedLine.Write(new RecordedLine(Line, AnyParameters, OfNothing, WithoutWords: task is null));
        var detail = new JsonObject
        {
            ["allowed"] = Allowed,
            ["action"] = Action,
            ["principal"] = Principal,
            ["resource"] = Resource,
            ["policies"] = new JsonArray([.. Policies.Select(policy => JsonValue.Create(policy))]),
            ["errors"] = new JsonArray([.. Errors.Select(error => JsonValue.Create(error))]),
            ["policy_hash"] = PolicyHash,
            ["input_hash"] = InputHash,
            ["max_ttl"] = MaxTtl is { } ttl ? DurationConverter.Format(ttl) : null,
            ["input"] = Input.DeepClone(),
        };
        if (ApprovalRequired) detail["approval_required"] = true;
        return new AuditDraft(AuditTypes.Decision, by)
        {
            TaskId = task,
            LeaseId = lease,
            DecisionId = Id,
            Resource = resource,
            Detail = detail,
            Texts = recorded is null ? ImmutableDictionary<string, string>.Empty : new Dictionary<string, string> { [QuestionText] = recorded },
        };
    }

    /// <summary>
    /// The refusal of what it denied: the same for what is forbidden and what is not there. Which policies decided is for those who may read the decision.
    /// </summary>
    public BrokerError ToError() => ApprovalRequired
        ? new(Reasons.ApprovalRequired, $"Policy permits this only with a person's approval, which this broker cannot take yet. Whoever may audit can read which policy asks for it in decisions/{Id}.")
        {
            Metadata = new Dictionary<string, string> { ["decision"] = $"decisions/{Id}" },
        }
        : new(Reasons.PolicyDenied, $"Policy does not permit this, or what it names is not there. Whoever may audit can read which, and why, in decisions/{Id}.")
        {
            Metadata = new Dictionary<string, string> { ["decision"] = $"decisions/{Id}" },
        };
}

using System.Text.Json;

namespace CredBroker.Abstractions;

/// <summary>Everything that a provider needs to make one credential. Plain data only.</summary>
public sealed record IssueRequest
{
    /// <summary>The lease, known and stored before this call.</summary>
    public required Uid LeaseId { get; init; }

    /// <summary>The task that the credential is made for.</summary>
    public required Uid TaskId { get; init; }

    /// <summary>The name that what is made must carry at the target: unique for ever, and enough to find and revoke it without a handle.</summary>
    public required string ExternalName { get; init; }

    /// <summary>Our mark, authenticated by a MAC: for a comment, a tag or a label at the target.</summary>
    public required string Mark { get; init; }

    /// <summary>The role kind's name.</summary>
    public required string RoleKind { get; init; }

    /// <summary>The role's template, with the canonical parameters filled in.</summary>
    public required JsonElement Template { get; init; }

    /// <summary>Who the credential is for, as <c>source/subject</c>: for token claims, never for comments that others can read.</summary>
    public required string Workload { get; init; }

    /// <summary>What the target must say that it is, where that is known: nothing is made at another, where nobody would look for it afterwards.</summary>
    public string? TargetIdentity { get; init; }

    /// <summary>No call that makes something may start, or be let through by the target, after this instant.</summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>When the credential must be dead by the target's own doing. The target may end it earlier, not later.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A credential that was made.</summary>
public sealed record IssuedCredential
{
    /// <summary>The named parts, such as <c>username</c> and <c>password</c>. They are answered once and never stored.</summary>
    public required IReadOnlyDictionary<string, CredentialField> Fields { get; init; }

    /// <summary>What revoking needs; null where the external name alone is enough.</summary>
    public Handle? Handle { get; init; }

    /// <summary>When the target itself ends the credential.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>One part of a credential.</summary>
/// <param name="Value">The value.</param>
/// <param name="MediaType">What it is, such as <c>text/plain</c> or <c>application/jwt</c>.</param>
public sealed record CredentialField(Secret Value, string MediaType = "text/plain");

/// <summary>Makes a handle durable half-way, for targets that need more than one step.</summary>
public interface IIssueJournal
{
    /// <summary>
    /// Stores the handle, whatever the lease's state is by now. False means stop: the lease is no longer wanted, and what was
    /// made so far will be revoked by this handle.
    /// </summary>
    Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken);
}

using CredBroker.Abstractions;
using CredBroker.Core.Audit;

namespace CredBroker.Core.Quarantine;

/// <summary>Why a provider is in quarantine.</summary>
public enum QuarantineReason
{
    /// <summary>The database is older than what its witness, or this node, has seen committed: a backup was restored.</summary>
    Restored = 1,

    /// <summary>Its target has credentials under our valid mark that no lease knows.</summary>
    UnknownCredentials = 2,

    /// <summary>A person said so.</summary>
    ByHand = 3,
}

/// <summary>
/// Quarantine, by provider: of leases from before it began nothing is revoked on the word of stored time (expiry, deadline, lost heartbeats), and nothing new is issued.
/// Ends, revocations and suspensions go on. Leases of a local provider are dead in effect: nobody can know which of them had been revoked.
/// </summary>
public interface IQuarantineStore
{
    /// <summary>What is in quarantine now, with what its release would do.</summary>
    Task<IReadOnlyList<Quarantined>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Puts a provider into quarantine, from now on. False when it is already.</summary>
    Task<bool> StartAsync(Uid provider, QuarantineReason reason, Actor by, string words, CancellationToken cancellationToken);

    /// <summary>
    /// Releases one, if it still is the quarantine that began at <paramref name="since"/>; false if not. What a local provider issued before that ends for good by it.
    /// Things that no lease knows, and that were made before this instant, put it into no quarantine again.
    /// </summary>
    Task<bool> ReleaseAsync(Uid provider, DateTimeOffset since, Actor by, string words, CancellationToken cancellationToken);

    /// <summary>What this node committed last; null before its first commit.</summary>
    Task<CommitNote?> ReadLatestAsync(CancellationToken cancellationToken);

    /// <summary>What the database says to a note, by a reading alone: nearly always that it knows it.</summary>
    Task<NoteStanding> WeighAsync(CommitNote seen, CancellationToken cancellationToken);

    /// <summary>
    /// Whether the database lacks what was noted outside it, which is asked under the locks of all providers' gates. Then it is older than it was: it begins another epoch, and every provider goes into quarantine in the same
    /// transaction. A note from an epoch that is over says nothing.
    /// </summary>
    /// <param name="seen">What was noted.</param>
    /// <param name="who">Who noted it, for people.</param>
    /// <param name="cancellationToken">Gives up before it begins.</param>
    Task<bool> StartIfLackingAsync(CommitNote seen, string who, CancellationToken cancellationToken);
}

/// <summary>How a note from outside the database stands to it.</summary>
public enum NoteStanding
{
    /// <summary>The database has that, or the note is from an epoch that is over.</summary>
    Known = 1,

    /// <summary>It knows the writer, and has fewer commits of it.</summary>
    Lacking = 2,

    /// <summary>It knows the note's epoch or its writer not at all: it was restored, or another database's broker wrote that.</summary>
    Strange = 3,
}

/// <summary>What was seen committed, noted outside the database.</summary>
/// <param name="Epoch">The database's epoch.</param>
/// <param name="Writer">The incarnation of the writer of the node that noted it.</param>
/// <param name="Commits">How many commits of it there were.</param>
/// <param name="At">The store's time of the last of them.</param>
public sealed record CommitNote(Uid Epoch, Uid Writer, long Commits, DateTimeOffset At);

/// <summary>A provider in quarantine, and what its release would do now.</summary>
public sealed record Quarantined
{
    /// <summary>The provider.</summary>
    public required Uid Provider { get; init; }

    /// <summary>Its name.</summary>
    public required string ProviderName { get; init; }

    /// <summary>Since when: leases that were reserved until then are in it.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Why.</summary>
    public required QuarantineReason Reason { get; init; }

    /// <summary>Leases in it that are not proven dead.</summary>
    public required long Unproven { get; init; }

    /// <summary>Of these, those that are over by stored time: with the release they are revoked at the target, alive there or not.</summary>
    public required long Overdue { get; init; }

    /// <summary>Of these, those that live at no target but here: with the release they end.</summary>
    public required long Local { get; init; }
}

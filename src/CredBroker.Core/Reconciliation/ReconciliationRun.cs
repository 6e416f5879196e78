using System.Buffers.Binary;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Reconciliation;

/// <summary>
/// One run at one provider. It lists first and looks up each thing afterwards: a lease is written before its credential is made, so whatever is listed and is ours
/// has a row by then. Nothing is done before the listing is complete and the target has said twice that it is the right one; and each lease is changed only as the
/// version that was looked at.
/// </summary>
public sealed class ReconciliationRun(
    ProviderPool pool, IReconciliationStore store, ILeaseStore leases, LeaseMarks marks, AttemptVerdicts verdicts, InstallationOptions installation, BrokerLimits limits, TimeProvider time)
{
    private const int Batch = 500;

    // Below this a share means nothing: of three leases one is a third.
    private const int AlwaysCredible = 5;

    /// <summary>Runs. Whatever the provider throws becomes part of the report.</summary>
    public async Task<ReconciliationReport> RunAsync(Registered<ProviderSpec> provider, ReconciliationClaim claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentNullException.ThrowIfNull(claim);
        var found = new Found(time.Now(), claim);
        try
        {
            await using var use = pool.Acquire(provider.Uid);
            if (use.Provider is not IListingProvider listing) return found.Report(time.Now(), "This provider cannot list what is outstanding.");
            if (await OtherTargetAsync(provider, use.Provider, cancellationToken) is { } other) return found.Report(time.Now(), other);
            await ListAsync(listing, found, provider.Entry.TargetIdentity, cancellationToken);
            if (await OtherTargetAsync(provider, use.Provider, cancellationToken) is { } changed) return found.Report(time.Now(), changed);
            await CompareAsync(provider, listing, found, cancellationToken);
            if (claim.QuarantinedAt is not null) await CorrectAsync(found, cancellationToken);
            else if (provider.Spec.Reconciliation == ReconciliationMode.Sweep) await ActAsync(use.Provider, found, cancellationToken);
            return found.Report(time.Now(), "");
        }
        catch (Exception e) when (e is not StoreUnavailableException)
        {
            var error = e is OperationCanceledException ? new ProviderException(ProviderFault.Unreachable, "The listing took too long, or the node stopped.") : ProviderWords.Unexpected(e);
            return found.Report(time.Now(), $"{error.Fault}: {ProviderWords.Clean(error.Message)}");
        }
    }

    private static async Task<string?> OtherTargetAsync(Registered<ProviderSpec> provider, IProvider connected, CancellationToken cancellationToken)
    {
        var identity = (await connected.CheckAsync(cancellationToken)).TargetIdentity;
        return identity == provider.Entry.TargetIdentity ? null
            : $"{ProviderFault.TargetMismatch}: {ProviderWords.Clean(identity)} answers, and the provider is registered for {provider.Entry.TargetIdentity}.";
    }

    private async Task ListAsync(IListingProvider listing, Found found, string identity, CancellationToken cancellationToken)
    {
        var batch = new List<OutstandingCredential>(Batch);
        await foreach (var listed in listing.ListAsync(cancellationToken).WithCancellation(cancellationToken))
        {
            batch.Add(listed);
            if (batch.Count < Batch) continue;
            await LookUpAsync(batch, found, identity, cancellationToken);
            batch.Clear();
        }

        await LookUpAsync(batch, found, identity, cancellationToken);
    }

    private async Task LookUpAsync(List<OutstandingCredential> batch, Found found, string identity, CancellationToken cancellationToken)
    {
        var ours = new List<(OutstandingCredential Listed, Uid Lease)>();
        foreach (var listed in batch)
        {
            found.Listed++;
            switch (marks.Check(listed.Mark, out var lease))
            {
                case MarkVerdict.Ours:
                    ours.Add((listed, lease));
                    break;
                case MarkVerdict.OtherInstallation:
                    found.OtherInstallations++;
                    break;
                case MarkVerdict.Forged:
                    found.Add(FindingKind.Forged, listed, null);
                    break;
                default:
                    found.Add(FindingKind.Unmarked, listed, null);
                    break;
            }
        }

        if (ours.Count == 0) return;
        var known = await store.FindAsync([.. ours.Select(one => one.Lease)], cancellationToken);
        foreach (var (listed, id) in ours) Hold(listed, id, known.GetValueOrDefault(id), found, identity);
    }

    private void Hold(OutstandingCredential listed, Uid id, ReconciledLease? lease, Found found, string identity)
    {
        // Marks can be read by every login, and copied: one counts on the very thing that it was made for.
        if (lease is null ? !NamesOf(id).Contains(listed.ExternalName) : lease.ExternalName != listed.ExternalName || lease.TargetIdentity != identity || lease.Local)
        {
            found.Add(FindingKind.Forged, listed, null);
            return;
        }

        if (lease is null)
        {
            found.Add(FindingKind.Unknown, listed, id);
            // What is older than trees are kept may have been known and forgotten: somebody must look, but it speaks of no other database.
            if (MadeAt(id) > found.StartedAt - limits.TreesKept && !(MadeAt(id) <= found.Claim.AcceptedAt)) found.NotAccepted++;
            return;
        }

        found.Seen.Add(id);
        if (found.Holds(lease) && (lease.State == LeaseState.Pending || (lease.State == LeaseState.Active && listed.ExpiresAt > lease.PossibleDeathAt))) found.Alive.Add((lease, listed.ExpiresAt));
        if (lease.State is LeaseState.Pending or LeaseState.Active or LeaseState.Revoking || IsResidue(lease, listed)) return;
        // It may have been proven dead after it was listed, by a node whose clock is not ours.
        if (lease.ClosedAt is not { } closed || closed >= found.StartedAt - limits.ReconcileMargin) return;
        found.Add(FindingKind.Reappeared, listed, id);
        found.Reappeared.Add(lease);
    }

    // What could only expire stays where it is: it is dead by the target's own time.
    private bool IsResidue(ReconciledLease lease, OutstandingCredential listed) => lease.State == LeaseState.Expired && listed.ExpiresAt < time.GetUtcNow();

    // An id begins with the milliseconds of its making, and the mark's MAC is over it.
    private static DateTimeOffset MadeAt(Uid id) => DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(id.ToBytes()) >> 16);

    private string[] NamesOf(Uid lease) => [$"cb-{installation.Id}-{lease}", $"cb_{installation.Id}_{lease}"];

    private async Task CompareAsync(Registered<ProviderSpec> provider, IListingProvider listing, Found found, CancellationToken cancellationToken)
    {
        for (var after = default(Uid); ;)
        {
            var page = await store.LivingAsync(provider.Uid, after, Batch, cancellationToken);
            found.Uncovered += page.Count(lease => found.Holds(lease) && (lease.Local || lease.TargetIdentity != provider.Entry.TargetIdentity || !listing.ListedKinds.Contains(lease.RoleKind)));
            foreach (var lease in page.Where(lease => MustBeListed(lease, provider, listing, found)))
            {
                found.Compared++;
                if (found.Seen.Contains(lease.Id)) continue;
                found.Add(FindingKind.Missing, new OutstandingCredential(lease.ExternalName, null, null), lease.Id);
                if (found.Missing.Count < limits.ReconcileMost) found.Missing.Add(lease);
            }

            if (page.Count < Batch) break;
            after = page[^1].Id;
        }

        found.TooManyMissing = found.CountOf(FindingKind.Missing) > Math.Max(AlwaysCredible, found.Compared * limits.ReconcileAlarmPercent / 100);
    }

    private bool MustBeListed(ReconciledLease lease, Registered<ProviderSpec> provider, IListingProvider listing, Found found) =>
        !lease.Local && lease.TargetIdentity == provider.Entry.TargetIdentity && listing.ListedKinds.Contains(lease.RoleKind)
        && lease.State == LeaseState.Active && lease.ActivatedAt < found.StartedAt - limits.ReconcileMargin && lease.ExpiresAt > found.StartedAt;

    /// <summary>In quarantine nothing is swept; but what the target shows to have been issued or renewed since the backup is believed, so that its release kills nothing that lives.</summary>
    private async Task CorrectAsync(Found found, CancellationToken cancellationToken)
    {
        foreach (var (lease, until) in found.Alive)
            if (await ApplyAsync(lease, new LeaseEvent.FoundAlive(until is { } at ? Instants.Truncate(at) : null), cancellationToken)) found.Acted++;
    }

    /// <summary>What is done is bounded by a number for each run; the next run does more.</summary>
    private async Task ActAsync(IProvider provider, Found found, CancellationToken cancellationToken)
    {
        foreach (var lease in found.Reappeared.Take(limits.ReconcileMost))
            if (await ApplyAsync(lease, new LeaseEvent.Reappeared("a listing of its target"), cancellationToken)) found.Acted++;
        if (found.TooManyMissing || provider is not IProbingProvider probing) return;
        foreach (var lease in found.Missing.Take(limits.ReconcileMost - (int)found.Acted))
            if (await IsGoneAsync(probing, lease, cancellationToken) && await ApplyAsync(lease, new LeaseEvent.Ended(EndReason.MissingAtTarget), cancellationToken)) found.Acted++;
    }

    private async Task<bool> IsGoneAsync(IProbingProvider probing, ReconciledLease missing, CancellationToken cancellationToken)
    {
        if (await leases.FindAsync(missing.Id, cancellationToken) is not { Lease: var lease } || lease.Version != missing.Version) return false;
        var probe = await probing.ProbeAsync(verdicts.RequestFor(lease), cancellationToken);
        return !probe.Exists && probe.TargetIdentity == lease.TargetIdentity;
    }

    private async Task<bool> ApplyAsync(ReconciledLease lease, LeaseEvent @event, CancellationToken cancellationToken) =>
        await leases.ApplyAsync(new LeaseChange(lease.Id, @event, Actor.Broker) { Version = lease.Version }, cancellationToken) is ApplyOutcome.Applied { Changed: true };

    /// <summary>What a run has seen so far.</summary>
    private sealed class Found(DateTimeOffset startedAt, ReconciliationClaim claim)
    {
        private readonly Dictionary<FindingKind, long> _counts = [];
        private readonly List<ReconciliationFinding> _kept = [];

        public DateTimeOffset StartedAt => startedAt;

        public ReconciliationClaim Claim => claim;

        public List<(ReconciledLease Lease, DateTimeOffset? Until)> Alive { get; } = [];

        public long NotAccepted { get; set; }

        public long Uncovered { get; set; }

        public bool Holds(ReconciledLease lease) => lease.ReservedAt <= claim.QuarantinedAt;

        public HashSet<Uid> Seen { get; } = [];

        public List<ReconciledLease> Reappeared { get; } = [];

        public List<ReconciledLease> Missing { get; } = [];

        public long Listed { get; set; }

        public long Compared { get; set; }

        public long OtherInstallations { get; set; }

        public long Acted { get; set; }

        public bool TooManyMissing { get; set; }

        public long CountOf(FindingKind kind) => _counts.GetValueOrDefault(kind);

        public void Add(FindingKind kind, OutstandingCredential listed, Uid? lease)
        {
            _counts[kind] = CountOf(kind) + 1;
            // What strangers planted must not fill the list before what matters.
            if (_kept.Count(kept => kept.Kind == kind) < ReconciliationReport.MostFindings / 5) _kept.Add(new(kind, ProviderWords.Clean(listed.ExternalName), lease?.ToString() ?? ""));
        }

        public ReconciliationReport Report(DateTimeOffset now, string error) => new()
        {
            StartedAt = StartedAt,
            EndedAt = now,
            Complete = error.Length == 0,
            Error = error,
            Listed = Listed,
            Compared = Compared,
            OtherInstallations = OtherInstallations,
            Reappeared = CountOf(FindingKind.Reappeared),
            Missing = CountOf(FindingKind.Missing),
            Unknown = CountOf(FindingKind.Unknown),
            Forged = CountOf(FindingKind.Forged),
            Unmarked = CountOf(FindingKind.Unmarked),
            NotAccepted = NotAccepted,
            Uncovered = Uncovered,
            Acted = Acted,
            TooManyMissing = TooManyMissing,
            Findings = _kept,
        };
    }
}

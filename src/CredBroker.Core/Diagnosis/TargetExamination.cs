using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Diagnosis;

/// <summary>Where targets and database differ, and what is in quarantine for it.</summary>
internal sealed class TargetExamination(IReconciliationStore reconciliations, IQuarantineStore quarantines, Catalog catalog, BrokerLimits limits, TimeProvider time) : IExamination
{
    public string Name => "reconciliation";

    public async Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken)
    {
        var found = (await quarantines.ListAsync(cancellationToken)).Select(Quarantined).ToList();
        foreach (var status in await reconciliations.ListAsync(cancellationToken))
            if (catalog.Current.TryFindProvider(status.Provider, out var provider) && provider.Entry.DeletedAt is null) found.AddRange(Of(provider.Name, status));
        return found;
    }

    private static Ailment Quarantined(Quarantined held) => new(
        Severity.Critical, "quarantine", Subjects.Provider(held.ProviderName),
        $"It is in quarantine since {held.Since:yyyy-MM-dd HH:mm:ss} UTC ({Why(held.Reason)}): it issues nothing, and of {held.Unproven} leases none is revoked because its time is over.",
        $"credbroker quarantine show; credbroker reconcile {held.ProviderName}; then credbroker quarantine release {held.ProviderName}");

    private IEnumerable<Ailment> Of(string provider, ReconciliationStatus status)
    {
        var (subject, look) = (Subjects.Provider(provider), $"credbroker reconcile {provider} --last");
        if (status.CompleteAt is { } at && at < time.Now() - (limits.ReconcileEvery * 4))
            yield return new Ailment(Severity.Warning, "not-reconciled", subject, $"The last complete listing of its target began at {at:yyyy-MM-dd HH:mm:ss} UTC. {status.Last?.Error}", look);
        else if (status is { CompleteAt: null, Last: { } failed })
            yield return new Ailment(Severity.Warning, "not-reconciled", subject, $"Its target was never listed to the end. {failed.Error}", look);
        if (status.Last is not { Complete: true } last) yield break;
        if (last.Reappeared > 0)
            yield return new Ailment(Severity.Critical, "reappeared", subject, $"{last.Reappeared} credentials live at the target that were proven dead.", $"{look}; to have them revoked, set the provider's reconciliation to SWEEP");
        if (last.Missing > 0)
        {
            yield return new Ailment(
                Severity.Warning, "missing", subject, $"{last.Missing} leases are alive here and not at the target{(last.TooManyMissing ? ": so many that the listing is doubted" : "")}.",
                $"{look}; find out who removes them, or why the listing lacks them");
        }

        if (last.Unknown > 0)
            yield return new Ailment(Severity.Critical, "unknown-credentials", subject, $"{last.Unknown} credentials carry our valid mark, and no lease knows them. They are never revoked here.", $"{look}; a backup was restored, or a copy of this installation runs elsewhere; whoever administers the target may remove them");
        if (last.Forged + last.Unmarked > 0)
            yield return new Ailment(Severity.Notice, "marks-not-valid", subject, $"{last.Forged} things carry a mark that is not valid there, and {last.Unmarked} a name of ours without one. They change nothing.", look);
    }

    private static string Why(QuarantineReason reason) => reason switch
    {
        QuarantineReason.Restored => "a backup was restored",
        QuarantineReason.UnknownCredentials => "its target has credentials that no lease knows",
        _ => "by hand",
    };
}

using CredBroker.Abstractions;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;

namespace CredBroker.Core.Diagnosis;

/// <summary>What cannot be revoked, and which providers pause.</summary>
internal sealed class RevocationExamination(IBacklogStore backlog, Breaker breaker, Catalog catalog) : IExamination
{
    public string Name => "revocations";

    public async Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken)
    {
        var found = new List<Ailment>();
        foreach (var provider in await backlog.ReadAsync(cancellationToken))
            foreach (var (fault, count) in provider.Failing) found.Add(Failing(provider, fault, count));
        foreach (var provider in catalog.Current.Providers.Values)
        {
            if (breaker.PausedUntil(provider.Uid) is not { } until) continue;
            found.Add(new Ailment(
                Severity.Warning, "provider-paused", Subjects.Provider(provider.Name), $"This node leaves the target alone until {until:HH:mm:ss} UTC, because it was at fault; then one lease tries.",
                $"credbroker provider check {provider.Name}"));
        }

        return found;
    }

    private static Ailment Failing(ProviderBacklog provider, ProviderFault fault, long count) => new(
        Severity.Critical, "revocation-failing", Subjects.Provider(provider.Provider),
        $"{count} credentials cannot be revoked: {Subjects.Of(fault)}. The oldest had to die at {provider.DyingSince:yyyy-MM-dd HH:mm:ss} UTC. They are refused by the broker and may live at the target; each is tried again without end.",
        fault switch
        {
            ProviderFault.TargetMismatch => $"Point the provider back; or, if the target was rebuilt, credbroker provider accept-identity {provider.Provider}, and credbroker leases write-off for what is gone with it",
            ProviderFault.Credential => "credbroker leases list --filter 'failing = true' shows the target's own words for each",
            _ => $"credbroker provider check {provider.Provider} says what is missing; credbroker leases list --filter 'failing = true' shows each",
        });
}

/// <summary>What nobody takes, and what was taken and not finished.</summary>
internal sealed class WorkExamination(IDiagnosisStore store, BrokerLimits limits, TimeProvider time) : IExamination
{
    public string Name => "work";

    public async Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken)
    {
        var now = time.Now();
        var patience = limits.ClaimFor * 3;
        var work = await store.ReadAsync(now - patience, cancellationToken);
        var found = new List<Ailment>();
        foreach (var (provider, count) in work.Slow)
        {
            found.Add(new Ailment(
                Severity.Critical, "slow-lane", Subjects.Provider(provider), $"{count} leases have failed {limits.AttemptsBeforeSlow} times or more, and are tried every few minutes behind all others.",
                "credbroker leases list --filter 'failing = true' shows the target's own words; for what can never succeed because the target is gone: credbroker leases write-off"));
        }

        foreach (var (provider, count) in work.Untaken)
        {
            found.Add(new Ailment(
                Severity.Critical, "work-untaken", Subjects.Provider(provider), $"{count} leases have been due for more than {patience.TotalSeconds:0} s, and no node takes them.",
                "Every slot may hang at the target (credbroker provider check), or no node looks: see the log for 'look failed', and restart the nodes one by one"));
        }

        if (work.FanOutSince < now - patience)
            found.Add(new Ailment(Severity.Critical, "end-not-carried-out", "tasks", $"An end or a suspension of {work.FanOutSince:yyyy-MM-dd HH:mm:ss} UTC has not reached all of its leases. They are refused, but not revoked.", "See the log for 'A look failed at moving what ended'"));
        if (work.OverdueTasks > 0)
            found.Add(new Ailment(Severity.Warning, "task-not-ended", "tasks", $"{work.OverdueTasks} tasks are past their deadline and were not ended.", "See the log for 'A look failed at ending tasks'"));
        foreach (var group in work.StuckGroups)
            found.Add(new Ailment(Severity.Warning, "claim-stuck", group, "The claim on this shared document is held far longer than a call may take: its leases wait.", "It runs out by itself; if it comes again, see the log of the node that holds it"));
        return found;
    }
}

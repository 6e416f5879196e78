using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Reevaluation;

/// <summary>What a change of policies would do to live leases.</summary>
/// <param name="Examined">How many live leases were looked at.</param>
/// <param name="Revoked">How many of them it would end.</param>
/// <param name="Unclear">How many would live on because a policy fails.</param>
/// <param name="IsComplete">Whether all were looked at: else the numbers are the least.</param>
/// <param name="Leases">Some of those that would end.</param>
public sealed record PolicyImpact(int Examined, int Revoked, int Unclear, bool IsComplete, IReadOnlyList<(Uid Task, Uid Lease)> Leases);

/// <summary>
/// What has to be seen before policies change: how many live leases would end, and whether their author could still undo it. That a great deal dies by a slip is
/// an outage too.
/// </summary>
public sealed class PolicyActivation(IReevaluationStore store, LeaseJudge judge, PolicyCompiler compiler, Decider decider, BrokerLimits limits, TimeProvider time)
{
    private const int PageSize = 500;
    private const int MostShown = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Why a policy set may not be made what it shall be (null: deleted); null if it may, or if the resource is no policy set.</summary>
    public async Task<BrokerError?> RefusalAsync(
        RegistrySnapshot snapshot, RegistryAuthor author, string name, PolicySetSpec? next, bool isPolicySet, ChangeOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(author);
        ArgumentNullException.ThrowIfNull(options);
        if (!isPolicySet) return null;
        var book = BookWith(snapshot, name, next);
        if (author.Caller is { } caller && !MayUndo(caller, snapshot, name, next, book))
            return new BrokerError(Reasons.StateConflict, "With this change you could not change the set back. Let somebody make it who could, or keep the permit that lets you.");
        var impact = await CountAsync(snapshot, name, next, book, cancellationToken);
        // Whoever names a number means it, be it smaller than what passes without.
        var allowed = options.ExpectedRevocations > 0 ? options.ExpectedRevocations : limits.UnconfirmedRevocations;
        return impact.Revoked > allowed || (!impact.IsComplete && options.ExpectedRevocations <= impact.Revoked) ? NotConfirmed(impact) : null;
    }

    /// <summary>What making a policy set what it shall be (null: deleted) would do to live leases.</summary>
    public Task<PolicyImpact> PreviewAsync(RegistrySnapshot snapshot, string name, PolicySetSpec? next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return CountAsync(snapshot, name, next, BookWith(snapshot, name, next), cancellationToken);
    }

    private async Task<PolicyImpact> CountAsync(RegistrySnapshot snapshot, string name, PolicySetSpec? next, PolicyBook book, CancellationToken cancellationToken)
    {
        var impact = new PolicyImpact(0, 0, 0, IsComplete: true, []);
        // Nobody is decided again because of it.
        if ((next ?? Present(snapshot, name)?.Spec) is not { KeepLiveLeases: false }) return impact;
        var started = time.GetTimestamp();
        var shown = new List<(Uid, Uid)>();
        Uid? cursor = null;
        while (true)
        {
            var page = await store.PageAsync(ReevaluationScope.Everything, cursor, PageSize, cancellationToken);
            var judged = await judge.JudgeAsync(snapshot, book, page, cancellationToken);
            var ending = judged.Where(lease => lease.Holding == Holding.NoLongerPermitted).Select(lease => (lease.Lease.TaskId, lease.Lease.Id)).ToList();
            shown.AddRange(ending.Take(MostShown - shown.Count));
            impact = impact with
            {
                Examined = impact.Examined + judged.Count,
                Revoked = impact.Revoked + ending.Count,
                Unclear = impact.Unclear + judged.Count(lease => lease.Holding == Holding.Unclear),
                Leases = shown,
            };
            if (page.Count < PageSize) return impact;
            if (time.GetElapsedTime(started) > Patience) return impact with { IsComplete = false };
            cursor = page[^1].Lease.Id;
        }
    }

    private bool MayUndo(Caller caller, RegistrySnapshot snapshot, string name, PolicySetSpec? next, PolicyBook book)
    {
        var set = next ?? Present(snapshot, name)?.Spec;
        return set is null || decider.MayAdministerUnder(book, caller, ResourceTypes.PolicySet.Action, ResourceTypes.PolicySet.EntityOf(name, null), BrokerEntities.OfPolicySet(name, set.Kind, set.Owner));
    }

    private PolicyBook BookWith(RegistrySnapshot snapshot, string name, PolicySetSpec? next)
    {
        var others = snapshot.PolicySets.Where(set => set.Name != name).ToList();
        if (next is null) return compiler.Compile(others);
        var entry = Present(snapshot, name)?.Entry ?? new RegistryEntry
        {
            Uid = default,
            Kind = ResourceKind.PolicySet,
            Name = name,
            Version = 1,
            SpecJson = "{}",
            ManagedBy = ManagedBy.Api,
            CreatedAt = time.Now(),
            UpdatedAt = time.Now(),
        };
        return compiler.Compile([.. others, new Registered<PolicySetSpec>(entry, next)]);
    }

    private static Registered<PolicySetSpec>? Present(RegistrySnapshot snapshot, string name) => snapshot.PolicySets.FirstOrDefault(set => set.Name == name);

    private static BrokerError NotConfirmed(PolicyImpact impact)
    {
        var count = impact.Revoked.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var counted = impact.IsComplete ? $"{count} of {impact.Examined} live leases" : $"At least {count} live leases (more than the {impact.Examined} that could be looked at in time)";
        return new BrokerError(Reasons.LiveLeasesWouldDie, $"{counted} would be revoked by this change. Say with expect_revoked that so many may.")
        {
            Metadata = new Dictionary<string, string> { ["would_revoke"] = count, ["complete"] = impact.IsComplete ? "true" : "false" },
        };
    }
}

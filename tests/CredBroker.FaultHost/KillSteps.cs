using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.FaultHost;

/// <summary>
/// Where the server can be killed: before, inside and after every transaction of its stores, and before and after every call of a provider. The list is made
/// from the seams themselves, so that whatever is added to one has its kill test, or a reason here why not.
/// </summary>
internal static class KillSteps
{
    // It is read as it comes: what follows it is the next transaction.
    private const string Listing = $"{nameof(IListingProvider)}.{nameof(IListingProvider.ListAsync)}";

    /// <summary>Members of the stores that only read, by what their names begin with.</summary>
    private static readonly string[] Reads = ["Find", "List", "Load", "NextDue", "Generation", "Counters", "Agenda", "BoundElsewhere", "WasUsed", "CountHeld", "Proven", "Read", "Living", "Page"];

    private static readonly string[] Differences =
        [nameof(IReconciliationStore), nameof(IQuarantineStore), nameof(IListingProvider), nameof(IProbingProvider), "ILeaseStore.ApplyAsync(Reappeared)", "ILeaseStore.ApplyAsync(FoundAlive)"];

    /// <summary>What the story of <see cref="Story"/> does not come to, and where it is proven instead, or why there is nothing to prove.</summary>
    public static IReadOnlyDictionary<string, string> Elsewhere { get; } = new Dictionary<string, string>
    {
        ["ILeaseStore.ApplyAsync(HandleRecorded)"] = "PostgreSQL makes a login in one step; the model of two nodes kills between two.",
        ["ILeaseStore.ApplyAsync(IssueDeadlinePassed)"] = "It is a part of ClaimDueAsync.",
        ["ILeaseStore.ApplyAsync(Claimed)"] = "It is a part of ClaimDueAsync.",
        ["ILeaseStore.ApplyAsync(GivenBack)"] = "A node that stops does it and nothing after it; where it dies instead, the claim runs out: TwoNodesTests.",
        ["ILeaseStore.ApplyAsync(ProvenExpired)"] = "A login is dropped and never waited for; the model has credentials that only expire.",
        ["ILeaseStore.ApplyAsync(WrittenOff)"] = "One transaction on a person's word, after which nothing follows.",
        ["ILeaseGroups.ClaimAsync"] = "No login shares a document with others: the end-to-end tests of Azure and AWS.",
        ["ILeaseGroups.HoldAsync"] = "As ClaimAsync.",
        ["ILeaseGroups.ReleaseAsync"] = "As ClaimAsync.",
        ["ILeaseGroups.OverflowAsync"] = "As ClaimAsync.",
        ["ILeaseGroups.FanOutAsync"] = "As ClaimAsync.",
        ["ITaskStore.BindPerformerAsync"] = "One transaction before anything is asked for; a repeat binds the same.",
        ["ITaskStore.KeepAliveAsync"] = "A sign of life that was lost is sent again.",
        ["IRegistryStore.PutAsync"] = "One transaction that touches no target.",
        ["IWorkloadStore.SeeAsync"] = "One transaction before anything is asked for; a repeat writes the same.",
        ["IWorkloadStore.AcceptAsync"] = "One transaction that touches no target.",
        ["IReevaluationStore.ClaimAsync"] = "A claim that was lost runs out, and the next begins where the last batch ended: the tests of re-evaluation.",
        ["IReevaluationStore.SettleAsync"] = "As ClaimAsync: each batch is one transaction, which ends leases as any other end does.",
        ["IBrokerLife.BeatAsync"] = "A sign of the broker's own life that was lost makes its absence longer, and nothing else.",
        ["IRetentionStore.PruneAsync"] = "Each batch is one transaction over what is closed.",
        ["IRetentionStore.ForgetTreeAsync"] = "As PruneAsync.",
        ["IErasureStore.EraseAsync"] = "One transaction over texts.",
        ["ISigningKeyStore.TryAddAsync"] = "One transaction; whoever starts next finds the key or makes one.",
        ["IQuarantineStore.StartIfLackingAsync"] = "One transaction; whoever starts next reads the same note and finds the same: AnchorTests.",
        ["IAnchoringProvider.ReadAnchorAsync"] = "It changes nothing at the target.",
        ["IAnchoringProvider.ReplaceAnchorAsync"] = "One transaction over a note that nothing depends on: the next minute writes it again.",
        ["IProvider.CheckAsync"] = "It changes nothing at the target.",
        ["IGroupRevokingProvider.RevokeGroupAsync"] = "No login shares a document with others: the end-to-end tests of Azure and AWS.",
    };

    /// <summary>Whether a step is one of what follows from a difference between target and database.</summary>
    public static bool IsOfDifferences(string step) => Differences.Any(name => step.StartsWith(name, StringComparison.Ordinal));

    /// <summary>Every change that a store can be asked for; a change of a lease once for each event.</summary>
    public static IReadOnlyList<string> Intentions { get; } =
    [
        .. Stores
            .SelectMany(store => store.GetMethods().Select(method => (Store: store, method.Name)))
            .Where(member => !Reads.Any(read => member.Name.StartsWith(read, StringComparison.Ordinal)))
            .SelectMany(member => member.Name == nameof(ILeaseStore.ApplyAsync)
                ? typeof(LeaseEvent).GetNestedTypes().Select(change => $"{member.Store.Name}.{member.Name}({change.Name})")
                : [$"{member.Store.Name}.{member.Name}"]),
    ];

    /// <summary>Every call that a provider can be asked for, whatever its abilities.</summary>
    public static IReadOnlyList<string> Calls { get; } =
    [
        .. Abilities.SelectMany(ability => ability.GetMethods().Where(method => !method.IsSpecialName).Select(method => $"{ability.Name}.{method.Name}")),
    ];

    /// <summary>Every step that is killed at.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. Intentions.Where(name => !Elsewhere.ContainsKey(name)).SelectMany(name => new[] { $"{name}:before", $"{name}:inside", $"{name}:after" }),
        .. Calls.Where(name => !Elsewhere.ContainsKey(name)).SelectMany(name => name == Listing ? new[] { $"{name}:before" } : [$"{name}:before", $"{name}:after"]),
    ];

    /// <summary>The stores, as the database registers them.</summary>
    public static IEnumerable<Type> Stores => new ServiceCollection().AddCredBrokerStore(options => options.UseSqlite("none").AllowReadableKeyRing = true)
        .Select(service => service.ServiceType)
        .Where(type => type.IsInterface && type.Assembly == typeof(ILeaseStore).Assembly);

    /// <summary>What a provider can be able to.</summary>
    public static IEnumerable<Type> Abilities => typeof(IProvider).Assembly.GetTypes().Where(type => type.IsInterface && type.IsPublic && type.Name.EndsWith("Provider", StringComparison.Ordinal));
}

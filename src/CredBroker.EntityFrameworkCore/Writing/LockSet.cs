using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>
/// What an intention must hold before it reads. The writer takes the locks of a whole batch at once, in the one order of the house: root tasks,
/// gates, counters by key, groups. So intentions that share a batch cannot deadlock with those of another node.
/// </summary>
internal sealed record LockSet
{
    /// <summary>Nothing: an append, or a row that only this intention knows.</summary>
    public static readonly LockSet None = new();

    /// <summary>Tasks whose roots are locked.</summary>
    public IReadOnlyList<Uid> Tasks { get; init; } = [];

    /// <summary>Gates that are locked; those without a row get one, since what does not exist cannot be locked.</summary>
    public IReadOnlyList<Uid> Gates { get; init; } = [];

    /// <summary>Counters that will be changed.</summary>
    public IReadOnlyList<string> Counters { get; init; } = [];

    /// <summary>Groups that are locked, if they are known.</summary>
    public IReadOnlyList<Uid> Groups { get; init; } = [];

    /// <summary>A group that is locked, and made known first.</summary>
    public GroupRow? NewGroup { get; init; }

    /// <summary>A lease whose root is locked, which never changes and so can be looked up first.</summary>
    public Uid? Lease { get; init; }

    /// <summary>Whether the lease's gates are locked as well: for what only a live lease may do.</summary>
    public bool LeaseGates { get; init; }

    /// <summary>Whether the lease's counters are locked as well: for what may prove it dead, or show it alive again.</summary>
    public bool LeaseCounters { get; init; }

    /// <summary>Whether tasks and gates are locked exclusively. Such intentions share no batch with the others.</summary>
    public bool Exclusive { get; init; }

    public static LockSet Of(Lease lease, IEnumerable<string> counters, IEnumerable<Uid> gates) => new()
    {
        Tasks = [Uid.Parse(lease.TaskPath[..Uid.Length])],
        Gates = [.. gates],
        Counters = [.. counters],
        NewGroup = lease.Group is { } group ? GroupRow.Of(lease.TargetIdentity, group) : null,
    };
}

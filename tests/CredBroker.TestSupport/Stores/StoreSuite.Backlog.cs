using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Leases;
using CredBroker.Core.Revocation;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    [Test]
    public async Task The_backlog_tells_what_is_pending_active_revoking_and_failing_and_since_when()
    {
        Assert.That(await BacklogAsync(), Is.Empty, "nothing is unproven");
        var task = await World.CreateTaskAsync(Node);
        var start = Time.Now();
        var leases = new List<Lease>();
        for (var i = 0; i < 6; i++) leases.Add(await World.IssueAsync(Node, task));
        await World.ReserveAsync(Node, task);
        foreach (var lease in leases.Take(4)) await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Ended(EndReason.Revoked));
        Time.Advance(TimeSpan.FromSeconds(7));
        var claimed = await World.ClaimAsync(Node, 3);
        AttemptError Error(ProviderFault fault) => new(fault, "no", Time.Now());
        await StoreWorld.ApplyAsync(Node, claimed[0], new LeaseEvent.AttemptFailed(Error(ProviderFault.Denied), Time.Now() + TimeSpan.FromHours(1), false), claimed[0].Fence);
        await StoreWorld.ApplyAsync(Node, claimed[1], new LeaseEvent.AttemptFailed(Error(ProviderFault.Credential), Time.Now() + TimeSpan.FromHours(1), true), claimed[1].Fence);
        await StoreWorld.ApplyAsync(Node, claimed[2], World.Gone(), claimed[2].Fence);

        var measured = (await BacklogAsync()).Single();
        Assert.That((measured.Unproven, measured.Pending, measured.Revoking), Is.EqualTo((6L, 1L, 3L)));
        Assert.That(measured.Failing, Is.EquivalentTo(new Dictionary<ProviderFault, long> { [ProviderFault.Denied] = 1, [ProviderFault.Credential] = 1 }));
        Assert.That((measured.DueSince, measured.DyingSince), Is.EqualTo(((DateTimeOffset?)start, (DateTimeOffset?)start)), "the fourth waits for a slot since then");
        await ProveAllAsync();
        Time.Advance(TimeSpan.FromHours(2));
        await ProveAllAsync();
        Assert.That(await BacklogAsync(), Is.Empty);
    }

    [Test]
    public async Task The_backlog_of_a_deleted_provider_is_not_forgotten()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Ended(EndReason.Revoked));
        await Database.ExecuteAsync($"UPDATE {Database.Schema}registry SET deleted_at = 1");
        Assert.That((await BacklogAsync()).Single().Revoking, Is.EqualTo(1));
    }

    private Task<IReadOnlyList<ProviderBacklog>> BacklogAsync() => Node.Backlog.ReadAsync(None);
}

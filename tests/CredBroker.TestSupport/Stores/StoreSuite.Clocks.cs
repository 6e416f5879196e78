using CredBroker.Core;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Over_time_in_which_the_broker_was_not_there_no_heartbeat_is_lost()
    {
        await BeatAsync();
        var silent = await World.CreateTaskAsync(Node, life: TimeSpan.FromDays(3), heartbeat: TimeSpan.FromSeconds(3));
        await PassAsync(TimeSpan.FromSeconds(10));
        var alive = new List<AgentTask>();
        for (var i = 0; i < 5; i++) alive.Add(await World.CreateTaskAsync(Node, life: TimeSpan.FromDays(3), heartbeat: TimeSpan.FromSeconds(10)));
        var due = await World.CreateTaskAsync(Node, life: TimeSpan.FromHours(1), heartbeat: TimeSpan.FromHours(1));

        Time.Advance(TimeSpan.FromDays(1));
        Assert.That((await Node.Tasks.EndOverdueAsync(500, None)).Select(task => (task.Id, task.EndReason)), Is.EqualTo([(due.Id, (TaskEndReason?)TaskEndReason.Deadline)]), "a deadline is not extended; of the gap nobody knows yet");
        var first = await Node.Services.GetRequiredService<IBrokerLife>().BeatAsync(GraceOf, 2, None);
        Assert.That((first.Gap, first.More), Is.EqualTo(((TimeSpan?)TimeSpan.FromDays(1), true)));
        Assert.That(await Node.Tasks.EndOverdueAsync(500, None), Is.Empty, "not before all of it is made good, whatever happens to this process");
        await RestartAsync();
        Assert.That(await BeatAsync(batch: 2), Is.EqualTo(5 - first.Revived));

        Assert.That((await Node.Tasks.EndOverdueAsync(500, None)).Select(task => (task.Id, task.EndReason)), Is.EqualTo([(silent.Id, (TaskEndReason?)TaskEndReason.HeartbeatLost)]), "it was lost before");
        Assert.That((await Node.Tasks.FindAsync(alive[4].Id, None))!.AliveUntil, Is.EqualTo(Time.Now() + Grace), "a whole grace, to find a node again");
        await PassAsync(Grace - TimeSpan.FromSeconds(1));
        Assert.That(await Node.Tasks.EndOverdueAsync(500, None), Is.Empty);
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.That(await Node.Tasks.EndOverdueAsync(500, None), Has.Count.EqualTo(5), "now the broker was there");
    }

    [Test]
    public async Task A_gap_takes_nothing_back_from_a_sign_of_life_and_several_are_one()
    {
        await BeatAsync();
        var task = await World.CreateTaskAsync(Node, life: TimeSpan.FromDays(3), heartbeat: TimeSpan.FromSeconds(10));
        var other = await World.CreateTaskAsync(Node, life: TimeSpan.FromDays(3), heartbeat: TimeSpan.FromSeconds(10));
        var life = Node.Services.GetRequiredService<IBrokerLife>();
        Time.Advance(TimeSpan.FromHours(1));
        Assert.That((await life.BeatAsync(GraceOf, 1, None)).More, Is.True);
        var late = Time.Now() + TimeSpan.FromHours(2);
        await Node.Tasks.KeepAliveAsync([new SignOfLife(task.Id, late)], None);
        Time.Advance(TimeSpan.FromHours(1));
        var again = await life.BeatAsync(GraceOf, 1, None);
        Assert.That(again.Gap, Is.EqualTo(TimeSpan.FromHours(1)));
        await BeatAsync(batch: 1);
        Assert.That((await Node.Tasks.FindAsync(task.Id, None))!.AliveUntil, Is.EqualTo(late));
        Assert.That((await Node.Tasks.FindAsync(other.Id, None))!.AliveUntil, Is.EqualTo(Time.Now() + Grace));
    }

    [Test]
    public async Task A_claim_that_does_not_believe_the_clock_takes_only_what_is_being_revoked()
    {
        var task = await World.CreateTaskAsync(Node);
        var expired = await World.IssueAsync(Node, task, TimeSpan.FromMinutes(1));
        var pending = await World.ReserveAsync(Node, task);
        var revoked = await World.IssueAsync(Node, task);
        await StoreWorld.ApplyAsync(Node, revoked, new LeaseEvent.Ended(EndReason.Revoked));
        Time.Advance(TimeSpan.FromMinutes(2));
        var claim = new Claim(World.Provider, 100, TimeSpan.FromSeconds(60));
        Assert.That((await Node.Leases.ClaimDueAsync(claim with { OnlyRevoking = true }, None)).Select(lease => lease.Id), Is.EqualTo([revoked.Id]));
        Assert.That((await Node.Leases.ClaimDueAsync(claim, None)).Select(lease => lease.Id), Is.EquivalentTo([expired.Id, pending.Id]));
    }

    private static TimeSpan GraceOf(TimeSpan interval) => interval * 3;

    /// <summary>Gives signs of the broker's life until there is nothing to be made good. Answers how many tasks got a new grace.</summary>
    private async Task<int> BeatAsync(int batch = 500)
    {
        var life = Node.Services.GetRequiredService<IBrokerLife>();
        for (var revived = 0; ;)
        {
            var sign = await life.BeatAsync(GraceOf, batch, None);
            revived += sign.Revived;
            if (!sign.More) return revived;
        }
    }

    /// <summary>Lets time pass over which the broker is there.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        for (var until = Time.Now() + time; Time.Now() < until;)
        {
            Time.Advance(Instants.Min(until, Time.Now() + BrokerLife.LongestGap) - Time.Now());
            await BeatAsync();
        }
    }
}

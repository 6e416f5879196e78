using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;

namespace CredBroker.Core.Tests.Model;

/// <summary>
/// Interleavings of several steps in one order, which chance finds too seldom: each comes as far as the faults of its history let it. What stands around it, and
/// when in it time passes, is drawn as everything else.
/// </summary>
internal sealed class Corners(World world, Work work)
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    /// <summary>One of them.</summary>
    public void Turn(Draw draw, ModelNode one, ModelNode other)
    {
        switch (draw.Next(5))
        {
            case 0:
                LookAcrossTheBound(draw, one, other);
                break;
            case 1:
                SettleWhatIsSeen(draw, one);
                break;
            case 2:
                DieInARenewal(draw, one, other);
                break;
            case 3:
                LoseTheNode(draw, one);
                break;
            default:
                RenewLate(draw, one, other);
                break;
        }
    }

    /// <summary>An issuing call hangs; a look finds nothing of it, and answers when it has long arrived.</summary>
    private void LookAcrossTheBound(Draw draw, ModelNode one, ModelNode other)
    {
        if (HangingIssue(draw, one) is not { } lease) return;
        var bound = lease.IssueDeadline + ModelProviderType.Late;
        // An attempt is given up after its timeout: it begins so late that it lasts.
        world.AdvanceTo(bound - TimeSpan.FromSeconds(draw.Of([2, 8, 20])));
        work.Look(other);
        world.SettleNow();
        if (!world.GoOnUntil(other, $"is answered revoke {world.Short(lease.Name)}", draw)) return;
        world.Promises.Note("look across the bound");
        world.AdvanceTo(bound + Moment);
        world.RunOut(other, draw);
    }

    /// <summary>A worker proves dead whatever it does not see, and never asks whether that proves anything: the state machine knows.</summary>
    private void SettleWhatIsSeen(Draw draw, ModelNode one)
    {
        if (HangingIssue(draw, one) is null || world.Target.IsAnother) return;
        var leases = one.Get<ILeaseStore>();
        one.AtOnce(async () =>
        {
            foreach (var lease in await leases.ClaimDueAsync(new Claim(world.ProviderUid, 100, TimeSpan.FromMinutes(1)), CancellationToken.None))
            {
                if (world.Target.Find(lease.ExternalName) is not null) continue;
                var evidence = new Evidence("absent", "It is not there.", world.Time.GetUtcNow());
                await leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.ProvenGone(evidence), Actor.Broker) { Fence = lease.Fence }, CancellationToken.None);
                world.Promises.Note("settled what is seen");
            }
        });
    }

    /// <summary>A lease dies between two calls of its renewal.</summary>
    private void DieInARenewal(Draw draw, ModelNode one, ModelNode other)
    {
        if (Fresh(draw, one, "plain") is not { } lease) return;
        work.Renew(one, lease.Id, TimeSpan.FromSeconds(180));
        world.SettleNow();
        var written = draw.OneIn(2) ? "ApplyAsync" : "is answered renew";
        if (!world.GoOnUntil(one, written, draw)) return;
        world.Promises.Note("died in a renewal");
        if (draw.OneIn(3)) world.AdvanceTo(lease.ExpiresAt + Moment);
        else world.RunOut(other, draw, draw.OneIn(2) ? work.End(other, lease.TaskId) : work.SuspendProvider(other));
        world.RunOut(one, draw);
    }

    /// <summary>A node dies in the middle of an issuing call, and its task goes on: nothing but time says that the lease is to be looked after.</summary>
    private void LoseTheNode(Draw draw, ModelNode one)
    {
        if (work.IssueFresh(one, draw.Of(ModelTemplateStore.Roles), TimeSpan.FromSeconds(200), draw) is null) return;
        world.SettleNow();
        if (!world.GoOnUntil(one, draw.OneIn(2) ? "sends issue" : "is answered issue", draw)) return;
        world.Promises.Note("node lost in an issue");
        world.Kill(one, draw);
    }

    /// <summary>A renewal of what only expires hangs; its end passes, a look sees that, and then the renewal arrives.</summary>
    private void RenewLate(Draw draw, ModelNode one, ModelNode other)
    {
        if (Fresh(draw, one, "expiring") is not { } lease) return;
        work.Renew(one, lease.Id, TimeSpan.FromSeconds(180));
        world.SettleNow();
        if (!world.GoOnUntil(one, "sends renew", draw)) return;
        world.Next = Model.Turn.ActsLater;
        world.RunOut(one, draw);
        world.Promises.Note("renewed late");
        if (draw.OneIn(2))
        {
            // A shorter one meanwhile: the longer may still come.
            work.Renew(one, lease.Id, TimeSpan.FromSeconds(60));
            world.RunOut(one, draw);
        }

        world.AdvanceTo(lease.ExpiresAt + Moment);
        work.Look(other);
        world.RunOut(other, draw);
    }

    /// <summary>A lease whose issuing call may act until its last moment: nobody knows whether it does.</summary>
    private LeaseSeen? HangingIssue(Draw draw, ModelNode node)
    {
        if (work.IssueFresh(node, draw.Of(["plain", "expiring"]), TimeSpan.FromSeconds(200), draw) is null) return null;
        world.SettleNow();
        if (!world.GoOnUntil(node, "sends issue", draw)) return null;
        var lease = world.Promises.Look().Leases.MaxBy(row => row.IssueDeadline)!;
        world.Next = Model.Turn.ActsLater;
        world.RunOut(node, draw);
        return lease;
    }

    /// <summary>A lease that was just delivered.</summary>
    private LeaseSeen? Fresh(Draw draw, ModelNode node, string role)
    {
        if (work.IssueFresh(node, role, TimeSpan.FromSeconds(draw.Of([15, 20])), draw) is not { } issuing) return null;
        world.RunOut(node, draw, issuing);
        var sight = world.Promises.Look();
        return sight.Leases.Where(row => row.State == LeaseState.Active && !sight.DeadInEffect(row)).MaxBy(row => row.IssueDeadline);
    }
}

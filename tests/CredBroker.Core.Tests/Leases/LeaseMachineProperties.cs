using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CsCheck;
using static CredBroker.Core.Tests.Leases.TestLeases;

namespace CredBroker.Core.Tests.Leases;

/// <summary>Whatever happens, in whatever order and at whatever time.</summary>
public sealed class LeaseMachineProperties
{
    private static readonly Gen<DateTimeOffset> Instants = Gen.Int[0, 7200].Select(seconds => Start.AddSeconds(seconds));

    private static readonly Gen<Handle> Handles = Gen.Int[1, 9].Select(number => new Handle($"oid:{number}"));

    private static readonly Gen<LeaseEvent> Events = Gen.OneOf<LeaseEvent>(
        Gen.Select(Handles, Instants).Select(pair => (LeaseEvent)new LeaseEvent.Issued(pair.Item1, pair.Item2)),
        Handles.Select(handle => (LeaseEvent)new LeaseEvent.HandleRecorded(handle)),
        Instants.Select(at => (LeaseEvent)new LeaseEvent.NothingMade(Error(at))),
        Instants.Select(at => (LeaseEvent)new LeaseEvent.IssueOutcomeUnknown(Error(at))),
        Gen.Const((LeaseEvent)new LeaseEvent.IssueDeadlinePassed()),
        Gen.OneOf(new[] { EndReason.TaskEnded, EndReason.Revoked, EndReason.Expired, EndReason.Suspended, EndReason.Superseded, EndReason.GroupOverflowed }.Select(Gen.Const).ToArray()).Select(reason => (LeaseEvent)new LeaseEvent.Ended(reason)),
        Instants.Select(until => (LeaseEvent)new LeaseEvent.Claimed(until)),
        Instants.Select(until => (LeaseEvent)new LeaseEvent.GivenBack(until)),
        Gen.Select(Instants, Instants, Gen.Bool).Select(three => (LeaseEvent)new LeaseEvent.AttemptFailed(Error(three.Item1), three.Item2, three.Item3)),
        Instants.Select(until => (LeaseEvent)new LeaseEvent.Settling(until, "waits", null)),
        Instants.Select(at => (LeaseEvent)new LeaseEvent.ProvenGone(Gone(at))),
        Instants.Select(at => (LeaseEvent)new LeaseEvent.ProvenExpired(Gone(at))),
        Gen.Const((LeaseEvent)new LeaseEvent.Reappeared("listing")),
        Instants.Select(at => (LeaseEvent)new LeaseEvent.RenewalIntended(at)),
        Instants.Select(at => (LeaseEvent)new LeaseEvent.Renewed(at)),
        Instants.Select(at => (LeaseEvent)new LeaseEvent.FoundAlive(at)),
        Instants.Select(at => (LeaseEvent)new LeaseEvent.WrittenOff(new Evidence("asserted", "gone", at))));

    private static readonly Gen<(LeaseEvent Event, bool Live, int Later)[]> Histories = Gen.Select(Events, Gen.Bool, Gen.Int[0, 600]).Array[0, 30];

    [Test]
    public void Every_step_keeps_the_promises() => Histories.Sample(history => Walk(history, Check), iter: 20_000);

    private static void Walk((LeaseEvent Event, bool Live, int Later)[] history, Action<Lease, Lease, LeaseEvent, bool, DateTimeOffset> check)
    {
        var lease = Pending();
        var now = Start;
        foreach (var (@event, live, later) in history)
        {
            now = now.AddSeconds(later);
            if (LeaseMachine.Apply(lease, @event, live, now) is not LeaseStep.Moved(var next)) continue;
            check(lease, next, @event, live, now);
            lease = next;
        }
    }

    private static void Check(Lease before, Lease after, LeaseEvent @event, bool live, DateTimeOffset now)
    {
        Require(after.Version == before.Version + 1, "the version grows by one");
        Require(after.Fence >= before.Fence, "the fence never goes back");
        Require(after.PossibleDeathAt >= before.PossibleDeathAt, "the possible death only grows");
        Require(after.MaxExpiresAt == before.MaxExpiresAt, "the end of all renewals is fixed");
        Require(after.ExpiresAt <= after.MaxExpiresAt, "no expiry passes it");
        Require(after.Unproven == (after.DueAt is not null), "there is work for what is not proven dead, and for nothing else");
        Require(after.Handle is not null || before.Handle is null, "a handle is never lost");
        Require(!before.IssueAnswered || after.IssueAnswered, "an answer is never forgotten");
        Require(after.State != LeaseState.Pending || before.State == LeaseState.Pending, "nothing becomes pending again");
        if (after.State == LeaseState.Active && before.State != LeaseState.Active) Require((live || @event is LeaseEvent.FoundAlive) && before.State == LeaseState.Pending, "only a pending lease that lives, or was found alive, becomes active");
        if (before.State == LeaseState.Revoking && !after.Unproven)
            Require(@event is LeaseEvent.ProvenGone or LeaseEvent.ProvenExpired or LeaseEvent.WrittenOff or LeaseEvent.NothingMade, "nothing leaves revoking without proof");
        if (after.State == LeaseState.Revoked && before.State != LeaseState.Revoked && !after.Asserted)
            Require(before.MayStillArriveUntil is not { } bound || now > bound, "not there proves nothing before the late effect's bound");
        if (after.State == LeaseState.Void) Require(after.Handle is null, "what was recorded is never void");
        if (after.State == LeaseState.Void && before.State != LeaseState.Void) Require(after.FirstAttemptAt is null, "what an attempt may have left at the target is never void");
        if (after.State == LeaseState.Expired && before.State != LeaseState.Expired) Require(after.Evidence!.ObservedAt >= after.PossibleDeathAt, "expiry is by the possible death");
        if (after.State is LeaseState.Revoked or LeaseState.Expired) Require(after.Evidence is not null && after.ClosedAt is not null, "there is evidence");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }
}

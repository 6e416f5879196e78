using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using static CredBroker.Core.Tests.Leases.TestLeases;

namespace CredBroker.Core.Tests.Leases;

public sealed class LeaseMachineTests
{
    [Test]
    public void An_answer_in_time_makes_a_lease_active_until_its_expiry()
    {
        var lease = Active();
        Assert.Multiple(() =>
        {
            Assert.That(lease.State, Is.EqualTo(LeaseState.Active));
            Assert.That(lease.DueAt, Is.EqualTo(lease.ExpiresAt));
            Assert.That(lease.MayStillArriveUntil, Is.Null);
        });
    }

    [Test]
    public void An_answer_for_a_lease_that_is_dead_in_effect_brings_its_handle_and_is_revoked()
    {
        var lease = Step(Pending(), new LeaseEvent.Issued(new Handle("oid:1"), Start.AddMinutes(15)), Start.AddSeconds(1), live: false);
        Assert.Multiple(() =>
        {
            Assert.That(lease.State, Is.EqualTo(LeaseState.Revoking));
            Assert.That(lease.Handle!.Value, Is.EqualTo("oid:1"));
            Assert.That(lease.DueAt, Is.EqualTo(Start.AddSeconds(1)));
        });
    }

    [Test]
    public void An_expiry_longer_than_asked_raises_the_possible_death_and_not_the_expiry()
    {
        var lease = Step(Pending(), new LeaseEvent.Issued(null, Start.AddHours(5)), Start.AddSeconds(1));
        Assert.Multiple(() =>
        {
            Assert.That(lease.PossibleDeathAt, Is.EqualTo(Start.AddHours(5)));
            Assert.That(lease.ExpiresAt, Is.EqualTo(Start.AddMinutes(15)));
        });
    }

    [Test]
    public void Not_there_proves_nothing_while_the_call_may_still_take_effect()
    {
        var unknown = Step(Pending(), new LeaseEvent.IssueOutcomeUnknown(Error(Start)), Start.AddSeconds(1));
        var early = Step(unknown, new LeaseEvent.ProvenGone(Gone(Start.AddSeconds(40))), Start.AddSeconds(40));
        var late = Step(early, new LeaseEvent.ProvenGone(Gone(Start.AddSeconds(41))), Start.AddSeconds(41));
        Assert.Multiple(() =>
        {
            Assert.That(early.State, Is.EqualTo(LeaseState.Revoking), "the bound is the deadline of 30 s and the late effect of 10 s");
            Assert.That(early.DueAt, Is.GreaterThan(Start.AddSeconds(40)));
            Assert.That(late.State, Is.EqualTo(LeaseState.Revoked));
        });
    }

    [Test]
    public void A_late_answer_reopens_a_lease_that_was_proven_dead()
    {
        var dead = Step(Step(Pending(), new LeaseEvent.IssueDeadlinePassed(), Start.AddSeconds(30)), new LeaseEvent.ProvenGone(Gone(Start.AddSeconds(60))), Start.AddSeconds(60));
        var back = Step(dead, new LeaseEvent.Issued(new Handle("oid:9"), Start.AddMinutes(15)), Start.AddSeconds(70));
        Assert.Multiple(() =>
        {
            Assert.That(back.State, Is.EqualTo(LeaseState.Revoking));
            Assert.That(back.EndReason, Is.EqualTo(EndReason.Reappeared));
            Assert.That(back.Evidence, Is.Null);
            Assert.That(back.Handle!.Value, Is.EqualTo("oid:9"));
        });
    }

    [Test]
    public void A_late_handle_starts_the_attempts_anew_and_takes_the_claim_away()
    {
        var claimed = Step(Step(Pending(), new LeaseEvent.IssueDeadlinePassed(), Start.AddSeconds(30)), new LeaseEvent.Claimed(Start.AddMinutes(2)), Start.AddSeconds(31));
        var answered = Step(claimed, new LeaseEvent.Issued(new Handle("oid:9"), Start.AddMinutes(15)), Start.AddSeconds(32));
        Assert.Multiple(() =>
        {
            Assert.That(answered.Fence, Is.GreaterThan(claimed.Fence));
            Assert.That(answered.DueAt, Is.EqualTo(Start.AddSeconds(32)));
        });
    }

    [Test]
    public void Nothing_made_voids_a_pending_lease_for_good()
    {
        var lease = Step(Pending(), new LeaseEvent.NothingMade(Error(Start, ProviderFault.Denied)), Start.AddSeconds(1));
        Assert.Multiple(() =>
        {
            Assert.That(lease.State, Is.EqualTo(LeaseState.Void));
            Assert.That(lease.Unproven, Is.False);
            Assert.That(lease.DueAt, Is.Null);
        });
    }

    [Test]
    public void Nothing_made_is_not_believed_once_a_handle_was_recorded()
    {
        var halfway = Step(Pending(), new LeaseEvent.HandleRecorded(new Handle("step-1")), Start.AddSeconds(1));
        Assert.That(Step(halfway, new LeaseEvent.NothingMade(null), Start.AddSeconds(2)).State, Is.EqualTo(LeaseState.Revoking));
    }

    [Test]
    public void A_late_yes_moves_no_bound_once_an_attempt_has_begun()
    {
        var dying = Step(Pending(), new LeaseEvent.Ended(EndReason.TaskEnded), Start.AddSeconds(1));
        var claimed = Step(dying, new LeaseEvent.Claimed(Start.AddSeconds(31)), Start.AddSeconds(1));
        var answered = Step(claimed, new LeaseEvent.Issued(new Handle("oid:9"), Start.AddMinutes(15)), Start.AddSeconds(2));
        Assert.That((answered.State, answered.DueAt, answered.Handle?.Value), Is.EqualTo((LeaseState.Revoking, (DateTimeOffset?)Start.AddSeconds(2), "oid:9")), "it is revoked at once");
        Assert.That(answered.MayStillArriveUntil, Is.EqualTo(claimed.MayStillArriveUntil), "the attempt that saw nothing may still take its name");
        Assert.That(Step(answered, new LeaseEvent.ProvenGone(Gone(Start.AddSeconds(8))), Start.AddSeconds(8)).State, Is.EqualTo(LeaseState.Revoking));

        var first = Step(dying, new LeaseEvent.Issued(new Handle("oid:9"), Start.AddMinutes(15)), Start.AddSeconds(2));
        Assert.That(first.MayStillArriveUntil, Is.Null, "nobody has looked yet");
    }

    [Test]
    public void Nothing_made_is_not_believed_once_an_attempt_to_revoke_has_begun()
    {
        var dying = Step(Pending(), new LeaseEvent.IssueDeadlinePassed(), Start.AddSeconds(30));
        Assert.That(Step(dying, new LeaseEvent.NothingMade(null), Start.AddSeconds(31)).State, Is.EqualTo(LeaseState.Void));

        // It may have taken the name at the target: that is taken away by whoever proves it.
        var claimed = Step(dying, new LeaseEvent.Claimed(Start.AddMinutes(2)), Start.AddSeconds(31));
        Assert.That(LeaseMachine.Apply(claimed, new LeaseEvent.NothingMade(null), live: false, Start.AddSeconds(32)), Is.InstanceOf<LeaseStep.Unchanged>());
        var settling = Step(claimed, new LeaseEvent.Settling(Start.AddSeconds(40), "It settles.", new Handle("tombstone")), Start.AddSeconds(32));
        Assert.That(LeaseMachine.Apply(settling, new LeaseEvent.NothingMade(null), live: false, Start.AddSeconds(33)), Is.InstanceOf<LeaseStep.Unchanged>());
    }

    [Test]
    public void An_expire_only_credential_is_expired_only_past_its_possible_death_by_the_providers_clock()
    {
        var early = Step(Revoking(), new LeaseEvent.ProvenExpired(Gone(Start.AddMinutes(14))), Start.AddMinutes(16));
        var late = Step(early, new LeaseEvent.ProvenExpired(Gone(Start.AddMinutes(15))), Start.AddMinutes(16));
        Assert.Multiple(() =>
        {
            Assert.That(early.State, Is.EqualTo(LeaseState.Revoking));
            Assert.That(late.State, Is.EqualTo(LeaseState.Expired));
        });
    }

    [Test]
    public void A_renewal_never_passes_the_end_that_was_fixed_at_issue()
    {
        Assert.That(LeaseMachine.Apply(Active(), new LeaseEvent.RenewalIntended(Start.AddHours(1).AddTicks(10)), live: true, Start.AddMinutes(1)), Is.InstanceOf<LeaseStep.Refused>());
        var renewed = Step(Active(), new LeaseEvent.Renewed(Start.AddHours(9)), Start.AddMinutes(1));
        Assert.Multiple(() =>
        {
            Assert.That(renewed.ExpiresAt, Is.EqualTo(Start.AddHours(1)));
            Assert.That(renewed.PossibleDeathAt, Is.EqualTo(Start.AddHours(9)));
        });
    }

    [Test]
    public void A_renewal_in_the_last_second_makes_nothing_immortal()
    {
        var lease = Active();
        for (var minute = 1; minute < 60; minute++)
            lease = Step(lease, new LeaseEvent.Renewed(Start.AddMinutes(minute + 30)), Start.AddMinutes(minute));
        Assert.That(lease.ExpiresAt, Is.EqualTo(lease.MaxExpiresAt));
    }

    [Test]
    public void A_lease_that_died_while_it_was_renewed_stays_dead_and_remembers_how_long_it_may_live()
    {
        var renewed = Step(Revoking(), new LeaseEvent.Renewed(Start.AddMinutes(40)), Start.AddMinutes(1));
        Assert.Multiple(() =>
        {
            Assert.That(renewed.State, Is.EqualTo(LeaseState.Revoking));
            Assert.That(renewed.PossibleDeathAt, Is.EqualTo(Start.AddMinutes(40)));
        });
    }

    [Test]
    public void A_suspension_moves_a_lease_that_is_being_revoked_to_the_first_lane()
    {
        Assert.That(Step(Revoking(), new LeaseEvent.Ended(EndReason.Suspended), Start.AddSeconds(3)).Lane, Is.EqualTo(Lane.Suspension));
    }

    [Test]
    public void What_is_written_off_is_never_shown_as_proven()
    {
        var lease = Step(Revoking(), new LeaseEvent.WrittenOff(new Evidence("asserted", "the host burnt down", Start.AddDays(1))), Start.AddDays(1));
        Assert.Multiple(() =>
        {
            Assert.That(lease.Asserted, Is.True);
            Assert.That(lease.EndReason, Is.EqualTo(EndReason.WrittenOff));
        });
    }

    [Test]
    public void What_is_found_alive_longer_than_its_row_knows_was_renewed_and_never_past_its_fixed_end()
    {
        var renewed = Step(Active(), new LeaseEvent.FoundAlive(Start.AddMinutes(40)), Start.AddMinutes(20), live: false);
        Assert.That((renewed.State, renewed.ExpiresAt, renewed.DueAt, renewed.PossibleDeathAt), Is.EqualTo((LeaseState.Active, Start.AddMinutes(40), (DateTimeOffset?)Start.AddMinutes(40), Start.AddMinutes(40))));
        var beyond = Step(Active(), new LeaseEvent.FoundAlive(Start.AddHours(9)), Start.AddMinutes(20), live: false);
        Assert.That((beyond.ExpiresAt, beyond.PossibleDeathAt), Is.EqualTo((beyond.MaxExpiresAt, Start.AddHours(9))));
        foreach (var known in new DateTimeOffset?[] { null, Start.AddMinutes(15), Start.AddMinutes(15).AddMilliseconds(900) })
            Assert.That(LeaseMachine.Apply(Active(), new LeaseEvent.FoundAlive(known), live: true, Start.AddMinutes(2)), Is.InstanceOf<LeaseStep.Unchanged>());
        foreach (var dying in new[] { Revoking(), Revoked() })
            Assert.That(LeaseMachine.Apply(dying, new LeaseEvent.FoundAlive(Start.AddHours(9)), live: false, Start.AddMinutes(2)), Is.InstanceOf<LeaseStep.Unchanged>());
    }

    [Test]
    public void What_is_pending_and_found_alive_after_its_bound_was_issued()
    {
        var pending = Pending();
        Assert.That(LeaseMachine.Apply(pending, new LeaseEvent.FoundAlive(null), live: true, Start.AddSeconds(40)), Is.InstanceOf<LeaseStep.Unchanged>(), "it may be on its way");
        var found = Step(pending, new LeaseEvent.FoundAlive(null), Start.AddSeconds(41));
        Assert.That((found.State, found.ActivatedAt, found.DueAt, found.MayStillArriveUntil), Is.EqualTo((LeaseState.Active, (DateTimeOffset?)Start.AddSeconds(41), (DateTimeOffset?)pending.ExpiresAt, (DateTimeOffset?)null)));
    }

    [Test]
    public void Only_what_is_due_can_be_claimed()
    {
        var claimed = Step(Revoking(), new LeaseEvent.Claimed(Start.AddMinutes(1)), Start.AddSeconds(3));
        Assert.That(LeaseMachine.Apply(claimed, new LeaseEvent.Claimed(Start.AddMinutes(1)), live: false, Start.AddSeconds(4)), Is.InstanceOf<LeaseStep.Unchanged>());
        Assert.That(LeaseMachine.Apply(Active(), new LeaseEvent.Claimed(Start.AddMinutes(1)), live: true, Start.AddSeconds(4)), Is.InstanceOf<LeaseStep.Refused>());
    }
}

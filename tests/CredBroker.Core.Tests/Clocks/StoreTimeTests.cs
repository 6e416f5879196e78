using CredBroker.Core.Clocks;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Clocks;

/// <summary>The store's time: by a reference and the monotonic clock, never back, and in doubt about jumps.</summary>
public sealed class StoreTimeTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Doubt = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Test]
    public void A_jump_ahead_of_the_own_clock_is_held_for_a_while_and_then_believed()
    {
        var (passing, machine, time) = Own();
        machine.Ahead = Hour;
        passing.Advance(TimeSpan.FromSeconds(10));
        Assert.That(time.GetUtcNow(), Is.EqualTo(Start.AddSeconds(10)), "by the monotonic clock");
        Assert.That(time.Latest, Is.EqualTo(Start.AddSeconds(10) + Hour));
        Assert.That(time.State.TimeHolds, Is.True);
        Assert.That(time.State.WhyNoIssue, Does.Contain("3600 s"));

        passing.Advance(Doubt);
        Assert.That(time.GetUtcNow(), Is.EqualTo(Start.AddSeconds(10) + Doubt + Hour), "it has stood");
        Assert.That(time.State, Is.EqualTo(new ClockState(TimeSpan.Zero, TimeSpan.Zero, null)));
    }

    [Test]
    public void A_jump_that_is_taken_back_changes_nothing()
    {
        foreach (var jump in (TimeSpan[])[Hour, -Hour])
        {
            var (passing, machine, time) = Own();
            machine.Ahead = jump;
            passing.Advance(TimeSpan.FromSeconds(10));
            Assert.That(time.State.TimeHolds, Is.True);
            machine.Ahead = TimeSpan.Zero;
            Assert.That(time.GetUtcNow(), Is.EqualTo(Start.AddSeconds(10)));
            Assert.That(time.State.TimeHolds, Is.False);
            Assert.That(time.State.WhyNoIssue, Is.Null);
        }
    }

    [Test]
    public void A_jump_back_never_takes_time_back_and_issues_nothing_until_it_is_caught_up()
    {
        var (passing, machine, time) = Own();
        machine.Ahead = -Hour;
        time.GetUtcNow();
        passing.Advance(Doubt);
        var stands = time.GetUtcNow();
        Assert.That(stands, Is.EqualTo(Start + Doubt).Within(Doubt), "it went on while it was in doubt");
        Assert.That(time.State.TimeHolds, Is.False, "it is believed");
        Assert.That(time.State.WhyNoIssue, Does.Contain("off the store's time"));
        for (var i = 0; i < 11; i++)
        {
            passing.Advance(TimeSpan.FromMinutes(5));
            Assert.That(time.GetUtcNow(), Is.EqualTo(stands), "it stands until the clock is there");
        }

        passing.Advance(TimeSpan.FromMinutes(6));
        Assert.That(time.GetUtcNow(), Is.EqualTo(machine.GetUtcNow()).And.GreaterThan(stands));
        Assert.That(time.State.WhyNoIssue, Is.Null);
    }

    [Test]
    public void What_is_far_behind_what_was_committed_issues_nothing()
    {
        var (_, _, time) = Own();
        time.Raise(Start + Hour);
        Assert.That(time.GetUtcNow(), Is.EqualTo(Start + Hour));
        Assert.That(time.State.WhyNoIssue, Does.Contain("-3600 s"));
        Assert.That(time.State.TimeHolds, Is.False, "what was due by a committed time is due");
    }

    [Test]
    public void A_node_whose_clock_is_ahead_goes_by_the_database()
    {
        var passing = new FakeTimeProvider(Start);
        var machine = new SteppedClock(passing) { Ahead = TimeSpan.FromSeconds(90) };
        var time = new StoreTime(machine, ownClock: false, Doubt);
        Assert.That(time.GetUtcNow(), Is.EqualTo(machine.GetUtcNow()), "before it was read there is no other");
        time.Read(passing.GetUtcNow(), passing.GetTimestamp(), TimeSpan.FromMilliseconds(1));
        Assert.That(time.GetUtcNow(), Is.EqualTo(Start), "what was given before does not hold it up");
        Assert.That(time.State.Offset, Is.EqualTo(TimeSpan.FromSeconds(90)));
        Assert.That(time.State.WhyNoIssue, Does.Contain("90 s off"));

        machine.Ahead = TimeSpan.FromHours(-1);
        passing.Advance(TimeSpan.FromSeconds(10));
        Assert.That(time.GetUtcNow(), Is.EqualTo(Start.AddSeconds(10)), "its own jumps are nothing to it");
        Assert.That(time.State.TimeHolds, Is.False);
    }

    [Test]
    public void A_database_whose_clock_jumps_is_not_believed_at_once_either()
    {
        var passing = new FakeTimeProvider(Start);
        var time = new StoreTime(passing, ownClock: false, Doubt);
        time.Read(passing.GetUtcNow(), passing.GetTimestamp(), TimeSpan.Zero);
        time.Read(passing.GetUtcNow() + Hour, passing.GetTimestamp(), TimeSpan.Zero);
        Assert.That(time.GetUtcNow(), Is.EqualTo(Start));
        Assert.That(time.State.TimeHolds, Is.True);
        passing.Advance(Doubt);
        time.Read(passing.GetUtcNow() + Hour, passing.GetTimestamp(), TimeSpan.Zero);
        Assert.That(time.GetUtcNow(), Is.EqualTo(Start + Doubt + Hour));
        Assert.That(time.State.WhyNoIssue, Does.Contain("-3600 s off"), "this machine's clock is not the database's");
    }

    [Test]
    public void An_uncertain_time_ends_nothing()
    {
        var passing = new FakeTimeProvider(Start);
        var time = new StoreTime(passing, ownClock: false, Doubt);
        time.Read(passing.GetUtcNow(), passing.GetTimestamp(), TimeSpan.FromSeconds(1.1));
        Assert.That(time.State.WhyTimeHolds, Does.Contain("uncertain by 1.1 s"));
        time.Read(passing.GetUtcNow(), passing.GetTimestamp(), TimeSpan.FromSeconds(0.1));
        Assert.That(time.State.WhyTimeHolds, Is.Null);
        passing.Advance(Hour);
        Assert.That(time.State.WhyTimeHolds, Is.Not.Null, "an old reading grows uncertain");
    }

    [Test]
    public void Small_steps_and_a_sleeping_process_are_no_jumps()
    {
        var (passing, machine, time) = Own();
        machine.Ahead = TimeSpan.FromMilliseconds(-900);
        var before = time.GetUtcNow();
        passing.Advance(TimeSpan.FromMilliseconds(500));
        Assert.That(time.GetUtcNow(), Is.EqualTo(before).Or.GreaterThan(before));
        passing.Advance(TimeSpan.FromDays(1));
        Assert.That(time.GetUtcNow(), Is.EqualTo(machine.GetUtcNow()));
        Assert.That(time.State.TimeHolds, Is.False);
    }

    private static (FakeTimeProvider Passing, SteppedClock Machine, StoreTime Time) Own()
    {
        var passing = new FakeTimeProvider(Start);
        var machine = new SteppedClock(passing);
        var time = new StoreTime(machine, ownClock: true, Doubt);
        time.GetUtcNow();
        return (passing, machine, time);
    }
}

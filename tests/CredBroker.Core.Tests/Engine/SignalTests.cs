namespace CredBroker.Core.Tests.Engine;

public sealed class SignalTests
{
    [Test]
    public void Taking_where_there_is_nothing_wakes_nobody_and_loses_nobody()
    {
        var signals = new Signals();
        var waiting = signals.Wait();
        signals.Take();
        Assert.That(waiting.IsCompleted, Is.False, "else every look would start the next one");
        signals.Set();
        Assert.That(waiting.IsCompleted, Is.True);
    }

    [Test]
    public void What_was_taken_is_signalled_no_more_and_what_comes_after_is()
    {
        var signals = new Signals();
        signals.Set();
        signals.Set();
        signals.Take();
        Assert.That(signals.Wait().IsCompleted, Is.False);
        signals.Set();
        Assert.That(signals.Wait().IsCompleted, Is.True);
    }
}

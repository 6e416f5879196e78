using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>What is written first.</summary>
public sealed class WriteQueueTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private static readonly LockSet Exclusive = new() { Exclusive = true };

    [Test]
    public void What_takes_rights_away_comes_before_what_gives_them_and_each_in_its_order()
    {
        var queue = Queue();
        var (later, first, renewal, end, settle, second) = (Add(queue, Urgency.Later), Add(queue, Urgency.New), Add(queue, Urgency.Renew), Add(queue, Urgency.End), Add(queue, Urgency.Settle), Add(queue, Urgency.New));
        Assert.That(queue.Take(4, apart: false), Is.EqualTo([settle, end, renewal, first]));
        Assert.That(queue.Take(4, apart: false), Is.EqualTo([second, later]));
        Assert.That(queue.Count, Is.Zero);
    }

    [Test]
    public void An_end_that_shares_no_batch_is_kept_out_by_no_stream_of_answers()
    {
        var queue = Queue();
        var end = Add(queue, Urgency.End, Exclusive);
        for (var i = 0; i < 3; i++) Add(queue, Urgency.Settle);
        var reserve = Add(queue, Urgency.New);
        var first = queue.Take(64, apart: true);
        Assert.That(first, Has.Count.EqualTo(4).And.Member(reserve), "whom the end puts off does not wait for it either");
        Add(queue, Urgency.Settle);
        Assert.That(queue.Take(64, apart: true), Is.EqualTo([end]));
        Assert.That(queue.Take(64, apart: true), Has.Count.EqualTo(1));
    }

    [Test]
    public void What_is_new_is_refused_once_the_oldest_has_waited_too_long_and_nothing_else_is()
    {
        var queue = Queue();
        Add(queue, Urgency.New);
        _time.Advance(TimeSpan.FromSeconds(1));
        Add(queue, Urgency.New);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(() => Add(queue, Urgency.New), Throws.InstanceOf<StoreUnavailableException>().With.Property("RetryAfter").EqualTo(TimeSpan.FromSeconds(1)).And.Property("OutcomeUnknown").False);
        foreach (var urgency in (Urgency[])[Urgency.Settle, Urgency.End, Urgency.Renew, Urgency.Later]) Add(queue, urgency);
        queue.Take(4, apart: false);
        Assert.That(queue.Age, Is.EqualTo(TimeSpan.FromMilliseconds(1)), "the second one's");
        Add(queue, Urgency.New);
    }

    [Test]
    public void A_full_queue_has_room_left_for_ends()
    {
        var queue = Queue(length: 2);
        Add(queue, Urgency.New);
        Add(queue, Urgency.Later);
        Assert.That(() => Add(queue, Urgency.New), Throws.InstanceOf<StoreUnavailableException>());
        Add(queue, Urgency.Settle);
        Add(queue, Urgency.End);
        Assert.That(() => Add(queue, Urgency.End), Throws.InstanceOf<StoreUnavailableException>(), "but not without end");
    }

    [Test]
    public async Task Who_gave_up_is_passed_over_and_a_closed_queue_is_emptied_first()
    {
        var queue = Queue();
        using var patience = new CancellationTokenSource();
        var abandoned = new Intention<bool>(Urgency.New, LockSet.None, _ => Task.FromResult(true), patience.Token);
        queue.Add(abandoned);
        var kept = Add(queue, Urgency.New);
        await patience.CancelAsync();
        queue.Complete();
        Assert.That(() => Add(queue, Urgency.End), Throws.InstanceOf<StoreUnavailableException>().With.Message.Contains("closed"));
        Assert.That(await queue.WaitAsync(), Is.True);
        Assert.That(queue.Take(64, apart: true), Is.EqualTo([kept]));
        Assert.That(async () => await abandoned.Answered, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await queue.WaitAsync(), Is.False);
    }

    private WriteQueue Queue(int length = 100) => new(length, TimeSpan.FromSeconds(1), _time);

    private static Intention<bool> Add(WriteQueue queue, Urgency urgency, LockSet? locks = null)
    {
        var intention = new Intention<bool>(urgency, locks ?? LockSet.None, _ => Task.FromResult(true), CancellationToken.None);
        queue.Add(intention);
        return intention;
    }
}

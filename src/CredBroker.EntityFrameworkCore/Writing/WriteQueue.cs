using System.Diagnostics.CodeAnalysis;
using CredBroker.Core.Leases;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>
/// What waits to be written, by its urgency and then in its order. What is new is refused when the oldest of its kind has waited for too long: a caller that is told
/// so at once can go elsewhere, while one whose answer comes too late would have a credential issued only to be revoked.
/// </summary>
internal sealed class WriteQueue(int length, TimeSpan longestAge, TimeProvider time)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly Urgency[] All = Enum.GetValues<Urgency>();
    private readonly Lock _gate = new();
    private readonly Queue<Intention>[] _waiting = [.. All.Select(_ => new Queue<Intention>())];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Urgency? _putOff;
    private int _count;
    private bool _completed;

    /// <summary>How many wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many wait, by urgency.</summary>
    public int CountOf(Urgency urgency)
    {
        lock (_gate) return _waiting[(int)urgency].Count;
    }

    /// <summary>How long the oldest that is new has waited.</summary>
    public TimeSpan Age
    {
        get
        {
            lock (_gate) return AgeOfNew();
        }
    }

    /// <summary>Puts one in.</summary>
    /// <exception cref="StoreUnavailableException">There is no room for it, or it would wait for too long, or the store is closed.</exception>
    public void Add(Intention intention)
    {
        lock (_gate)
        {
            if (_completed) throw new StoreUnavailableException("The store is closed.", outcomeUnknown: false);
            // What takes rights away, or tells of what has happened, has room of its own beside everything else.
            var room = intention.Urgency >= Urgency.New ? length : 2 * length;
            if (_count >= room) throw new StoreUnavailableException("More changes wait to be written than the store takes at once.", outcomeUnknown: false) { RetryAfter = RetryAfter };
            if (intention.Urgency == Urgency.New && AgeOfNew() > longestAge)
                throw new StoreUnavailableException("Changes wait too long to be written: nothing new is taken until that is better.", outcomeUnknown: false) { RetryAfter = RetryAfter };
            intention.Since = time.GetTimestamp();
            _waiting[(int)intention.Urgency].Enqueue(intention);
            _count++;
            _changed.TrySetResult();
        }
    }

    /// <summary>No more is taken; what waits is still to be written.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            _changed.TrySetResult();
        }
    }

    /// <summary>Waits until something is there. False when nothing is, and nothing will be.</summary>
    public async Task<bool> WaitAsync()
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_count > 0) return true;
                if (_completed) return false;
                if (_changed.Task.IsCompleted) _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                changed = _changed.Task;
            }

            await changed;
        }
    }

    /// <summary>
    /// Takes what is committed together. With <paramref name="apart"/> those that lock exclusively share no batch with others; whom that puts off begins the next one,
    /// so that no stream of more urgent ones keeps it out for ever.
    /// </summary>
    public List<Intention> Take(int most, bool apart)
    {
        lock (_gate)
        {
            var batch = new List<Intention>();
            var first = _putOff;
            _putOff = null;
            foreach (var urgency in first is { } turn ? [turn, .. All.Where(other => other != turn)] : All)
            {
                while (batch.Count < most && TryNext(urgency, out var next))
                {
                    if (apart && batch.Count > 0 && batch[0].Locks.Exclusive != next.Locks.Exclusive)
                    {
                        _putOff ??= urgency;
                        break;
                    }

                    _waiting[(int)urgency].Dequeue();
                    _count--;
                    batch.Add(next);
                }
            }

            return batch;
        }
    }

    /// <summary>The next whose caller still waits; those that are given up are answered on the way.</summary>
    private bool TryNext(Urgency urgency, [MaybeNullWhen(false)] out Intention next)
    {
        while (_waiting[(int)urgency].TryPeek(out next))
        {
            if (!next.Abandoned) return true;
            _waiting[(int)urgency].Dequeue();
            _count--;
            next.Cancel();
        }

        return false;
    }

    private TimeSpan AgeOfNew() => _waiting[(int)Urgency.New].TryPeek(out var oldest) ? time.GetElapsedTime(oldest.Since) : TimeSpan.Zero;
}

namespace CredBroker.Core.Clocks;

/// <summary>
/// The time that all nodes share: the store's. A reference tells it (PostgreSQL's own clock; beside SQLite this machine's), and in between it goes on by the
/// monotonic clock, so that a jump of this machine's clock changes nothing. It never goes back, also across restarts. A reading that contradicts what passed by
/// the monotonic clock is not believed at once: meanwhile nothing is ended on the word of time, and nothing is issued.
/// </summary>
public sealed class StoreTime : TimeProvider
{
    /// <summary>How far a reading may be from what the monotonic clock says, beside its own uncertainty.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    /// <summary>How far this machine's clock may be from the store's before nothing is issued.</summary>
    public static readonly TimeSpan LargestOffset = TimeSpan.FromSeconds(30);

    // The monotonic clocks of two machines drift apart by less than this: what passed since a reading adds to its uncertainty.
    private const double Drift = 500e-6;
    private readonly Lock _gate = new();
    private readonly TimeProvider _machine;
    private readonly TimeSpan _doubtFor;
    private readonly bool _ownClock;
    private bool _read;
    private DateTimeOffset _reading;
    private long _readAt;
    private TimeSpan _uncertainty;
    private DateTimeOffset _highest;
    private (TimeSpan Jump, long Since)? _doubt;

    /// <summary>Begins with nothing read.</summary>
    /// <param name="machine">This machine's clocks.</param>
    /// <param name="ownClock">Whether this machine's clock is the reference. Otherwise <see cref="Read"/> tells it, and until then this machine's is taken.</param>
    /// <param name="doubtFor">How long a jump is not believed.</param>
    public StoreTime(TimeProvider machine, bool ownClock, TimeSpan doubtFor)
    {
        ArgumentNullException.ThrowIfNull(machine);
        (_machine, _ownClock, _doubtFor) = (machine, ownClock, doubtFor);
    }

    /// <summary>How this node stands to the store's time.</summary>
    public ClockState State
    {
        get
        {
            var now = GetUtcNow();
            lock (_gate)
            {
                var uncertainty = _ownClock || !_read ? TimeSpan.Zero : _uncertainty + (_machine.GetElapsedTime(_readAt) * Drift);
                return new ClockState(_machine.GetUtcNow() - now, uncertainty, _doubt?.Jump);
            }
        }
    }

    /// <summary>The latest that it may be: where a jump is not believed yet, what it says. What refuses, and can be undone, goes by this.</summary>
    public DateTimeOffset Latest => GetUtcNow() + (State.Doubt is { } jump && jump > TimeSpan.Zero ? jump : TimeSpan.Zero);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            if (_ownClock) Take(_machine.GetUtcNow(), _machine.GetTimestamp(), TimeSpan.Zero);
            var now = _ownClock || _read ? _reading + _machine.GetElapsedTime(_readAt) : _machine.GetUtcNow();
            if (now > _highest) _highest = now;
            return _highest;
        }
    }

    /// <summary>The reference was read as <paramref name="reading"/> at the machine's <paramref name="timestamp"/>, give or take <paramref name="uncertainty"/>.</summary>
    public void Read(DateTimeOffset reading, long timestamp, TimeSpan uncertainty)
    {
        lock (_gate)
        {
            // What was given before the first reading was this machine's, and does not hold the store's time up.
            if (!_read && !_ownClock) _highest = default;
            Take(reading, timestamp, uncertainty);
        }
    }

    /// <summary>This was committed: nothing is earlier from here on.</summary>
    public void Raise(DateTimeOffset to)
    {
        lock (_gate)
        {
            if (to > _highest) _highest = to;
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => _machine.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => _machine.LocalTimeZone;

    /// <inheritdoc/>
    public override long GetTimestamp() => _machine.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _machine.CreateTimer(callback, state, dueTime, period);

    private void Take(DateTimeOffset reading, long timestamp, TimeSpan uncertainty)
    {
        var jump = _read ? reading - (_reading + _machine.GetElapsedTime(_readAt, timestamp)) : TimeSpan.Zero;
        if (jump.Duration() > Tolerance + uncertainty)
        {
            if (_doubt is not { } doubt || (doubt.Jump - jump).Duration() > Tolerance + uncertainty) _doubt = (jump, timestamp);
            // Until it has stood, nothing of it is taken.
            if (_machine.GetElapsedTime(_doubt.Value.Since, timestamp) < _doubtFor) return;
        }

        (_read, _reading, _readAt, _uncertainty, _doubt) = (true, reading, timestamp, uncertainty, null);
    }
}

namespace CredBroker.Core.Pressure;

/// <summary>
/// Whether this node's store can take what is new. Under pressure nothing new is opened or issued, and denials are not recorded; ends, revocations and what targets
/// have answered go on, by the room and the time that this leaves them.
/// </summary>
public sealed class StorePressure(TimeProvider time)
{
    // Long enough that a full disk is not tried by every caller, short enough that nobody waits long once there is room.
    private static readonly TimeSpan FullFor = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private long? _fullAt;
    private bool _lowSpace;

    /// <summary>How long the oldest that is new has waited to be written.</summary>
    public Func<TimeSpan> QueueAge { get; set; } = () => TimeSpan.Zero;

    /// <summary>How many changes wait to be written.</summary>
    public Func<int> QueueLength { get; set; } = () => 0;

    /// <summary>How long that may be before nothing new is taken.</summary>
    public TimeSpan LongestAge { get; set; } = TimeSpan.MaxValue;

    /// <summary>The bytes that are free where the database is; null where nobody knows.</summary>
    public long? FreeBytes { get; private set; }

    /// <summary>Whether there is too little room for what is new.</summary>
    public bool LowSpace
    {
        get
        {
            lock (_gate) return _lowSpace || (_fullAt is { } at && time.GetElapsedTime(at) < FullFor);
        }
    }

    /// <summary>Why nothing new is taken, and when to try again; null when it is.</summary>
    public BrokerError? Refusal =>
        LowSpace ? Errors.Unavailable("The broker's database has no room for more: nothing new is opened or issued until somebody makes some. Ends and revocations go on.", TimeSpan.FromSeconds(30))
        : QueueAge() > LongestAge ? Errors.Unavailable("The broker has more to write than it can. Try again.", TimeSpan.FromSeconds(1))
        : null;

    /// <summary>The database found no room for a change.</summary>
    public void WasFull()
    {
        lock (_gate) _fullAt = time.GetTimestamp();
    }

    /// <summary>So much is free, and so much is kept back for ends and revocations.</summary>
    public void Measured(long? free, long keptBack)
    {
        lock (_gate)
        {
            FreeBytes = free;
            _lowSpace = free < keptBack;
        }
    }
}

namespace CredBroker.Testing.Conformance;

/// <summary>How a target can fail a provider.</summary>
public enum TargetFault
{
    /// <summary>It asks for fewer calls, and does nothing of what it was asked for.</summary>
    Throttled = 1,

    /// <summary>It refuses the broker: a permission was taken away. It does nothing of what it was asked for.</summary>
    Denied = 2,

    /// <summary>It does what it was asked for, and the connection breaks before it answers. What only reads is answered.</summary>
    AnswerLost = 3,

    /// <summary>From the first call that changes something on, it does what it was asked for, if it can, and never answers anything.</summary>
    Hanging = 4,

    /// <summary>It answers what changes something half a second of real time late, at least once.</summary>
    Slow = 5,

    /// <summary>Its clock is <see cref="Misbehaviour.ClockOffset"/> behind the broker's.</summary>
    ClockBehind = 6,
}

namespace CredBroker.Abstractions;

/// <summary>What is at fault: it decides whether the provider or only the lease backs off, and who must act.</summary>
public enum ProviderFault
{
    /// <summary>The target did not answer.</summary>
    Unreachable = 1,

    /// <summary>The target asks for fewer calls.</summary>
    Throttled = 2,

    /// <summary>The target refuses the broker: a permission is missing or was taken away.</summary>
    Denied = 3,

    /// <summary>The registered configuration or the role's template cannot work there.</summary>
    Misconfigured = 4,

    /// <summary>The target cannot do this at all.</summary>
    NotSupported = 5,

    /// <summary>The target answers as another one than the lease was issued from.</summary>
    TargetMismatch = 6,

    /// <summary>Only this credential is concerned: the target works otherwise.</summary>
    Credential = 7,
}

/// <summary>What a failed call may have left behind at the target.</summary>
public enum ProviderEffect
{
    /// <summary>Something may have been made, or may still be: the default, and the safe one.</summary>
    Unknown = 0,

    /// <summary>Definitely nothing was made, and nothing will be.</summary>
    None = 1,
}

/// <summary>A provider could not do what it was asked for.</summary>
public sealed class ProviderException : Exception
{
    /// <summary>Describes the failure.</summary>
    /// <param name="fault">What is at fault.</param>
    /// <param name="words">The provider's own words: for administrators only, and without any secret.</param>
    /// <param name="effect">What the call may have left behind.</param>
    /// <param name="retryAfter">How long the target asked to wait, if it did.</param>
    /// <param name="innerException">The cause, whose message must not hold a secret either.</param>
    public ProviderException(
        ProviderFault fault, string words, ProviderEffect effect = ProviderEffect.Unknown, TimeSpan? retryAfter = null, Exception? innerException = null)
        : base(words, innerException)
    {
        Fault = fault;
        Effect = effect;
        RetryAfter = retryAfter;
    }

    /// <summary>What is at fault.</summary>
    public ProviderFault Fault { get; }

    /// <summary>What the call may have left behind.</summary>
    public ProviderEffect Effect { get; }

    /// <summary>How long the target asked to wait, if it did.</summary>
    public TimeSpan? RetryAfter { get; }
}

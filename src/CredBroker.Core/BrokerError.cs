using CredBroker.Abstractions;

namespace CredBroker.Core;

/// <summary>Why something was refused. The one error model: the transport maps the reason to a status.</summary>
/// <param name="Reason">A constant of <see cref="Reasons"/>.</param>
/// <param name="Message">What is wrong and what to do, for the caller.</param>
public sealed record BrokerError(string Reason, string Message)
{
    /// <summary>The members of the request that are wrong: all of them.</summary>
    public IReadOnlyList<ValidationError> Violations { get; init; } = [];

    /// <summary>When trying again may help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Facts for machines, such as the decision's id or the quota's name.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}

/// <summary>What came of a call: a value, or why there is none.</summary>
public abstract record Result<T>
{
    private Result()
    {
    }

    /// <summary>It was done.</summary>
    public sealed record Ok(T Value) : Result<T>;

    /// <summary>It was refused; nothing happened.</summary>
    public sealed record Refused(BrokerError Error) : Result<T>;

    /// <summary>A value is a success.</summary>
    public static implicit operator Result<T>(T value) => new Ok(value);

    /// <summary>An error is a refusal.</summary>
    public static implicit operator Result<T>(BrokerError error) => new Refused(error);

    /// <summary>One of the two.</summary>
    public TOut Match<TOut>(Func<T, TOut> ok, Func<BrokerError, TOut> refused)
    {
        ArgumentNullException.ThrowIfNull(ok);
        ArgumentNullException.ThrowIfNull(refused);
        return this switch { Ok(var value) => ok(value), Refused(var error) => refused(error), _ => throw new InvalidOperationException() };
    }
}

using CredBroker.Contracts.V1;
using Grpc.Core;

namespace CredBroker.Client;

/// <summary>A field that breaks the contract's rules.</summary>
/// <param name="Field">Its path in the request, such as <c>provider.config.host</c>.</param>
/// <param name="Description">What is wrong with it.</param>
public sealed record FieldViolation(string Field, string Description);

/// <summary>The broker refused a call, or could not be reached. The only exception that the client throws for either.</summary>
public sealed class BrokerException(StatusCode code, string reason, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The gRPC status.</summary>
    public StatusCode Code { get; } = code;

    /// <summary>Why, in UPPER_SNAKE_CASE (see <c>docs/errors.md</c>); empty when no broker answered.</summary>
    public string Reason { get; } = reason;

    /// <summary>Why; unspecified when no broker answered, or a newer one gave a reason that this client doesn't know.</summary>
    public ErrorReason KnownReason { get; } = ErrorReasons.Parse(reason);

    /// <summary>More about the reason, such as the decision that denied.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Every field that breaks a rule.</summary>
    public IReadOnlyList<FieldViolation> FieldViolations { get; init; } = [];

    /// <summary>How long to wait before trying again, where waiting helps.</summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>What isn't there, where something isn't.</summary>
    public string? ResourceName { get; init; }

    /// <summary>No answer of a broker came: whether the call had an effect isn't known.</summary>
    public bool AnswerLost =>
        Reason.Length == 0 && Code is (StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Unknown);
}

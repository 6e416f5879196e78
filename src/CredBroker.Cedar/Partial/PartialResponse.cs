using System.Collections.Immutable;

namespace CredBroker.Cedar;

/// <summary>What can be said of a <see cref="PartialRequest"/>.</summary>
public abstract record PartialResponse
{
    private PartialResponse(ImmutableArray<Policy> mayFail) => MayFail = mayFail;

    /// <summary>The policies whose evaluation fails, or may fail once everything is known. Cedar skips those that do.</summary>
    public ImmutableArray<Policy> MayFail { get; }

    /// <summary>Allowed, whatever the unknown turns out to be.</summary>
    /// <param name="Determining">The permits that certainly apply.</param>
    /// <param name="MayFail">See <see cref="PartialResponse.MayFail"/>.</param>
    public sealed record Allow(ImmutableArray<Policy> Determining, ImmutableArray<Policy> MayFail) : PartialResponse(MayFail);

    /// <summary>Denied, whatever the unknown turns out to be.</summary>
    /// <param name="Determining">The forbids that certainly apply; none if no permit can.</param>
    /// <param name="MayFail">See <see cref="PartialResponse.MayFail"/>.</param>
    public sealed record Deny(ImmutableArray<Policy> Determining, ImmutableArray<Policy> MayFail) : PartialResponse(MayFail);

    /// <summary>It depends on these policies.</summary>
    /// <param name="On">The policies that may apply or not.</param>
    /// <param name="MayFail">See <see cref="PartialResponse.MayFail"/>.</param>
    public sealed record Depends(ImmutableArray<Policy> On, ImmutableArray<Policy> MayFail) : PartialResponse(MayFail);
}

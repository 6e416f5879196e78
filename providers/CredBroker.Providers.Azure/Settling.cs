using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure;

/// <summary>
/// When a removal counts. Azure's directory answers from copies, so whatever was removed is looked for again; and what the credential opened before may go
/// on for a time that depends on its kind.
/// </summary>
internal static class Settling
{
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ThirdLook = TimeSpan.FromMinutes(2);

    /// <summary>What to answer, given that nothing is left to remove now.</summary>
    /// <param name="request">What is revoked.</param>
    /// <param name="handle">What is known, with <see cref="AzureHandle.RemovedAt"/> of an earlier look.</param>
    /// <param name="target">The target's identity.</param>
    /// <param name="removed">Something was still there, and was removed in this look.</param>
    /// <param name="now">The target's clock.</param>
    /// <param name="residual">How long after the removal the credential may still open something, if anyone had it.</param>
    /// <param name="evidence">What to say once it is over.</param>
    public static RevokeOutcome Judge(RevokeRequest request, AzureHandle? handle, string target, bool removed, DateTimeOffset now, TimeSpan residual, Func<AzureHandle, Evidence> evidence)
    {
        // Without a handle nothing was delivered as far as the broker knows; but what was there and is not explained may have been.
        var known = handle ?? new AzureHandle { Target = target, Delivered = removed };
        var removedAt = removed ? now : known.RemovedAt ?? (known.Delivered ? now : (DateTimeOffset?)null);
        known = known with { RemovedAt = removedAt, Seen = known.Seen || removed };

        DateTimeOffset? until = null;
        var reason = "";
        if (removedAt is { } since)
        {
            var over = since + (known.Delivered && residual > SecondLook ? residual : SecondLook);
            if (known.TokensEndAt is { } tokens && tokens < over && tokens > since + SecondLook) over = tokens;
            if (now < over)
            {
                until = NextLook(since, now, over, known.Seen);
                reason = known.Delivered ? "It is removed. What was opened with it before may still count, or live, until then." : "It is removed, and is looked for once more.";
            }
        }

        if (until is null && request.MayStillArriveUntil is { } arrival && now <= arrival)
        {
            until = arrival.AddSeconds(1);
            reason = "It is not there. The issuing call may still arrive.";
        }

        return until is { } at ? new RevokeOutcome.Settling(target, at, reason, known.Seal()) : new RevokeOutcome.Gone(target, evidence(known));
    }

    // Soon after a removal, in case the answer came from a copy that had not heard; once more if it was never seen at all; then when it is over.
    private static DateTimeOffset NextLook(DateTimeOffset since, DateTimeOffset now, DateTimeOffset over, bool seen)
    {
        var next = now < since + SecondLook ? since + SecondLook : !seen && now < since + ThirdLook ? since + ThirdLook : over;
        return next < over ? next : over;
    }
}

using System.Globalization;

namespace CredBroker.Core.Clocks;

/// <summary>How a node stands to the store's time.</summary>
/// <param name="Offset">This machine's clock less the store's time.</param>
/// <param name="Uncertainty">How far off the store's time may be, as this node knows it.</param>
/// <param name="Doubt">By how much the reference jumped and is not believed; null when there is no doubt.</param>
public sealed record ClockState(TimeSpan Offset, TimeSpan Uncertainty, TimeSpan? Doubt)
{
    private static readonly TimeSpan MostUncertain = TimeSpan.FromSeconds(1);

    /// <summary>Whether nothing may be ended on the word of time alone. What somebody ended, revoked or suspended goes on.</summary>
    public bool TimeHolds => Doubt is not null || Uncertainty > MostUncertain;

    /// <summary>Why nothing is issued here; null when it is.</summary>
    public string? WhyNoIssue => (Doubt, Offset) switch
    {
        ({ } jump, _) when jump.Duration() > StoreTime.LargestOffset => string.Create(CultureInfo.InvariantCulture, $"The clock jumped by {jump.TotalSeconds:0} s, and is not believed yet."),
        (_, var offset) when offset.Duration() > StoreTime.LargestOffset => string.Create(CultureInfo.InvariantCulture, $"This machine's clock is {offset.TotalSeconds:0} s off the store's time."),
        _ => null,
    };

    /// <summary>Why nothing is ended by time; null when it is.</summary>
    public string? WhyTimeHolds => Doubt is { } jump
        ? string.Create(CultureInfo.InvariantCulture, $"The clock jumped by {jump.TotalSeconds:0.0} s: nothing is ended by time until it is back, or has stood.")
        : TimeHolds ? string.Create(CultureInfo.InvariantCulture, $"The store's time is uncertain by {Uncertainty.TotalSeconds:0.0} s: nothing is ended by time.") : null;
}

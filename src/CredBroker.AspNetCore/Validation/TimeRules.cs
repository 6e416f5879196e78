using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.AspNetCore.Validation;

/// <summary>What the contract's rules say about instants and durations. Binary messages can hold some that no conversion survives.</summary>
internal static class TimeRules
{
    private const long MostSeconds = 315_576_000_000;
    private const long FirstSecond = -62_135_596_800;
    private const long LastSecond = 253_402_300_799;

    public static string? Fault(Duration value, Rules? rules)
    {
        if (value.Seconds is < -MostSeconds or > MostSeconds || value.Nanos is < -999_999_999 or > 999_999_999
            || (value.Seconds < 0 && value.Nanos > 0) || (value.Seconds > 0 && value.Nanos < 0))
        {
            return "It is not a duration.";
        }

        if (rules?.MinDuration is { } least && value.CompareTo(least) < 0) return $"It is shorter than {Text(least)}.";
        return rules?.MaxDuration is { } most && value.CompareTo(most) > 0 ? $"It is longer than {Text(most)}." : null;
    }

    public static string? Fault(Timestamp value) =>
        value.Seconds is < FirstSecond or > LastSecond || value.Nanos is < 0 or > 999_999_999 ? "It is not a point in time." : null;

    private static string Text(Duration value) => value.ToString().Trim('"');
}

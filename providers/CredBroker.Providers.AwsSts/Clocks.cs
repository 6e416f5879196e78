namespace CredBroker.Providers.AwsSts;

/// <summary>AWS tells its clock in whole seconds.</summary>
internal static class Clocks
{
    /// <summary>
    /// When to look again for something that must be reached by AWS's clock: not within the second that its clock may still show, and not at once if that
    /// clock is behind ours.
    /// </summary>
    public static DateTimeOffset NextLook(this TimeProvider time, DateTimeOffset ready)
    {
        var at = Ceiling(ready);
        var next = Ceiling(time.GetUtcNow()).AddSeconds(1);
        return at > next ? at : next;
    }

    private static DateTimeOffset Ceiling(DateTimeOffset instant) =>
        instant.Ticks % TimeSpan.TicksPerSecond is > 0 and var rest ? instant.AddTicks(TimeSpan.TicksPerSecond - rest) : instant;
}

namespace CredBroker.Quartz;

/// <summary>Something that must be looked at again and again.</summary>
/// <param name="Name">Its name, which is the job's too.</param>
/// <param name="LongestPause">It is looked at this often at least, whatever the last look said.</param>
/// <param name="LookAsync">Looks once, starts what is due without awaiting it, and answers when to look next.</param>
public sealed record Work(string Name, TimeSpan LongestPause, Func<CancellationToken, Task<DateTimeOffset>> LookAsync)
{
    /// <summary>Completes once there is work before its time; null where nothing signals.</summary>
    public Func<Task>? Signalled { get; init; }

    /// <summary>Takes the signal.</summary>
    public Action? Take { get; init; }
}

namespace AwsAgent;

/// <summary>Asks again until something holds, or patience is over.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>The last answer.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> holds, TimeSpan patience)
    {
        using var timer = new PeriodicTimer(Pause);
        for (var waited = TimeSpan.Zero; ; waited += Pause)
        {
            var answer = await ask();
            if (holds(answer) || waited >= patience) return answer;
            await timer.WaitForNextTickAsync();
        }
    }
}

using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure;

/// <summary>
/// The steps of one issue. None starts past the deadline; one that the service refused because it has not heard of the step before is tried again, since
/// a refusal has no effect; and once anything was made, no failure is called definite.
/// </summary>
internal sealed class IssueSteps(TimeProvider time, DateTimeOffset deadline)
{
    // Time for the answer: what is asked for later than this could only be answered to nobody.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(4);
    private bool _made;

    /// <summary>Runs all of them.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> issue)
    {
        try
        {
            return await issue().ConfigureAwait(false);
        }
        catch (ProviderException e) when (_made && e.Effect == ProviderEffect.None)
        {
            throw new ProviderException(e.Fault, e.Message, ProviderEffect.Unknown, e.RetryAfter);
        }
    }

    /// <summary>Writes the plan down before anything is made, or what was learned in between.</summary>
    public async Task RecordAsync(IIssueJournal journal, AzureHandle handle, CancellationToken cancellationToken)
    {
        RequireTime();
        if (!await journal.RecordAsync(handle.Seal(), cancellationToken).ConfigureAwait(false))
            throw new ProviderException(ProviderFault.Credential, "The lease is not wanted any more.", ProviderEffect.None);
    }

    /// <summary>Something was made.</summary>
    public void Made() => _made = true;

    /// <exception cref="ProviderException">The deadline has passed.</exception>
    public void RequireTime()
    {
        if (time.GetUtcNow() >= deadline) throw new ProviderException(ProviderFault.Unreachable, "The deadline passed before everything was made.", ProviderEffect.None);
    }

    /// <summary>Sends a call that makes something. <paramref name="lags"/>: whether a refusal may only mean that the step before has not spread yet.</summary>
    public async Task<AzureAnswer> MakeAsync(Func<Task<AzureAnswer>> send, Func<AzureAnswer, bool> lags, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            RequireTime();
            var answer = await send().ConfigureAwait(false);
            if (answer.Succeeded)
            {
                _made = true;
                return answer;
            }

            if (!lags(answer) || !HasTimeFor(pause)) throw Faults.Of(answer, makes: true);
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether there is time to wait this long and then to ask once more.</summary>
    public bool HasTimeFor(TimeSpan pause) => time.GetUtcNow() + pause + Margin < deadline;
}

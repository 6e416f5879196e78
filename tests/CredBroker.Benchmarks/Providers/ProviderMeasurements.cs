using System.Diagnostics;
using System.Globalization;
using CredBroker.Abstractions;

namespace CredBroker.Benchmarks.Providers;

/// <summary>Issue and revoke through a provider against the stand-in of its target: how fast the broker's side of it is, and how many calls a lease costs.</summary>
internal static class ProviderMeasurements
{
    public static async Task<bool> RunAsync(ProviderScenario scenario, int callers, TimeSpan duration)
    {
        await using var target = await scenario.Start();
        var trips = await CountAsync(target);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{scenario.Name}: {trips.Issue} round trips to issue, {trips.Revoke} to revoke"));
        var (issued, revoked) = (new Samples(), new Samples());
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Math.Min(callers, scenario.MostCallers)).Select(async _ =>
        {
            while (Stopwatch.GetElapsedTime(started) < duration) await OnceAsync(target, issued, revoked);
        }));
        issued.Elapsed = revoked.Elapsed = Stopwatch.GetElapsedTime(started);
        Console.WriteLine(issued.Summary($"{scenario.Name}, issued"));
        Console.WriteLine(revoked.Summary($"{scenario.Name}, revoked"));
        return issued.Failures + revoked.Failures == 0;
    }

    // The first one also pays for the log-in: it is not counted.
    private static async Task<(int Issue, int Revoke)> CountAsync(MeasuredTarget target)
    {
        await OnceAsync(target, new Samples(), new Samples());
        var (request, before) = (target.NewRequest(), target.RoundTrips);
        var credential = await target.Provider.IssueAsync(request, Journal.Instance, CancellationToken.None);
        var between = target.RoundTrips;
        await target.Provider.RevokeAsync(Revoking(request, credential.Handle), CancellationToken.None);
        return (between - before, target.RoundTrips - between);
    }

    private static async Task OnceAsync(MeasuredTarget target, Samples issued, Samples revoked)
    {
        try
        {
            var request = target.NewRequest();
            var start = Stopwatch.GetTimestamp();
            var credential = await target.Provider.IssueAsync(request, Journal.Instance, CancellationToken.None);
            issued.Add(Stopwatch.GetElapsedTime(start));
            start = Stopwatch.GetTimestamp();
            await target.Provider.RevokeAsync(Revoking(request, credential.Handle), CancellationToken.None);
            revoked.Add(Stopwatch.GetElapsedTime(start));
        }
        catch (ProviderException e)
        {
            issued.Fail(e.Fault.ToString());
            await Console.Error.WriteLineAsync(e.Message);
        }
    }

    private static RevokeRequest Revoking(IssueRequest request, Handle? handle) => new()
    {
        LeaseId = request.LeaseId,
        ExternalName = request.ExternalName,
        Handle = handle,
        RoleKind = request.RoleKind,
        Mark = request.Mark,
        PossibleDeathAt = request.ExpiresAt,
    };

    private sealed class Journal : IIssueJournal
    {
        public static Journal Instance { get; } = new();

        public Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}

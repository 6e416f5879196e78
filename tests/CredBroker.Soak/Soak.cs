using System.Diagnostics;
using System.Globalization;
using CredBroker.Server.Tests.Crashes;
using CredBroker.TestSupport.Postgres;
using Npgsql;

namespace CredBroker.Soak;

/// <summary>
/// Two nodes on a PostgreSQL of their own, which is their target too. Meanwhile the second node is killed and frozen, PostgreSQL is killed, and the role
/// suspended. The first node lives from the beginning to the end: it is the one whose memory may not grow.
/// </summary>
internal sealed class Soak : IAsyncDisposable
{
    private const int Turnover = 10;
    private const int MostStarts = 5;
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongerThanAClaim = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(5);
    private readonly KillableServer _postgres;
    private readonly Cluster _cluster;
    private readonly Load _load;
    private readonly Memory _memory = new();
    private readonly List<string> _wrong = [];
    private long _ticks;

    private Soak(KillableServer postgres, Cluster cluster, Load load) => (_postgres, _cluster, _load) = (postgres, cluster, load);

    public static async Task<Soak> StartAsync(int agents)
    {
        var postgres = await KillableServer.StartAsync();
        var cluster = await Cluster.StartAsync(
            2, "{attemptTimeout: 5s, claimFor: 6s, issueDeadline: 6s, issuesPerMinutePerWorkload: 100000}", await postgres.CreateDatabaseAsync(), await postgres.CreateDatabaseAsync("target"));
        return new Soak(postgres, cluster, await Load.StartAsync(cluster, agents, Turnover));
    }

    /// <summary>Runs, and says what it sees each minute. Answers whether all is well.</summary>
    public async Task<bool> RunAsync(TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        while (Stopwatch.GetElapsedTime(started) < duration && await timer.WaitForNextTickAsync())
        {
            _memory.Take(_cluster.Node(0).Id);
            await FaultAsync(++_ticks);
            if (_ticks % 12 == 0) await TellAsync(Stopwatch.GetElapsedTime(started));
        }

        await _load.StopAsync();
        var over = Stopwatch.GetTimestamp();
        IReadOnlyList<string> left;
        while ((left = await Remains.LeftAsync(_cluster)).Count > 0 && Stopwatch.GetElapsedTime(over) < Bound) await timer.WaitForNextTickAsync();
        await TellAsync(Stopwatch.GetElapsedTime(started));
        var (early, late, grew) = _memory.Verdict();
        var (chains, broken) = await Remains.ChainsAsync(_cluster);
        Console.WriteLine(Invariant($"over {Stopwatch.GetElapsedTime(over).TotalSeconds:0} s after the last end; {chains} chains of audit events; memory of the first node {early:0} MiB early, {late:0} MiB late"));
        foreach (var finding in _wrong.Concat(left).Concat(broken).Concat(_load.Findings)) Console.WriteLine($"WRONG: {finding}");
        if (grew) Console.WriteLine("WRONG: memory grows");
        return !grew && _wrong.Count + left.Count + broken.Count + _load.Findings.Count == 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _load.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    // By number of the tick, five seconds each: no two of them at once.
    private Task FaultAsync(long tick) => (tick % 60) switch
    {
        2 or 14 or 26 or 38 or 50 => _load.SuspendAsync(),
        6 or 30 => KillNodeAsync(),
        18 => FreezeNodeAsync(),
        43 => KillPostgresAsync(),
        _ => Task.CompletedTask,
    };

    private async Task KillNodeAsync()
    {
        await _cluster.KillNodeAsync(1);
        Console.WriteLine("the second node was killed");
        for (var left = MostStarts; ; left--)
        {
            try
            {
                await _cluster.StartNodeAsync(1);
                return;
            }
            catch (InvalidOperationException e) when (left > 1)
            {
                // A machine that others keep busy may take longer than a test would wait.
                Console.WriteLine($"and was not ready in time: {e.Message}");
            }
        }
    }

    private async Task FreezeNodeAsync()
    {
        _cluster.Node(1).Freeze();
        // Only real time passes for a process that stands still.
        await Task.Delay(LongerThanAClaim, TimeProvider.System);
        _cluster.Node(1).Thaw();
        Console.WriteLine("the second node stood still");
    }

    private async Task KillPostgresAsync()
    {
        _postgres.Kill();
        Console.WriteLine("PostgreSQL was killed");
        await _postgres.StartAgainAsync();
    }

    private async Task TellAsync(TimeSpan elapsed)
    {
        try
        {
            _wrong.AddRange((await Remains.WrongNowAsync(_cluster)).Select(wrong => Invariant($"after {elapsed.TotalSeconds:0} s: {wrong}")));
            var (unproven, all) = (await _cluster.CountAsync("leases WHERE state <= 3"), await _cluster.CountAsync("leases"));
            Console.WriteLine(Invariant($"{elapsed.TotalMinutes,5:0.0} min  {_memory.Latest,4:0} MiB  {unproven} of {all} leases not proven dead; {_load.Summary}"));
        }
        catch (NpgsqlException e)
        {
            Console.WriteLine(Invariant($"{elapsed.TotalMinutes,5:0.0} min  PostgreSQL does not answer: {e.Message}"));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

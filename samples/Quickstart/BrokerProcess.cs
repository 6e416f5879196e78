using System.Diagnostics;
using System.Reflection;

namespace Quickstart;

/// <summary>The real server, as a process of its own.</summary>
internal sealed class BrokerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(20);
    private readonly Process _process;
    private readonly Queue<string> _lastLines = new();

    private BrokerProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    public static async Task<BrokerProcess> StartAsync(string configuration, Uri http, CancellationToken cancellationToken)
    {
        var server = typeof(BrokerProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "ServerPath").Value!;
        // A shell's own settings of the broker are not this one's.
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { server, "--config", configuration }) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("CREDBROKER__", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        var broker = new BrokerProcess(Process.Start(start)!);
        broker._process.BeginOutputReadLine();
        broker._process.BeginErrorReadLine();
        try
        {
            await broker.WaitUntilReadyAsync(http, cancellationToken);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>The process, for those who want to see what survives its sudden end.</summary>
    public int Id => _process.Id;

    /// <summary>Completes when the process has ended.</summary>
    public Task WaitForExitAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Terminate();
            using var bound = new CancellationTokenSource(StopBound);
            try
            {
                await _process.WaitForExitAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        _process.Dispose();
    }

    private async Task WaitUntilReadyAsync(Uri http, CancellationToken cancellationToken)
    {
        using var client = new HttpClient();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var started = Stopwatch.GetTimestamp();
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (_process.HasExited) throw new QuickstartException($"The server ended at its start:\n{LastLines()}");
            if (Stopwatch.GetElapsedTime(started) > StartBound) throw new QuickstartException($"The server was not ready in time:\n{LastLines()}");
            try
            {
                using var answer = await client.GetAsync(new Uri(http, "/readyz"), cancellationToken);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                continue; // It does not listen yet.
            }
        }
    }

    // SIGTERM, as a service manager sends it: the server finishes what it holds.
    private void Terminate()
    {
        if (OperatingSystem.IsWindows()) _process.Kill(entireProcessTree: true);
        else _ = Kill(_process.Id, 15);
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_lastLines)
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > 40) _lastLines.Dequeue();
        }
    }

    private string LastLines()
    {
        lock (_lastLines) return string.Join('\n', _lastLines);
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}

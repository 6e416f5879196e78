using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CredBroker.Server.Configuration;

namespace CredBroker.TestSupport.Server;

/// <summary>The real server as a process of its own: what a test kills, and what a benchmark measures.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(180);
    private readonly Process _process;
    private readonly List<string> _lines = [];

    private ServerProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What it has printed so far.</summary>
    public string Output
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines);
        }
    }

    /// <summary>Its id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts it with these arguments.</summary>
    public static ServerProcess Start(IReadOnlyDictionary<string, string>? environment, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(ServerConfiguration).Assembly.Location);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        // A shell's own settings of the broker are not this one's.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("CREDBROKER__", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new ServerProcess(Process.Start(start)!);
    }

    /// <summary>Runs it to its end. Answers its exit code and what it printed.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        await using var server = Start(environment, arguments);
        return (await server.WaitForExitAsync(), server.Output);
    }

    /// <summary>Starts it with a configuration and waits until it is ready at this address.</summary>
    /// <param name="configuration">The configuration's file.</param>
    /// <param name="http">Where it answers.</param>
    /// <param name="handler">What it is asked by; null for the usual.</param>
    public static async Task<ServerProcess> StartReadyAsync(string configuration, Uri http, HttpMessageHandler? handler = null)
    {
        var server = Start(null, "--config", configuration);
        try
        {
            await server.WaitUntilReadyAsync(http, handler);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ports on loopback that nobody listens on now.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }

    /// <summary>Asks it to stop, as a service manager does (SIGTERM), and answers its exit code.</summary>
    public async Task<int> StopAsync()
    {
        if (!_process.HasExited) Signal(_process.Id, 15);
        return await WaitForExitAsync();
    }

    /// <summary>Kills it at once (SIGKILL).</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await WaitForExitAsync();
    }

    /// <summary>Lets it stand still (SIGSTOP): as a machine does that was paused.</summary>
    public void Freeze() => Signal(_process.Id, 19);

    /// <summary>Lets it go on (SIGCONT).</summary>
    public void Thaw() => Signal(_process.Id, 18);

    /// <summary>Waits for its end, within a bound.</summary>
    public async Task<int> WaitForExitAsync()
    {
        using var bound = new CancellationTokenSource(Bound);
        await _process.WaitForExitAsync(bound.Token);
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private async Task WaitUntilReadyAsync(Uri http, HttpMessageHandler? handler)
    {
        using var client = handler is null ? new HttpClient() : new HttpClient(handler, disposeHandler: false);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var started = Stopwatch.GetTimestamp();
        while (await timer.WaitForNextTickAsync())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(started) > Bound) throw new InvalidOperationException($"The server did not become ready:\n{Output}");
            try
            {
                using var answer = await client.GetAsync(new Uri(http, "/readyz"));
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                continue; // It does not listen yet.
            }
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_lines) _lines.Add(line);
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int process, int signal);

    private static void Signal(int process, int signal) => _ = SendSignal(process, signal);
}

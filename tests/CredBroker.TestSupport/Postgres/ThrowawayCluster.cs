using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Npgsql;

namespace CredBroker.TestSupport.Postgres;

/// <summary>A cluster in a temporary folder, on a free port of the loopback, gone with this process.</summary>
internal static class ThrowawayCluster
{
    // Prepared transactions are on, because they can block a role's end.
    private const string Settings = "-c listen_addresses=127.0.0.1 -c max_connections=200 -c max_prepared_transactions=20 -c timezone=UTC";

    // Nothing here outlives the run of a test. What measures keeps PostgreSQL's own settings.
    private const string NotDurable = " -c fsync=off -c full_page_writes=off";

    // Held, so that the pipe's end is not closed by the garbage collector.
    private static readonly List<Process> Guards = [];

    public static async Task<PostgresServer.Found> StartAsync(PostgresBinaries binaries, bool durable = false)
    {
        // Servers refuse to run as root; Debian's package brings a user for it.
        var isRoot = Environment.UserName == "root";
        if (isRoot && (await RunAsync("id", "postgres")).ExitCode != 0)
            return new PostgresServer.Found.None("this is root, and there is no user postgres to run the server as.");

        var folder = Directory.CreateTempSubdirectory("credbroker-postgres-").FullName;
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var passwordFile = Path.Combine(folder, "password");
        await File.WriteAllTextAsync(passwordFile, password).ConfigureAwait(false);
        if (isRoot) await RunOrThrowAsync(false, "chown", "-R", "postgres", folder);

        await RunOrThrowAsync(isRoot, binaries["initdb"], "-D", Path.Combine(folder, "data"), "-U", "postgres", "-A", "scram-sha-256", $"--pwfile={passwordFile}", "-E", "UTF8", "--locale=C", "--no-sync");
        return await StartAsync(binaries, isRoot, folder, password, durable);
    }

    /// <summary>A standby of another cluster, which it follows until it is promoted.</summary>
    public static async Task<PostgresServer.Found.Server> FollowAsync(PostgresBinaries binaries, string primary)
    {
        var isRoot = Environment.UserName == "root";
        var settings = new NpgsqlConnectionStringBuilder(primary);
        var folder = Directory.CreateTempSubdirectory("credbroker-postgres-").FullName;
        if (isRoot) await RunOrThrowAsync(false, "chown", "-R", "postgres", folder);
        var source = string.Create(CultureInfo.InvariantCulture, $"host={settings.Host} port={settings.Port} user={settings.Username} password={settings.Password}");
        await RunOrThrowAsync(isRoot, binaries["pg_basebackup"], "-D", Path.Combine(folder, "data"), "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync");
        return await StartAsync(binaries, isRoot, folder, settings.Password!, durable: false);
    }

    private static async Task<PostgresServer.Found.Server> StartAsync(PostgresBinaries binaries, bool isRoot, string folder, string password, bool durable)
    {
        var data = Path.Combine(folder, "data");
        var port = FreePort();
        await RunOrThrowAsync(
            isRoot, binaries["pg_ctl"], "-D", data, "-w", "-t", "60", "-l", Path.Combine(folder, "log"),
            "-o", string.Create(CultureInfo.InvariantCulture, $"{Settings}{(durable ? "" : NotDurable)} -c port={port} -c unix_socket_directories={folder}"), "start");
        StopWithThisProcess(folder, As(isRoot, binaries["pg_ctl"], "-D", data, "-m", "immediate", "-w", "-t", "10", "stop"));
        return new PostgresServer.Found.Server(
            string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=postgres;Password={password};Database=postgres"));
    }

    // A shell waits for the end of a pipe that only this process holds: that works however this process ends. Handlers at its end
    // do not, because the test runner kills it 100 ms later.
    private static void StopWithThisProcess(string folder, string[] stop)
    {
        const string script = "cat >/dev/null; \"$@\" >/dev/null 2>&1; rm -rf \"$0\"";
        var guard = Process.Start(new ProcessStartInfo("setsid", ["/bin/sh", "-c", $"exec >/dev/null 2>&1; {script}", folder, .. stop])
        {
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        });
        Guards.Add(guard!);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string[] As(bool isRoot, params string[] command) => isRoot ? ["runuser", "-u", "postgres", "--", .. command] : command;

    internal static async Task RunOrThrowAsync(bool isRoot, params string[] command)
    {
        var (exitCode, output) = await RunAsync(As(isRoot, command)).ConfigureAwait(false);
        if (exitCode != 0) throw new InvalidOperationException($"{Path.GetFileName(command[0])} ended with {exitCode}: {output}");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(params string[] command)
    {
        // The server inherits the standard streams, and would keep a pipe open for its whole life: they go to a file.
        var log = Path.GetTempFileName();
        try
        {
            using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >\"$0\" 2>&1 </dev/null", log, .. command])
            {
                WorkingDirectory = Path.GetTempPath(),
            })!;
            await process.WaitForExitAsync().ConfigureAwait(false);
            return (process.ExitCode, await File.ReadAllTextAsync(log).ConfigureAwait(false));
        }
        finally
        {
            File.Delete(log);
        }
    }
}

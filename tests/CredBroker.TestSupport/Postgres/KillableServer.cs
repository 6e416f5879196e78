using System.Diagnostics;
using System.Globalization;
using Npgsql;
using NUnit.Framework;

namespace CredBroker.TestSupport.Postgres;

/// <summary>A PostgreSQL server of one test's own, that it kills and starts again. Stopped with this process, like the shared one.</summary>
public sealed class KillableServer
{
    private readonly PostgresBinaries _binaries;
    private readonly string _superuser;
    private readonly string _data;

    private KillableServer(PostgresBinaries binaries, string superuser, string data) => (_binaries, _superuser, _data) = (binaries, superuser, data);

    /// <summary>Starts one. The test is skipped, with the reason, where none can be started.</summary>
    public static async Task<KillableServer> StartAsync()
    {
        if (PostgresBinaries.Find() is not { } binaries) throw new IgnoreException("initdb and postgres are neither on the path nor in /usr/lib/postgresql/*/bin.");
        if (await ThrowawayCluster.StartAsync(binaries).ConfigureAwait(false) is not PostgresServer.Found.Server server) throw new IgnoreException("no server of its own can be started here.");
        return await OfAsync(binaries, server).ConfigureAwait(false);
    }

    /// <summary>Its port.</summary>
    public int Port => new NpgsqlConnectionStringBuilder(_superuser).Port;

    /// <summary>Starts a standby that follows it.</summary>
    public async Task<KillableServer> FollowAsync() => await OfAsync(_binaries, await ThrowawayCluster.FollowAsync(_binaries, _superuser).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>Makes a standby the primary; answers when it is.</summary>
    public Task PromoteAsync() => PostgresServer.ExecuteAsync(_superuser, "SELECT pg_promote()");

    /// <summary>A database that it has.</summary>
    public PostgresDatabase Database(string name) => new(_superuser, name);

    /// <summary>Makes an empty database.</summary>
    public async Task<PostgresDatabase> CreateDatabaseAsync(string name = "broker")
    {
        await PostgresServer.ExecuteAsync(_superuser, $"CREATE DATABASE {name} TEMPLATE template0").ConfigureAwait(false);
        return new PostgresDatabase(_superuser, name);
    }

    private static async Task<KillableServer> OfAsync(PostgresBinaries binaries, PostgresServer.Found.Server server)
    {
        var database = new PostgresDatabase(server.ConnectionString, "postgres");
        return new KillableServer(binaries, server.ConnectionString, (await database.ScalarAsync<string>("SHOW data_directory").ConfigureAwait(false))!);
    }

    /// <summary>Kills it at once (SIGKILL): nobody is told.</summary>
    public void Kill()
    {
        var id = int.Parse(File.ReadLines(Path.Combine(_data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        using var process = Process.GetProcessById(id);
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
    }

    /// <summary>Starts it again, as it was; it recovers by itself.</summary>
    public Task StartAgainAsync() => ControlAsync("restart");

    /// <summary>Takes a backup of the whole server, which stands meanwhile.</summary>
    public async Task BackUpAsync()
    {
        await ControlAsync("stop", "-m", "fast").ConfigureAwait(false);
        await ThrowawayCluster.RunOrThrowAsync(false, "cp", "-a", _data, _data + ".copy").ConfigureAwait(false);
        await ControlAsync("restart").ConfigureAwait(false);
    }

    /// <summary>Puts the backup into its place, whoever is connected.</summary>
    public async Task RestoreAsync()
    {
        await ControlAsync("stop", "-m", "immediate").ConfigureAwait(false);
        Directory.Delete(_data, recursive: true);
        await ThrowawayCluster.RunOrThrowAsync(false, "cp", "-a", _data + ".copy", _data).ConfigureAwait(false);
        await ControlAsync("restart").ConfigureAwait(false);
    }

    // Only a restart takes the options of the last start again; it starts what was stopped, too.
    private Task ControlAsync(string what, params string[] how)
    {
        NpgsqlConnection.ClearAllPools();
        return ThrowawayCluster.RunOrThrowAsync(Environment.UserName == "root", [_binaries["pg_ctl"], "-D", _data, "-w", "-t", "60", "-l", Path.Combine(_data, "..", "log"), .. how, what]);
    }
}

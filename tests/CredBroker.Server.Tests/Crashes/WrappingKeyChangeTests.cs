using System.Diagnostics;
using System.Security.Cryptography;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Server;
using Quickstart;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>The real server and a real PostgreSQL, across a change of the wrapping key that the marks are made with.</summary>
public sealed class WrappingKeyChangeTests
{
    private const string Role = $"providers/{DatabaseStory.Provider}/roles/reader";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    private PostgresDatabase _database = null!;
    private TargetDatabase _target = null!;
    private Workplace _place = null!;
    private Installation _installation = null!;

    [SetUp]
    public async Task StartBroker()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        _target = await TargetDatabase.PrepareAsync(_database.ConnectionString, CancellationToken.None);
        _place = new Workplace();
        _installation = await Installation.StartAsync(_place, DatabaseStory.SecretSources(_place, _target), new Narrator(TextWriter.Null), CancellationToken.None);
        await new DatabaseStory(_installation, _target, new Narrator(TextWriter.Null)).RegisterAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task StopBroker()
    {
        await _installation.DisposeAsync();
        _place.Dispose();
        await _target.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Test]
    public async Task What_was_made_under_the_earlier_key_is_still_known_for_ours_and_revoked()
    {
        using var agent = _installation.Agent("agent-1");
        var task = await agent.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "count the reports" } } });
        await agent.Leases.IssueLeaseAsync(new() { Parent = task.Name, Role = Role });
        Assert.That(await LoginsAsync(), Is.EqualTo(1));

        using (var process = Process.GetProcessById(_installation.BrokerProcessId))
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        _place.Write("new.key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        await Assert.ThatAsync(() => RestartAsync("  wrappingKeyFile: new.key\n"), Throws.InvalidOperationException, "without the earlier key it does not start");
        await using var restarted = await RestartAsync("  wrappingKeyFile: new.key\n  previousWrappingKeyFiles: [credbroker.db.key]\n");
        // A second one, with the mark of the new key: each is known by its own.
        await agent.Leases.IssueLeaseAsync(new() { Parent = task.Name, Role = Role });
        Assert.That(await LoginsAsync(), Is.EqualTo(2));
        await agent.Tasks.EndTaskAsync(new() { Name = task.Name, Outcome = Outcome.Succeeded });

        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var started = Stopwatch.GetTimestamp();
        while ((await agent.Leases.ListLeasesAsync(new() { Parent = task.Name })).Leases.Any(lease => lease.State != Lease.Types.State.Revoked))
        {
            if (Stopwatch.GetElapsedTime(started) > Bound) throw new TimeoutException("The two logins were not proven dead in time.");
            await timer.WaitForNextTickAsync();
        }

        Assert.That(await LoginsAsync(), Is.Zero);
    }

    private Task<ServerProcess> RestartAsync(string keys)
    {
        var configuration = Path.Combine(_place.Folder, "credbroker.yaml");
        var first = Path.Combine(_place.Folder, "first.yaml");
        if (!File.Exists(first)) File.Copy(configuration, first);
        const string After = "  environment: development\n";
        _place.Write("credbroker.yaml", File.ReadAllText(first).Replace(After, After + keys, StringComparison.Ordinal));
        return ServerProcess.StartReadyAsync(configuration, _place.Http);
    }

    private Task<long> LoginsAsync() => _database.ScalarAsync<long>($"SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname LIKE 'cb\\_{Installation.Id}\\_%'");
}

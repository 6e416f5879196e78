using System.Diagnostics;
using CredBroker.FaultHost;
using CredBroker.TestSupport.Postgres;
using Microsoft.Data.Sqlite;
using Quickstart;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>
/// The server's own composition, killed by itself (SIGKILL) at every step of the seams, with a real PostgreSQL as the target: one start after another on the
/// same database, so that each finds what the one before left behind. A few steps of each sort in every run; all of them with
/// <c>CREDBROKER_KILL_EVERY_STEP=1</c>, or those that have something in their names with <c>CREDBROKER_KILL_EVERY_STEP=IQuarantineStore,Reappeared</c>.
/// </summary>
public sealed class KillTests
{
    private const string Switch = "CREDBROKER_KILL_EVERY_STEP";
    private const int Killed = 128 + 9;
    private const int MostTries = 3;

    private PostgresDatabase _database = null!;
    private TargetDatabase _target = null!;
    private Workplace _place = null!;
    private string _configuration = "";

    [OneTimeSetUp]
    public async Task PrepareTarget()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        _target = await TargetDatabase.PrepareAsync(_database.ConnectionString, CancellationToken.None);
        _target.Settings.Host = "127.0.0.1";
        _place = new Workplace();
        _configuration = _place.Write("credbroker.yaml", $$"""
            installation:
              id: {{Installation.Id}}
              publicUrl: http://127.0.0.1:{{_place.HttpPort}}
              environment: development
            listen:
              http: 127.0.0.1:{{_place.HttpPort}}
              grpc: 127.0.0.1:{{_place.GrpcPort}}
            storage:
              sqlite: {path: credbroker.db}
            operator:
              identitySources:
                - name: operator
                  oidc:
                    issuer: https://operator.example
                    audiences: [operator]
                - name: ci
                  oidc:
                    issuer: https://ci.example
                    audiences: [agents]
              root: {identitySource: operator, subject: root}
            egress:
              allow: [127.0.0.1]
            logging: {level: warning}
            limits: {issueDeadline: 10s, attemptTimeout: 5s, claimFor: 6s, reconcileMargin: 1ms}
            {{DatabaseStory.SecretSources(_place, _target)}}
            """);
    }

    [OneTimeTearDown]
    public async Task RemoveTarget()
    {
        _place.Dispose();
        await _target.DisposeAsync();
        await _database.DisposeAsync();
    }

    // A new member of a seam is a step by itself, and is killed at in every run: whoever adds one lets the story come to it, or says where else it is proven.
    [Test]
    public void Every_step_of_the_seams_is_killed_at_or_it_is_said_why_not()
    {
        Assert.Multiple(() =>
        {
            Assert.That(KillSteps.Elsewhere.Keys.Except(KillSteps.Intentions).Except(KillSteps.Calls), Is.Empty, "what is proven elsewhere is still there");
            Assert.That(KillSteps.All, Has.Count.GreaterThan(50), "the seams are read");
        });
    }

    [Test]
    public async Task Killed_at_any_step_leaves_no_orphan_and_loses_no_lease()
    {
        foreach (var step in Chosen())
        {
            await KillAtAsync(step);
            TestContext.Progress.WriteLine($"killed at {step}");
            Assert.That((await LoginsAsync()).Except(Names("SELECT external_name FROM leases")), Is.Empty, $"{step}: every login at the target is known to a lease");
        }

        ForgetReconciliations();
        var (code, output) = await RunAsync("");
        Assert.That(code, Is.Zero, $"all is proven dead within its bound:\n{output}");
        var fewest = Environment.GetEnvironmentVariable(Switch) is null or "" or "1" ? 20 : 0;
        Assert.Multiple(async () =>
        {
            Assert.That(await LoginsAsync(), Is.Empty, "nothing is left at the target");
            Assert.That(Names("SELECT external_name FROM leases WHERE state NOT IN (4, 6)"), Is.Empty, "every lease is proven dead, or was never made");
            Assert.That(Names("SELECT key || ' ' || value FROM counters WHERE value <> 0 AND key NOT LIKE 'tasks:%'"), Is.Empty, "nothing is charged any more");
            Assert.That(Names("SELECT hex(id) FROM fan_outs"), Is.Empty, "nothing waits to be moved");
            Assert.That(Names("SELECT hex(id) FROM tasks t WHERE (SELECT max(revision) FROM receipts r WHERE r.task_id = t.id) % 2 = 1"), Is.Empty, "every receipt is closed");
            Assert.That(Names("SELECT external_name FROM leases").Count, Is.GreaterThan(fewest), "leases were made");
        });
    }

    private static IEnumerable<string> Chosen() => Environment.GetEnvironmentVariable(Switch) switch
    {
        null or "" => Some(),
        "1" => KillSteps.All,
        var parts => KillSteps.All.Where(step => parts.Split(',').Any(part => step.Contains(part, StringComparison.Ordinal))),
    };

    /// <summary>One position of each intention and both of each call, so that a run stays short; which one differs from intention to intention.</summary>
    private static IEnumerable<string> Some()
    {
        var ofIntentions = KillSteps.All.Where(step => KillSteps.Intentions.Any(intention => step.StartsWith(intention + ":", StringComparison.Ordinal))).Chunk(3).Select((positions, i) => positions[(i + 1) % 3]);
        return ofIntentions.Concat(KillSteps.All.Where(step => KillSteps.Calls.Any(call => step.StartsWith(call + ":", StringComparison.Ordinal))));
    }

    private async Task KillAtAsync(string step)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (KillSteps.IsOfDifferences(step)) ForgetReconciliations();
            var (code, output) = await RunAsync(step);
            if (code == Killed) return;
            // A machine that is slow may let a call miss its deadline, so that what follows it is not reached.
            if (code != Story.NotReached || attempt == MostTries) Assert.Fail($"{step}: the server was not killed there (exit code {code}):\n{output}");
        }
    }

    // What a killed run of reconciliation holds runs out after minutes, which nobody waits for here.
    private void ForgetReconciliations()
    {
        if (File.Exists(Path.Combine(_place.Folder, "credbroker.db"))) Names("DELETE FROM reconciliations RETURNING 'x'");
    }

    private async Task<(int Code, string Output)> RunAsync(string step)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = [typeof(KillSteps).Assembly.Location, _configuration, step, "127.0.0.1", $"{_target.Settings.Port}", _target.Settings.Database!, _target.BrokerLogin, _target.Group];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var bound = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        try
        {
            await process.WaitForExitAsync(bound.Token);
        }
        finally
        {
            process.Kill();
        }

        return (process.ExitCode, string.Join('\n', await output));
    }

    private async Task<IReadOnlyList<string>> LoginsAsync() =>
        (await _database.ScalarAsync<string>($"SELECT coalesce(string_agg(rolname, ','), '') FROM pg_catalog.pg_roles WHERE rolname LIKE 'cb\\_{Installation.Id}\\_%'"))!.Split(',', StringSplitOptions.RemoveEmptyEntries);

    private List<string> Names(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_place.Folder, "credbroker.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }
}

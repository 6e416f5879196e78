using System.Data.Common;
using System.Diagnostics;
using CredBroker.Abstractions;
using CredBroker.EntityFrameworkCore.Protection;
using CredBroker.EntityFrameworkCore.Writing;
using CredBroker.TestSupport.Stores;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>What is asked at every start, and again and again, reads what it needs, and not all that lives.</summary>
public sealed class ManyLeasesTests
{
    private readonly SqliteStoreDatabase _database = new();

    [OneTimeTearDown]
    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Test]
    public async Task Nothing_that_is_asked_all_the_time_goes_through_the_live_leases()
    {
        // Before anything is asked: that nobody listens is remembered by EF for a second.
        using var asked = new AskedOf(_database.Path);
        await using var node = await _database.StartAsync(new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        var world = await StoreWorld.CreateAsync(node);
        await world.IssueAsync(node, await world.CreateTaskAsync(node));
        asked.Listens = true;
        await node.Backlog.ReadAsync(CancellationToken.None);
        await node.Leases.NextDueAsync(CancellationToken.None);
        await node.Tasks.NextDueAsync(CancellationToken.None);
        await node.Tasks.EndOverdueAsync(50, CancellationToken.None);
        await node.Reevaluations.ClaimAsync(TimeSpan.FromSeconds(1), CancellationToken.None);
        await node.Retention.PruneAsync(node.Time.GetUtcNow(), 50, CancellationToken.None);
        await node.Retention.ForgetTreeAsync(node.Time.GetUtcNow(), 50, CancellationToken.None);
        await node.Reconciliation.ListAsync(CancellationToken.None);
        Assert.That(asked.Plans, Has.Count.GreaterThan(8));
        foreach (var (sql, plan) in asked.Plans)
        {
            foreach (var line in plan.Where(line => System.Text.RegularExpressions.Regex.IsMatch(line, @"SCAN (leases|l\d*)\b")))
                Assert.That(line, Does.Contain("ix_leases_revoking"), sql);
        }
    }

    [Test]
    public async Task A_start_finds_the_keys_that_are_needed_without_looking_at_leases()
    {
        await using (await _database.StartAsync(new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))))
        {
            // The schema is there.
        }

        var leases = new SqlText("leases");
        Assert.That(await PlanAsync(KeyRingCheck.NextHandleKey(leases, default)), Is.EqualTo(["SEARCH x USING INDEX ix_leases_handle_key (handle_key>?)"]));
        Assert.That(await PlanAsync(KeyRingCheck.NextMarkKey(leases, "")), Is.EqualTo(["SEARCH x USING INDEX ix_leases_mark_key (mark_key_id>?)"]));
    }

    private async Task<List<string>> PlanAsync(FormattableString sql)
    {
        var statement = SqlStatement.Of(sql);
        await using var connection = new SqliteConnection($"Data Source={_database.Path};Pooling=False");
        await connection.OpenAsync();
        using var command = connection.CreateCommand();
        command.CommandText = statement.Text;
        for (var i = 0; i < statement.Values.Count; i++) command.Parameters.AddWithValue(SqlStatement.Place(i), statement.Values[i] is Uid uid ? uid.ToBytes() : statement.Values[i]!);
        return PlanOf(command);
    }

    private static List<string> PlanOf(DbCommand command)
    {
        using var explain = command.Connection!.CreateCommand();
        explain.CommandText = "EXPLAIN QUERY PLAN " + command.CommandText;
        foreach (SqliteParameter parameter in command.Parameters) explain.Parameters.Add(new SqliteParameter(parameter.ParameterName, parameter.Value));
        using var reader = explain.ExecuteReader();
        var lines = new List<string>();
        while (reader.Read()) lines.Add(reader.GetString(3));
        return lines;
    }

    /// <summary>Every statement that EF sends to one database, with how SQLite goes about it.</summary>
    private sealed class AskedOf : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        private readonly string _path;
        private readonly List<IDisposable> _subscriptions = [];

        public AskedOf(string path)
        {
            _path = path;
            _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
        }

        public List<(string Sql, List<string> Plan)> Plans { get; } = [];

        public bool Listens { get; set; }

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == DbLoggerCategory.Name) _subscriptions.Add(value.Subscribe(this));
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (Listens && value.Key == RelationalEventId.CommandExecuting.Name && value.Value is CommandEventData { Command: { } command } && command.Connection!.DataSource == _path)
                Plans.Add((command.CommandText, PlanOf(command)));
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => _subscriptions.ForEach(subscription => subscription.Dispose());
    }
}

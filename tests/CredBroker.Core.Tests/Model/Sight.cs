using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using Microsoft.Data.Sqlite;

namespace CredBroker.Core.Tests.Model;

/// <summary>A lease as its row has it.</summary>
internal sealed record LeaseSeen(
    Uid Id, string Name, LeaseState State, long Fence, DateTimeOffset PossibleDeathAt, DateTimeOffset ExpiresAt, DateTimeOffset IssueDeadline, DateTimeOffset? DueAt,
    Uid TaskId, string TaskPath, IReadOnlyList<(Uid Uid, long Suspension)> Gates)
{
    public bool Unproven => State is LeaseState.Pending or LeaseState.Active or LeaseState.Revoking;
}

/// <summary>A task as its row has it.</summary>
internal sealed record TaskSeen(Uid Id, string Path, DateTimeOffset? EndedAt, DateTimeOffset Deadline, bool ReceiptClosed);

/// <summary>The database at one moment, read without any of the store's own code.</summary>
internal sealed class Sight
{
    private readonly Dictionary<Uid, (long Generation, bool Suspended)> _gates = [];
    private DateTimeOffset _now;

    public List<LeaseSeen> Leases { get; } = [];

    public Dictionary<Uid, TaskSeen> Tasks { get; } = [];

    public Dictionary<string, long> Counters { get; } = [];

    public long FanOuts { get; private set; }

    public static Sight Read(SqliteConnection connection, DateTimeOffset now)
    {
        var sight = new Sight { _now = now };
        Each(
            connection,
            """
            SELECT id, external_name, state, fence, possible_death_at, expires_at, issue_deadline, due_at, task_id, task_path,
            source_uid, source_suspension, workload_uid, workload_suspension, provider_uid, provider_suspension, role_uid, role_suspension FROM leases ORDER BY id
            """,
            row => sight.Leases.Add(new LeaseSeen(
                Id(row, 0), row.GetString(1), (LeaseState)row.GetInt32(2), row.GetInt64(3), At(row, 4)!.Value, At(row, 5)!.Value, At(row, 6)!.Value, At(row, 7), Id(row, 8), row.GetString(9),
                [(Id(row, 10), row.GetInt64(11)), (Id(row, 12), row.GetInt64(13)), (Id(row, 14), row.GetInt64(15)), (Id(row, 16), row.GetInt64(17))])));
        Each(
            connection,
            "SELECT t.id, t.path, t.ended_at, t.deadline, (SELECT max(r.revision) FROM receipts r WHERE r.task_id = t.id) FROM tasks t",
            row => sight.Tasks[Id(row, 0)] = new TaskSeen(Id(row, 0), row.GetString(1), At(row, 2), At(row, 3)!.Value, !row.IsDBNull(4) && row.GetInt64(4) % 2 == 0));
        Each(connection, "SELECT uid, suspension, suspended FROM gates", row => sight._gates[Id(row, 0)] = (row.GetInt64(1), row.GetInt64(2) != 0));
        Each(connection, "SELECT key, value FROM counters", row => sight.Counters[row.GetString(0)] = row.GetInt64(1));
        Each(connection, "SELECT count(*) FROM fan_outs", row => sight.FanOuts = row.GetInt64(0));
        return sight;
    }

    /// <summary>Changes whenever somebody else has committed.</summary>
    public static long Version(SqliteConnection connection)
    {
        var version = 0L;
        Each(connection, "PRAGMA data_version", row => version = row.GetInt64(0));
        return version;
    }

    /// <summary>How many leases no decision in the audit trail is about.</summary>
    public static long Undecided(SqliteConnection connection)
    {
        var count = 0L;
        Each(connection, "SELECT count(*) FROM leases l WHERE l.id NOT IN (SELECT a.lease_id FROM audit_events a WHERE a.type = 'decision' AND a.lease_id IS NOT NULL)", row => count = row.GetInt64(0));
        return count;
    }

    /// <summary>The suspensions of something.</summary>
    public (long Generation, bool Suspended)? SuspensionOf(Uid uid) => _gates.TryGetValue(uid, out var state) ? state : null;

    /// <summary>Whether a task and all above it run.</summary>
    public bool TaskRuns(string path) => path.Split('/').All(id => Tasks.TryGetValue(Uid.Parse(id), out var task) && task.EndedAt is null && task.Deadline > _now);

    /// <summary>Whether nobody may use it any more, whatever its row says.</summary>
    public bool DeadInEffect(LeaseSeen lease) => lease.State is not (LeaseState.Pending or LeaseState.Active) || lease.ExpiresAt <= _now || DeadByDeed(lease);

    /// <summary>Whether something was done that killed it: its task has ended, or something of it was suspended.</summary>
    public bool DeadByDeed(LeaseSeen lease) => !TaskRuns(lease.TaskPath) || lease.Gates.Any(gate => SuspensionOf(gate.Uid)?.Generation > gate.Suspension);

    /// <summary>What the counters should hold.</summary>
    public IEnumerable<(string Key, long Count)> Charges() => Leases
        .SelectMany(lease => lease.TaskPath.Split('/').Select(id => "task:" + id)
            .Append($"workload:{lease.Gates[1].Uid}").Append($"provider:{lease.Gates[2].Uid}").Append($"role:{lease.Gates[3].Uid}")
            .Append($"workload:{lease.Gates[1].Uid}/provider:{lease.Gates[2].Uid}")
            .Select(key => (Key: key, Count: lease.Unproven ? 1L : 0L)))
        .GroupBy(charge => charge.Key, (key, charges) => (key, charges.Sum(charge => charge.Count)));

    private static void Each(SqliteConnection connection, string sql, Action<SqliteDataReader> take)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        while (reader.Read()) take(reader);
    }

    private static Uid Id(SqliteDataReader row, int column) => Uid.FromBytes((byte[])row.GetValue(column));

    private static DateTimeOffset? At(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : DateTimeOffset.UnixEpoch.AddMicroseconds(Convert.ToInt64(row.GetValue(column), CultureInfo.InvariantCulture));
}

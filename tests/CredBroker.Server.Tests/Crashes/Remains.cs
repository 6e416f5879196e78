using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>What the broker's database and its target say of the promises, without the broker's own code.</summary>
internal static class Remains
{
    // In one statement, and so of one moment: nobody has to stand still for it. States up to 3 are not proven dead.
    private const string Miscounted = """
        WITH living AS (SELECT * FROM credbroker.leases WHERE state <= 3),
        wanted(what, value) AS (
          SELECT 'provider', (SELECT count(*) FROM living)
          UNION ALL SELECT 'role', (SELECT count(*) FROM living)
          UNION ALL SELECT 'workload', (SELECT count(*) FROM living)
          UNION ALL SELECT 'workload/provider', (SELECT count(*) FROM living)
          UNION ALL SELECT 'task', (SELECT coalesce(sum(array_length(string_to_array(task_path, '/'), 1)), 0) FROM living)
          UNION ALL SELECT 'tasks', (SELECT count(*) FROM credbroker.tasks WHERE ended_at IS NULL)),
        counted AS (
          SELECT split_part(key, ':', 1) || CASE WHEN key LIKE '%/provider:%' THEN '/provider' ELSE '' END AS what, sum(value) AS value FROM credbroker.counters GROUP BY 1)
        SELECT coalesce(string_agg(format('%s: %s counted, %s are', w.what, coalesce(c.value, 0), w.value), '; '), '')
        FROM wanted w LEFT JOIN counted c ON c.what = w.what WHERE coalesce(c.value, 0) <> w.value
        """;

    private static readonly (string What, string Count)[] NotOver =
    [
        ("leases are not proven dead", "credbroker.leases WHERE state <= 3"),
        ("tasks have not ended", "credbroker.tasks WHERE ended_at IS NULL"),
        ("fan-outs wait", "credbroker.fan_outs"),
        ("receipts are open", "credbroker.tasks t WHERE (SELECT max(revision) FROM credbroker.receipts r WHERE r.task_id = t.id) % 2 = 1"),
    ];

    private static readonly (string What, string Count)[] Wrong =
    [
        ("leases were activated twice", "(SELECT lease_id FROM credbroker.audit_events WHERE type = 'lease.activated' GROUP BY lease_id HAVING count(*) > 1) twice"),
        ("leases died twice", "(SELECT lease_id FROM credbroker.audit_events WHERE type IN ('lease.revoked', 'lease.expired', 'lease.void') GROUP BY lease_id HAVING count(*) > 1) twice"),
        ("leases died, and nobody was told", "credbroker.leases l WHERE state > 3 AND NOT EXISTS (SELECT FROM credbroker.audit_events a WHERE a.lease_id = l.id AND a.type IN ('lease.revoked', 'lease.expired', 'lease.void'))"),
        ("leases came back to life", "credbroker.audit_events WHERE type IN ('lease.reappeared', 'lease.found_alive')"),
        ("receipts were closed twice", "(SELECT task_id FROM credbroker.audit_events WHERE type = 'receipt.closed' GROUP BY task_id HAVING count(*) > 1) twice"),
        ("providers are in quarantine", "credbroker.gates WHERE quarantined_at IS NOT NULL"),
    ];

    /// <summary>What may not be at any moment, however much is under way.</summary>
    public static async Task<IReadOnlyList<string>> WrongNowAsync(Cluster cluster)
    {
        var wrong = new List<string>();
        // The logins first: whatever is there then was known before.
        var logins = await cluster.LoginNamesAsync();
        var unknown = await cluster.Store.ScalarAsync<long>($"SELECT count(*) FROM unnest(string_to_array('{string.Join(',', logins)}', ',')) l(name) WHERE l.name NOT IN (SELECT external_name FROM credbroker.leases)");
        if (unknown > 0) wrong.Add($"{unknown} logins at the target that no lease knows");
        if (await cluster.Store.ScalarAsync<string>(Miscounted) is { Length: > 0 } miscounted) wrong.Add($"quotas differ from what lives: {miscounted}");
        foreach (var (what, count) in Wrong)
            if (await CountAsync(cluster, count) is > 0 and var found) wrong.Add($"{found} {what}");
        return wrong;
    }

    /// <summary>What is not over: nothing, some time after everything was ended.</summary>
    public static async Task<IReadOnlyList<string>> LeftAsync(Cluster cluster)
    {
        var left = new List<string>();
        foreach (var (what, count) in NotOver)
            if (await CountAsync(cluster, count) is > 0 and var found) left.Add($"{found} {what}");
        foreach (var login in await cluster.LoginNamesAsync()) left.Add($"the login {login} is at the target ({await StoryAsync(cluster, login)})");
        return left;
    }

    // What finds out why: the role as it is, and its lease.
    private static async Task<string> StoryAsync(Cluster cluster, string login)
    {
        var role = await cluster.Database.ScalarAsync<string>($"SELECT format('can log in: %s, valid until %s', rolcanlogin, rolvaliduntil) FROM pg_catalog.pg_roles WHERE rolname = '{login}'");
        var lease = await cluster.Store.ScalarAsync<string>($"""
            SELECT format('state %s, end %s, answered: %s, %s attempts, evidence %s at %s, reserved %s, closed %s', state, end_reason, issue_answered, attempts, evidence_kind,
              to_timestamp(evidence_at / 1e6), to_timestamp(reserved_at / 1e6), to_timestamp(closed_at / 1e6)) FROM credbroker.leases WHERE external_name = '{login}'
            """);
        return $"{role}; {lease ?? "no lease"}";
    }

    /// <summary>How many chains of audit events there are, one for each start of a writer, and what is broken about them.</summary>
    public static async Task<(int Chains, IReadOnlyList<string> Broken)> ChainsAsync(Cluster cluster)
    {
        await using var reader = await new PostgresStoreDatabase(cluster.Store).StartAsync(new FakeTimeProvider(), options => options.WrappingKey = cluster.Key);
        var events = new List<AuditEvent>();
        for (string? after = null; ;)
        {
            var page = await reader.Audit.ListAsync(new AuditQuery(), new PageRequest(1000, after), CancellationToken.None);
            events.AddRange(page.Items);
            if ((after = page.Next) is null) break;
        }

        var found = events.GroupBy(one => one.Writer).Select(chain => (chain.Key, Finding: AuditChain.Verify(chain.OrderBy(one => one.Sequence)))).ToList();
        return (found.Count, [.. found.Where(chain => chain.Finding is not AuditFinding.Sound).Select(chain => $"chain {chain.Key}: {chain.Finding}")]);
    }

    private static Task<long> CountAsync(Cluster cluster, string what) => cluster.Store.ScalarAsync<long>($"SELECT count(*) FROM {what}");
}

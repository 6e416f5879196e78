using CredBroker.Abstractions;
using CredBroker.TestSupport.Postgres;

namespace CredBroker.Providers.PostgreSql.Tests;

[Parallelizable(ParallelScope.All)]
public sealed class CheckTests
{
    [Test]
    public async Task Names_each_missing_privilege_with_the_statement_that_mends_it()
    {
        await using var target = await Target.CreateAsync();
        await target.Database.ExecuteAsync($"ALTER ROLE {target.Broker.Username} NOCREATEROLE; REVOKE pg_signal_backend FROM {target.Broker.Username}");
        await using var provider = target.Connect();
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.Healthy, Is.False);
        Assert.That(Missing(health).Select(finding => finding.Subject), Is.EquivalentTo(new[] { "CREATEROLE", "pg_signal_backend" }));

        foreach (var finding in Missing(health)) await target.Database.ExecuteAsync(finding.Fix);
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy, "each fix is a statement that works");
    }

    [Test]
    public async Task Names_a_group_that_is_not_there()
    {
        await using var target = await Target.CreateAsync();
        var absent = $"{target.Group}_absent";
        await using var provider = target.Connect(target.Configure(groups: [target.Group, absent]));
        var missing = Missing(await provider.CheckAsync(CancellationToken.None)).Single();
        Assert.That((missing.Subject, missing.Fix), Is.EqualTo(($"group {absent}", $"CREATE ROLE \"{absent}\" NOLOGIN;")));
    }

    [Test]
    public async Task Names_the_admin_option_that_newer_servers_want()
    {
        if (await PostgresServer.MajorVersionAsync() < 16) Assert.Ignore("Before PostgreSQL 16, CREATEROLE is enough.");
        await using var target = await Target.CreateAsync();
        await target.Database.ExecuteAsync($"REVOKE {target.Group} FROM {target.Broker.Username}");
        await using var provider = target.Connect();
        var missing = Missing(await provider.CheckAsync(CancellationToken.None)).Single();
        Assert.That(missing.Subject, Is.EqualTo($"ADMIN on {target.Group}"));
        await target.Database.ExecuteAsync(missing.Fix);
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
    }

    [Test]
    public async Task Refuses_a_group_that_reaches_a_predefined_one()
    {
        await using var target = await Target.CreateAsync();
        await target.Database.ExecuteAsync($"GRANT pg_read_all_data TO {target.Group}");
        await using var provider = target.Connect();
        var missing = Missing(await provider.CheckAsync(CancellationToken.None)).Single();
        Assert.That(missing.Message, Does.Contain("pg_read_all_data"));
        await target.Database.ExecuteAsync(missing.Fix);
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
    }

    [Test]
    public async Task Warns_of_a_superuser()
    {
        await using var target = await Target.CreateAsync();
        await target.Database.ExecuteAsync($"ALTER ROLE {target.Broker.Username} SUPERUSER");
        await using var provider = target.Connect();
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.Healthy);
        Assert.That(Warnings(health), Does.Contain("SUPERUSER"));
    }

    [Test]
    public async Task Warns_of_a_group_that_can_create_and_of_a_database_that_is_closed()
    {
        await using var target = await Target.CreateAsync();
        await using var closed = await PostgresServer.CreateDatabaseAsync();
        await closed.ExecuteAsync($"REVOKE CONNECT ON DATABASE {closed.Name} FROM PUBLIC");
        await target.Database.ExecuteAsync($"CREATE SCHEMA work; GRANT CREATE ON SCHEMA work TO {target.Group}; GRANT CREATE ON DATABASE {target.Database.Name} TO {target.Group}");
        await using var provider = target.Connect();
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.Findings.Where(finding => finding.Level == FindingLevel.Warning).Select(finding => finding.Message), Has.Some.Contain("schema work").And.Some.Contain("create schemas"));
        Assert.That(Warnings(health), Does.Contain($"CONNECT on {closed.Name}"));
    }

    [Test]
    public async Task Reports_what_createrole_means_on_older_servers()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var warned = Warnings(await provider.CheckAsync(CancellationToken.None)).Contains("CREATEROLE");
        Assert.That(warned, Is.EqualTo(await PostgresServer.MajorVersionAsync() < 16));
    }

    private static IEnumerable<HealthFinding> Missing(ProviderHealth health) => health.Findings.Where(finding => finding.Level == FindingLevel.Missing);

    private static IReadOnlyList<string> Warnings(ProviderHealth health) =>
        [.. health.Findings.Where(finding => finding.Level == FindingLevel.Warning).Select(finding => finding.Subject)];
}

using System.Globalization;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Egress;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Providers.PostgreSql.Tests.Faults;

/// <summary>A PostgreSQL store that is restored, and a fresh node that has neither file nor memory: what it knows, it knows from the target, which is PostgreSQL too.</summary>
internal sealed class AnchoredRestoreTests
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(30);
    private FakeTimeProvider _time = null!;
    private PostgresStoreDatabase _store = null!;
    private PostgresDatabase _target = null!;
    private PostgresLogin _login = null!;
    private BrokerHarness _broker = null!;
    private Uid _provider;

    private static CancellationToken None => CancellationToken.None;

    private Anchors Anchors => _broker.Get<Anchors>();

    private string Role => $"cba_test01_{_provider}";

    [SetUp]
    public async Task StartAsync()
    {
        // The target compares deadlines by a clock that goes on while this one stands.
        _time = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(5));
        (_store, _target) = (new PostgresStoreDatabase(await PostgresServer.CreateDatabaseAsync()), await PostgresServer.CreateDatabaseAsync());
        var group = await _target.CreateGroupAsync();
        _login = await _target.CreateBrokerLoginAsync(group);
        await OpenAsync(register: true);
        var config = new { host = "127.0.0.1", port = _target.Port, database = _target.Name, username = _login.Username, password = new { source = "target" }, sslMode = "disable", groups = new[] { group } };
        var registry = _broker.Get<RegistryService>();
        _provider = Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "logins", null, new ProviderSpec { Type = "postgresql", Config = JsonSerializer.SerializeToElement(config) }, new ChangeOptions(), None)).Uid;
        var role = new RoleSpec { Kind = "login", Template = JsonSerializer.SerializeToElement(new { groups = new[] { group } }) };
        Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "reader", "logins", role, new ChangeOptions(), None));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _broker.DisposeAsync();
        await _target.ExecuteAsync($"DROP ROLE IF EXISTS {Role}");
        await _store.DisposeAsync();
        await _target.DisposeAsync();
    }

    [Test]
    public async Task A_node_that_knows_nothing_finds_a_restored_store_by_the_targets_note_and_revokes_nothing_that_lives()
    {
        var agent = await _broker.CallerAsync();
        var task = await _broker.TaskAsync(agent, ttl: Life * 10);
        var lease = await IssueAsync(agent, task);
        await Anchors.StartAsync(None);
        Assert.That(await NoteAsync(), Does.StartWith("cba1:test01:"));
        await BackUpAsync();
        Ok(await _broker.Get<Renewal>().RenewAsync(agent, null, lease.Id, Life * 1.5, "", None));
        await Anchors.StartAsync(None);
        var ahead = await NoteAsync();

        await RestoreAsync();
        Assert.That(await QuarantinedAsync(), Is.Empty, "the store alone tells nothing");
        _time.Advance(Life * 1.2);
        await _broker.Get<BrokerLife>().LookAsync(None);
        await Anchors.StartAsync(None);
        Assert.That(await QuarantinedAsync(), Does.Contain("logins"));
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Active), "it was renewed, which the restored store does not know");
        Assert.That(await _target.ScalarAsync<bool>($"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{lease.ExternalName}'"), Is.True);
        Assert.That(await EpochsAsync(), Is.EqualTo(2));
        Assert.That(await NoteAsync(), Is.Not.EqualTo(ahead), "it tells of the new epoch now");

        await RestartAsync();
        await Anchors.StartAsync(None);
        Assert.That((await QuarantinedAsync(), await EpochsAsync()), Is.EqualTo((new[] { "db", "logins" }, 2)), "found once");

        // An old note that is put back is from an epoch that is over.
        foreach (var one in await Quarantines.ListAsync(None)) await Quarantines.ReleaseAsync(one.Provider, one.Since, Actor.Broker, "", None);
        await _target.ExecuteAsync($"COMMENT ON ROLE {Role} IS '{ahead}'");
        await Anchors.StartAsync(None);
        Assert.That(await QuarantinedAsync(), Is.Empty);
    }

    [Test]
    public async Task A_note_that_is_forged_dropped_or_copied_begins_no_quarantine_and_lifts_none([Values] bool quarantined)
    {
        var agent = await _broker.CallerAsync();
        await IssueAsync(agent, await _broker.TaskAsync(agent, ttl: Life * 10));
        await Anchors.StartAsync(None);
        var notes = _broker.Get<AnchorNotes>();
        var ahead = notes.Read(_provider, await NoteAsync())! with { Commits = 1_000_000, At = _time.GetUtcNow().AddDays(1) };
        if (quarantined) await Quarantines.StartAsync(_provider, QuarantineReason.ByHand, Actor.Broker, "", None);
        var expected = quarantined ? new[] { "logins" } : [];
        string[] forged = ["rubbish", notes.Write(Uid.New(_time), ahead), notes.Write(_provider, ahead)[..^1] + "x", notes.Write(_provider, ahead).Replace("test01", "test02", StringComparison.Ordinal)];
        foreach (var text in forged)
        {
            await _target.ExecuteAsync($"COMMENT ON ROLE {Role} IS '{text}'");
            await RestartAsync();
            await Anchors.StartAsync(None);
            Assert.That(await QuarantinedAsync(), Is.EqualTo(expected), text);
            Assert.That(notes.Read(_provider, await NoteAsync()), Is.Not.Null, "it is written anew");
        }

        await _target.ExecuteAsync($"DROP ROLE {Role}");
        await RestartAsync();
        await Anchors.StartAsync(None);
        Assert.That(await QuarantinedAsync(), Is.EqualTo(expected));
        Assert.That(notes.Read(_provider, await NoteAsync()), Is.Not.Null);

        // The one that only we can write begins it: that the others do not is not for want of looking.
        await _target.ExecuteAsync($"COMMENT ON ROLE {Role} IS '{notes.Write(_provider, ahead)}'");
        await Anchors.StartAsync(None);
        Assert.That(await QuarantinedAsync(), Is.EqualTo(new[] { "db", "logins" }));
    }

    [Test]
    public async Task Until_the_note_was_read_time_alone_revokes_nothing_there_and_an_end_does()
    {
        var agent = await _broker.CallerAsync();
        var (expiring, ending) = (await _broker.TaskAsync(agent, ttl: Life * 10), await _broker.TaskAsync(agent, ttl: Life * 10));
        var (expired, ended) = (await IssueAsync(agent, expiring), await IssueAsync(agent, ending));
        await _target.ExecuteAsync($"ALTER ROLE {_login.Username} NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{_login.Username}'");
        await RestartAsync();
        await Anchors.StartAsync(None);
        Assert.That(Anchors.Holds(_provider));
        Ok(await _broker.Get<TaskService>().EndAsync(await _broker.CallerAsync(), ending.Id, TaskOutcome.Succeeded, None));
        _time.Advance(Life * 1.2);
        await _broker.Get<BrokerLife>().LookAsync(None);
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(expired.Id)).Lease.State, Is.EqualTo(LeaseState.Active));
        Assert.That((await _broker.LeaseAsync(ended.Id)).Lease.Attempts, Is.EqualTo(1), "it is tried");

        await _target.ExecuteAsync($"ALTER ROLE {_login.Username} LOGIN");
        await Anchors.LookAsync(None);
        Assert.That(Anchors.Holds(_provider), Is.False);
        _time.Advance(TimeSpan.FromMinutes(5));
        await _broker.Get<BrokerLife>().LookAsync(None);
        // After the pause of a provider that was at fault one is tried first, and its success lets the others go.
        await _broker.LookAsync();
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(expired.Id)).Lease.State, Is.Not.EqualTo(LeaseState.Active));
    }

    [Test]
    public async Task Two_nodes_never_write_a_note_that_tells_less()
    {
        var agent = await _broker.CallerAsync();
        await IssueAsync(agent, await _broker.TaskAsync(agent, ttl: Life * 10));
        var first = _broker;
        await OpenAsync(register: false);
        await using var second = _broker;
        _broker = first;
        var (notes, best) = (first.Get<AnchorNotes>(), DateTimeOffset.MinValue);
        for (var round = 0; round < 6; round++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await (round % 2 == 0 ? first : second).Get<IAuditLog>().AppendAsync(new AuditDraft(AuditTypes.HookRefused, Actor.Broker), None);
            await Task.WhenAll(first.Get<Anchors>().StartAsync(None), second.Get<Anchors>().StartAsync(None));
            var note = notes.Read(_provider, await NoteAsync())!;
            Assert.That(note.At, Is.GreaterThanOrEqualTo(best));
            best = note.At;
        }

        Assert.That(await QuarantinedAsync(), Is.Empty);
    }

    private IQuarantineStore Quarantines => _broker.Get<IQuarantineStore>();

    private async Task<string[]> QuarantinedAsync() => [.. (await Quarantines.ListAsync(None)).Select(one => one.ProviderName)];

    private Task<string?> NoteAsync() => _target.ScalarAsync<string>($"SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{Role}'");

    private async Task<int> EpochsAsync() => Convert.ToInt32(await _store.ScalarAsync("SELECT count(*) FROM credbroker.epochs"), CultureInfo.InvariantCulture);

    private async Task<Lease> IssueAsync(Caller agent, AgentTask task) =>
        Ok(await _broker.Issuance.IssueAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "logins", Role = "reader", Ttl = Life }, None)).Lease.Lease;

    private async Task BackUpAsync()
    {
        await _broker.DisposeAsync();
        await _store.BackUpAsync();
        await OpenAsync(register: false);
    }

    private async Task RestoreAsync()
    {
        await _broker.DisposeAsync();
        await _store.RestoreAsync();
        await OpenAsync(register: false);
    }

    private async Task RestartAsync()
    {
        await _broker.DisposeAsync();
        await OpenAsync(register: false);
    }

    private async Task OpenAsync(bool register) => _broker = await StoreHarness.PostgresAsync(
        _store.Database.ConnectionString, register: register, time: _time, more: services => services
            .AddSingleton<IProviderType, PostgreSqlProviderType>()
            .AddSingleton<ISecretSources>(new OnePassword(_login.Password))
            .AddSingleton(new EgressPolicy { Allow = ["127.0.0.1"] }));

    private sealed class OnePassword(string password) : ISecretSources
    {
        public string? Refusal(string source, SecretConsumer consumer) => null;

        public ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken) => ValueTask.FromResult(new Secret(password));
    }
}

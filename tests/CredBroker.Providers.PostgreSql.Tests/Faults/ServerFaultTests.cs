using System.Runtime.InteropServices;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Tasks;
using CredBroker.TestSupport.Postgres;

namespace CredBroker.Providers.PostgreSql.Tests.Faults;

/// <summary>What needs a whole server for itself: another one in its place, a standby, a failover, a restore, a session that stands still.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class ServerFaultTests
{
    private const int Stop = 19;
    private const int Continue = 18;
    private RunningBroker _broker = null!;

    [OneTimeSetUp]
    public async Task StartBrokerAsync() =>
        _broker = await RunningBroker.StartAsync(new BrokerLimits { IssueDeadline = TimeSpan.FromSeconds(6), AttemptTimeout = TimeSpan.FromSeconds(20), ClaimFor = TimeSpan.FromSeconds(25), ReconcileMargin = TimeSpan.Zero });

    [OneTimeTearDown]
    public async Task StopBrokerAsync() => await _broker.DisposeAsync();

    [Test]
    public async Task Another_server_in_its_place_proves_nothing_and_gets_no_logins()
    {
        await using var target = await FaultyTarget.CreateAsync(_broker);
        var (_, other) = await StartServerAsync();
        // The same database, group and login, as after a migration by somebody who forgot the broker.
        await other.ExecuteAsync($"CREATE DATABASE {target.Database.Name}");
        await other.ExecuteAsync($"CREATE ROLE {target.Group}; CREATE ROLE {target.Login.Username} LOGIN CREATEROLE PASSWORD '{target.Login.Password}'; GRANT pg_signal_backend TO {target.Login.Username}");
        var (task, meanwhile) = (await target.OpenTaskAsync(), await target.OpenTaskAsync());
        var issued = await target.IssueAsync(task);
        target.Way.LeadTo(other.Port);

        var refused = await AskUntilRefusedByAsync(target, meanwhile, ProviderFault.TargetMismatch);
        Assert.That(refused.LastError!.Words, Does.Contain(refused.TargetIdentity));
        Assert.That(await target.RolesAsync("rolname LIKE 'cb\\_%'", other), Is.Zero, "nothing is made where nobody would look for it");
        await target.EndAsync(task);
        var unproven = await target.UntilFailedAsync(issued.Lease.Lease.Id, ProviderFault.TargetMismatch);
        Assert.That(unproven.LastError!.Words, Does.Contain(unproven.TargetIdentity));
        Assert.That(await target.IsAcceptedAsync(issued), "it is not there, and lives where it was made");
        target.Way.LeadTo(target.Database.Port);
        await target.UntilProvenAsync(issued.Lease.Lease.Id);
    }

    [Test]
    public async Task A_session_that_does_not_end_keeps_its_lease_unproven()
    {
        var (_, database) = await StartServerAsync();
        var target = await FaultyTarget.CreateAsync(_broker, database);
        var task = await target.OpenTaskAsync();
        var issued = await target.IssueAsync(task);
        await using var session = await target.OpenAsync(issued);
        var backend = await database.ScalarAsync<int>($"SELECT pid FROM pg_stat_activity WHERE usename = '{issued.Lease.Lease.ExternalName}'");
        _ = SendSignal(backend, Stop);
        try
        {
            await target.EndAsync(task);
            var unproven = await target.UntilFailedAsync(issued.Lease.Lease.Id, ProviderFault.Credential);
            Assert.That(unproven.LastError!.Words, Does.Contain("a session of it does not end"));
            Assert.That(await target.IsAcceptedAsync(issued), Is.False, "it is switched off all the same");
        }
        finally
        {
            _ = SendSignal(backend, Continue);
        }

        await target.UntilProvenAsync(issued.Lease.Lease.Id);
        Assert.That(await Target.ReadsAsync(session), Is.False);
    }

    [Test]
    public async Task What_a_restored_target_revives_is_found_by_a_listing_and_dies_again()
    {
        var (server, database) = await StartServerAsync();
        var target = await FaultyTarget.CreateAsync(_broker, database, ReconciliationMode.Sweep);
        var (over, lasting) = (await target.OpenTaskAsync(), await target.OpenTaskAsync());
        var (revoked, live) = (await target.IssueAsync(over), await target.IssueAsync(lasting));
        await server.BackUpAsync();
        await target.EndAsync(over);
        var first = await target.UntilProvenAsync(revoked.Lease.Lease.Id);
        await server.RestoreAsync();
        Assert.That(await target.IsAcceptedAsync(revoked), "this is the danger: it was proven dead, and lives");

        // The connections from before the restore are broken, which each of them has to find out.
        var report = await target.ReconcileAsync();
        while (!report.Complete) report = await target.ReconcileAsync();
        Assert.That((report.Reappeared, report.Acted), Is.EqualTo((1L, 1L)));
        await FaultyTarget.UntilAsync(async () => (await target.LeaseAsync(first.Id)).ClosedAt > first.ClosedAt, () => Task.FromResult("it is proven dead again"));
        await target.UntilProvenAsync(first.Id);
        Assert.That(await target.IsAcceptedAsync(revoked), Is.False);
        Assert.That((await target.LeaseAsync(live.Lease.Lease.Id)).State, Is.EqualTo(LeaseState.Active));
        Assert.That(await target.IsAcceptedAsync(live), "what lives is left alone");
        await target.EndAsync(lasting);
        await target.UntilProvenAsync(live.Lease.Lease.Id);
    }

    [Test]
    public async Task A_standby_proves_nothing_until_it_is_the_primary()
    {
        var (server, database) = await StartServerAsync();
        var target = await FaultyTarget.CreateAsync(_broker, database);
        var standby = await server.FollowAsync();
        var successor = standby.Database(database.Name);
        var (task, meanwhile) = (await target.OpenTaskAsync(), await target.OpenTaskAsync());
        var issued = await target.IssueAsync(task);
        var name = issued.Lease.Lease.ExternalName;
        await FaultyTarget.UntilAsync(async () => await target.RolesAsync($"rolname = '{name}'", successor) == 1, () => Task.FromResult("the standby has it"));
        target.Way.LeadTo(standby.Port);
        Assert.That((await AskUntilRefusedByAsync(target, meanwhile, ProviderFault.TargetMismatch)).LastError!.Words, Does.Contain("standby"));
        await target.EndAsync(task);
        var unproven = await target.UntilFailedAsync(issued.Lease.Lease.Id, ProviderFault.TargetMismatch);
        Assert.That(unproven.LastError!.Words, Does.Contain("standby"));

        server.Kill();
        await standby.PromoteAsync();
        await target.UntilProvenAsync(issued.Lease.Lease.Id, successor);
    }

    private static async Task<(KillableServer Server, PostgresDatabase Database)> StartServerAsync()
    {
        var server = await KillableServer.StartAsync();
        var database = await server.CreateDatabaseAsync();
        await database.ExecuteAsync("CREATE TABLE public.things (id int8); INSERT INTO public.things VALUES (1)");
        return (server, database);
    }

    /// <summary>Asks until it is refused for this; connections that broke are found out before. Nothing was made by any.</summary>
    private static async Task<Lease> AskUntilRefusedByAsync(FaultyTarget target, AgentTask task, ProviderFault fault)
    {
        Lease last;
        do
        {
            Assert.That(await target.AskAsync(task), Is.InstanceOf<Result<IssuedLease>.Refused>());
            last = (await target.LeasesAsync(task))[^1];
            Assert.That(last.State, Is.EqualTo(LeaseState.Void));
        }
        while (last.LastError!.Fault == ProviderFault.Unreachable);
        Assert.That(last.LastError.Fault, Is.EqualTo(fault));
        return last;
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int process, int signal);
}

using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Tests.Faults;

/// <summary>
/// The whole engine with real servers that fail it: whatever goes wrong, a lease ends proven dead with the evidence of the server that issued, or it is shown as
/// unproven with a plain reason.
/// </summary>
[Parallelizable(ParallelScope.All)]
internal sealed class TargetFaultTests
{
    private RunningBroker _broker = null!;

    /// <summary>What a test can break, what it is called by then, and what is said of it.</summary>
    private static IEnumerable<TestCaseData> Faults()
    {
        yield return Of("down", ProviderFault.Unreachable, "", (target, _) => Do(target.Way.Shut), (target, _) => Do(target.Way.Open));
        yield return Of("hanging", ProviderFault.Unreachable, "", (target, _) => Do(target.Way.Hang), (target, _) => Do(target.Way.Open));
        yield return Of(
            "throttling", ProviderFault.Throttled, "too many connections",
            (target, _) => target.Database.ExecuteAsync($"ALTER ROLE {target.Login.Username} CONNECTION LIMIT 0; {Cut(target)}"),
            (target, _) => target.Database.ExecuteAsync($"ALTER ROLE {target.Login.Username} CONNECTION LIMIT -1"));
        yield return Of(
            "its rights taken", ProviderFault.Denied, "permission denied",
            (target, _) => target.Database.ExecuteAsync($"ALTER ROLE {target.Login.Username} NOCREATEROLE"),
            (target, _) => target.Database.ExecuteAsync($"ALTER ROLE {target.Login.Username} CREATEROLE"));
        yield return Of(
            "a login renamed", ProviderFault.Credential, "renamed",
            (target, lease) => target.Database.ExecuteAsync($"ALTER ROLE {lease.ExternalName} RENAME TO {lease.ExternalName}x"),
            (target, lease) => target.Database.ExecuteAsync($"ALTER ROLE {lease.ExternalName}x RENAME TO {lease.ExternalName}"),
            suffix: "x", issues: true);
        yield return Of(
            "a login's mark changed", ProviderFault.Credential, "mark",
            (target, lease) => target.Database.ExecuteAsync($"COMMENT ON ROLE {lease.ExternalName} IS 'mine'"),
            (target, lease) => target.Database.ExecuteAsync($"COMMENT ON ROLE {lease.ExternalName} IS '{target.MarkOf(lease)}'"), issues: true);
    }

    [OneTimeSetUp]
    public async Task StartBrokerAsync() =>
        _broker = await RunningBroker.StartAsync(new BrokerLimits { IssueDeadline = TimeSpan.FromSeconds(6), AttemptTimeout = TimeSpan.FromSeconds(8), ClaimFor = TimeSpan.FromSeconds(10), RevokeSlots = 2 });

    [OneTimeTearDown]
    public async Task StopBrokerAsync() => await _broker.DisposeAsync();

    [TestCaseSource(nameof(Faults))]
    public async Task What_a_failing_target_cannot_prove_is_shown_and_proven_when_it_is_mended(Fault fault)
    {
        await using var target = await FaultyTarget.CreateAsync(_broker);
        var (task, meanwhile) = (await target.OpenTaskAsync(), await target.OpenTaskAsync());
        var issued = await target.IssueAsync(task);
        Assert.That(await target.IsAcceptedAsync(issued));
        await fault.Break(target, issued.Lease.Lease);
        var asked = target.AskAsync(meanwhile);
        await target.EndAsync(task);
        var unproven = await target.UntilFailedAsync(issued.Lease.Lease.Id, fault.Kind);
        Assert.That(unproven.LastError!.Words, Does.Contain(fault.Words).And.Not.Empty);
        Assert.That(await target.IsAcceptedAsync(issued, issued.Lease.Lease.ExternalName + fault.Suffix), "it lives there: whatever was taken for a proof of its death would have been none");
        Assert.That(await asked is Result<IssuedLease>.Ok, Is.EqualTo(fault.Issues));

        await fault.Mend(target, issued.Lease.Lease);
        await target.UntilProvenAsync(issued.Lease.Lease.Id);
        Assert.That(await target.IsAcceptedAsync(issued), Is.False);
        // What was asked for meanwhile was never made, or dies as well.
        await target.EndAsync(meanwhile);
        await FaultyTarget.UntilAsync(
            async () => (await target.LeasesAsync(meanwhile)).All(lease => lease.State is LeaseState.Void or LeaseState.Revoked), () => Task.FromResult("what was asked for meanwhile is proven dead"));
        Assert.That(await target.RolesAsync($"rolname LIKE 'cb\\_%' AND pg_has_role(oid, '{target.Group}', 'MEMBER')"), Is.Zero);
    }

    [Test]
    public async Task A_target_that_hangs_with_every_slot_taken_delays_no_other()
    {
        await using var hanging = await FaultyTarget.CreateAsync(_broker);
        await using var other = await FaultyTarget.CreateAsync(_broker);
        var (stuck, quick) = (await hanging.OpenTaskAsync(), await other.OpenTaskAsync());
        var held = new List<Uid>();
        for (var i = 0; i < 5; i++) held.Add((await hanging.IssueAsync(stuck)).Lease.Lease.Id);
        hanging.Way.Hang();
        await hanging.EndAsync(stuck);
        await hanging.UntilFailedAsync(held[0], ProviderFault.Unreachable);
        var issued = await other.IssueAsync(quick);
        await other.EndAsync(quick);
        await other.UntilProvenAsync(issued.Lease.Lease.Id);
        Assert.That((await hanging.LeasesAsync(stuck)).Select(lease => lease.State), Is.All.EqualTo(LeaseState.Revoking), "the first hangs still");
        hanging.Way.Open();
        foreach (var lease in held) await hanging.UntilProvenAsync(lease);
    }

    [Test]
    public async Task A_slow_target_is_waited_for()
    {
        await using var target = await FaultyTarget.CreateAsync(_broker);
        target.Way.Slow();
        var task = await target.OpenTaskAsync();
        var issued = await target.IssueAsync(task);
        await target.EndAsync(task);
        await target.UntilProvenAsync(issued.Lease.Lease.Id);
    }

    [TestCase("NOLOGIN", CutWhen.Before)]
    [TestCase("NOLOGIN", CutWhen.Answered)]
    [TestCase("pg_terminate_backend", CutWhen.Answered)]
    [TestCase("pg_auth_members", CutWhen.Answered)]
    [TestCase("DROP ROLE", CutWhen.Before)]
    [TestCase("DROP ROLE", CutWhen.Answered)]
    public async Task A_revocation_that_breaks_half_way_is_finished_by_the_next(string statement, CutWhen when)
    {
        await using var target = await FaultyTarget.CreateAsync(_broker);
        var task = await target.OpenTaskAsync();
        var issued = await target.IssueAsync(task);
        await using var session = await target.OpenAsync(issued);
        var cut = target.Way.CutAt(statement, when);
        await target.EndAsync(task);
        await cut.MetAsync();
        await target.UntilProvenAsync(issued.Lease.Lease.Id);
        Assert.That(await Target.ReadsAsync(session), Is.False, "its session is cut");
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_login_that_appears_after_its_call_was_given_up_is_proven_dead_only_after_the_bound(bool appears)
    {
        await using var target = await FaultyTarget.CreateAsync(_broker);
        var task = await target.OpenTaskAsync();
        var cut = target.Way.CutAt("CREATE ROLE", CutWhen.Late, shuts: appears);
        var asked = target.AskAsync(task);
        await cut.MetAsync();
        Assert.That(await asked, Is.InstanceOf<Result<IssuedLease>.Refused>());
        var lease = (await target.LeasesAsync(task)).Single();
        Assert.That(lease.State, Is.EqualTo(LeaseState.Revoking));
        // Nobody holds its name, and so it is made; or the broker, which asked first, holds it with a role that cannot log in.
        if (!appears) await RoleAsync("NOT rolcanlogin");
        cut.Delivered.SetResult();
        if (appears)
        {
            await RoleAsync("rolcanlogin");
            Assert.That((await target.LeaseAsync(lease.Id)).State, Is.EqualTo(LeaseState.Revoking), "that nobody had found it proves nothing");
            target.Way.Open();
        }

        var dead = await target.UntilProvenAsync(lease.Id);
        Assert.That(dead.Evidence!.ObservedAt, Is.GreaterThan(lease.IssueDeadline + lease.LateEffect));

        Task RoleAsync(string how) => FaultyTarget.UntilAsync(
            async () => await target.RolesAsync($"rolname = '{lease.ExternalName}' AND {how}") == 1, async () => $"its role is {how}; there are {await target.RolesAsync($"rolname = '{lease.ExternalName}'")}");
    }

    [Test]
    public async Task A_login_that_somebody_dropped_is_proven_dead_with_its_sessions()
    {
        await using var target = await FaultyTarget.CreateAsync(_broker);
        var task = await target.OpenTaskAsync();
        var issued = await target.IssueAsync(task);
        await using var session = await target.OpenAsync(issued);
        await target.Database.ExecuteAsync($"DROP ROLE {issued.Lease.Lease.ExternalName}");
        await target.EndAsync(task);
        var dead = await target.UntilProvenAsync(issued.Lease.Lease.Id);
        Assert.That(dead.Evidence!.Text, Does.Contain("no session has its oid"));
        await Assert.ThatAsync(() => Target.ExecuteAsync(session, "SELECT 1"), Throws.InstanceOf<NpgsqlException>());
    }

    private static TestCaseData Of(string name, ProviderFault kind, string words, Func<FaultyTarget, Lease, Task> breaking, Func<FaultyTarget, Lease, Task> mending, string suffix = "", bool issues = false) =>
        new TestCaseData(new Fault(kind, words, breaking, mending, suffix, issues)).SetArgDisplayNames(name);

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private static string Cut(FaultyTarget target) => $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{target.Login.Username}'";

    /// <summary>Something that goes wrong at a target.</summary>
    /// <param name="Kind">What an attempt fails by.</param>
    /// <param name="Words">What is said of it.</param>
    /// <param name="Break">Does it.</param>
    /// <param name="Mend">Undoes it.</param>
    /// <param name="Suffix">What the login's name ends with meanwhile.</param>
    /// <param name="Issues">Whether it issues all the same.</param>
    internal sealed record Fault(ProviderFault Kind, string Words, Func<FaultyTarget, Lease, Task> Break, Func<FaultyTarget, Lease, Task> Mend, string Suffix, bool Issues);
}

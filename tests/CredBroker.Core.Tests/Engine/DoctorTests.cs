using CredBroker.Abstractions;
using CredBroker.Core.Diagnosis;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using CredBroker.Core.Tasks;
using CredBroker.Testing.Scripted;
using Microsoft.Extensions.DependencyInjection;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Whatever is wrong is said in plain words, with what to do; and nothing where nothing is wrong.</summary>
public sealed class DoctorTests : EngineTests
{
    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task A_healthy_broker_has_no_ailment_and_strangers_are_told_nothing()
    {
        var agent = await Broker.CallerAsync();
        Ok(await Broker.IssueAsync(agent, await Broker.TaskAsync(agent)));
        Assert.That(await CodesAsync(), Is.Empty);
        Assert.That(Refused(await Broker.Get<DiagnosisService>().DiagnoseAsync(agent, None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
    }

    [Test]
    public async Task What_cannot_be_revoked_is_told_with_its_cause_the_pause_and_the_slow_lane()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task));
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, ScriptedStep.Fails(ProviderFault.Denied));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        var found = await DiagnoseAsync();
        Assert.That(found.Select(one => (one.Code, one.Severity, one.Subject)), Is.EqualTo(new[] { ("revocation-failing", Severity.Critical, "providers/db"), ("provider-paused", Severity.Warning, "providers/db") }));
        Assert.That((found[0].What, found[0].Remedy), Is.EqualTo((
            "1 credentials cannot be revoked: the target denies the broker a right. The oldest had to die at 2026-03-01 12:00:00 UTC. They are refused by the broker and may live at the target; each is tried again without end.",
            "credbroker provider check db says what is missing; credbroker leases list --filter 'failing = true' shows each")));

        for (var i = 0; i < 10; i++)
        {
            Broker.Time.Advance(TimeSpan.FromMinutes(6));
            await Broker.LookAsync();
        }

        Assert.That(await CodesAsync(), Does.Contain("slow-lane"));
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, null);
        Broker.Time.Advance(TimeSpan.FromMinutes(6));
        await Broker.LookAsync();
        Assert.That(await CodesAsync(), Is.Empty);
    }

    [Test]
    public async Task Work_that_nobody_takes_is_told()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, ttl: TimeSpan.FromMinutes(20));
        Ok(await Broker.IssueAsync(agent, task, ttl: TimeSpan.FromMinutes(10)));
        Broker.Time.Advance(TimeSpan.FromMinutes(12));
        Assert.That(await CodesAsync(), Is.Empty, "a look may be a little late");
        Broker.Time.Advance(TimeSpan.FromMinutes(12));
        Assert.That(await CodesAsync(), Is.EqualTo(new[] { "work-untaken", "task-not-ended" }));
        await Broker.LookAsync();
        Assert.That(await CodesAsync(), Is.Empty);
    }

    [Test]
    public async Task Differences_quarantine_and_reviews_are_told()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Broker.Target.Plant($"cb-test01-{Uid.New(Broker.Time)}", null, Broker.Time.Now().AddHours(1));
        Broker.Target.Remove(lease.ExternalName);
        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        var unknown = Uid.New(Broker.Time);
        Broker.Target.Plant($"cb-test01-{unknown}", Broker.Get<LeaseMarks>().Make(unknown).ToString(), Broker.Time.Now().AddHours(1));
        var db = Broker.Get<Catalog>().Current.Providers["db"];
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, db.Spec with { ReviewBy = Broker.Time.Now().AddDays(3), Owner = "team-data" }, new ChangeOptions(), None));
        db = Broker.Get<Catalog>().Current.Providers["db"];
        await Broker.Get<Reconciler>().RunNowAsync(db, None);

        var found = await DiagnoseAsync();
        Assert.That(found.Select(one => one.Code), Is.EqualTo(new[] { "quarantine", "unknown-credentials", "missing", "marks-not-valid", "review-soon" }));
        Assert.That(found[0].Remedy, Does.Contain("credbroker quarantine release db"));
        Assert.That(found[^1].Remedy, Is.EqualTo("team-data looks at it and moves reviewBy"));
        Broker.Time.Advance(TimeSpan.FromDays(4));
        var later = await CodesAsync();
        Assert.That(later, Does.Contain("review-overdue").And.Contain("not-reconciled").And.Contain("quarantine"));
        Assert.That(later, Has.None.EqualTo("work-untaken"), "what a quarantine holds back is not forgotten work");
    }

    [Test]
    public async Task What_cannot_be_looked_at_hides_nothing_else()
    {
        await RestartAsync(services => services.AddSingleton<IExamination, Broken>());
        await Broker.Get<IQuarantineStore>().StartAsync(Broker.Get<Catalog>().Current.Providers["db"].Uid, QuarantineReason.ByHand, Audit.Actor.Broker, "", None);
        var found = await DiagnoseAsync();
        Assert.That(found.Select(one => (one.Code, one.Subject)), Is.EqualTo(new[] { ("not-examined", "broken"), ("quarantine", "providers/db") }));
        Assert.That(found[0].What, Does.Not.Contain("secret"));
    }

    private async Task<IReadOnlyList<Ailment>> DiagnoseAsync() => Ok(await Broker.Get<DiagnosisService>().DiagnoseAsync(await RootAsync(), None));

    private async Task<string[]> CodesAsync() => [.. (await DiagnoseAsync()).Select(ailment => ailment.Code)];

    private sealed class Broken : IExamination
    {
        public string Name => "broken";

        public Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken) => throw new InvalidOperationException("a secret of its own");
    }
}

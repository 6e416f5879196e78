using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>What issuing and the shared document have to do with each other.</summary>
public sealed partial class GroupTests
{
    [Test]
    public async Task A_group_that_cannot_be_is_the_providers_fault_and_nothing_is_stored_or_made()
    {
        await RegisterAsync("faulty", Shared with { MisdeclaresGroup = true });
        var refused = Refused(await _broker.IssueAsync(_agent, _task, "faulty"));
        Assert.That(refused.Reason, Is.EqualTo(Reasons.ProviderFailed));
        Assert.That(refused.Message, Does.Contain("1 to 512 characters"));
        Assert.That(await _broker.LeasesOfAsync(_task), Is.Empty);
        Assert.That(Calls.Count(ScriptedOperation.Issue), Is.Zero);
    }

    [TestCase("", 1)]
    [TestCase("a\nb", 1)]
    [TestCase("a\u0000b", 1)]
    [TestCase("a", 0)]
    [TestCase("a", -1)]
    [TestCase("a", ExclusiveGroup.MostCapacity + 1)]
    public void What_cannot_be_stored_is_no_group(string name, int capacity)
    {
        Assert.That(new ExclusiveGroup(name, capacity).WhyNot(), Is.Not.Null);
        Assert.That(new ExclusiveGroup(new string('x', ExclusiveGroup.MaxNameLength + 1), 1).WhyNot(), Is.Not.Null);
        Assert.That(new ExclusiveGroup(new string('x', ExclusiveGroup.MaxNameLength), ExclusiveGroup.MostCapacity).WhyNot(), Is.Null);
    }

    [Test]
    public async Task An_issue_that_writes_the_document_and_a_revocation_take_turns()
    {
        var first = await IssueAsync("guarded");
        var issues = new ScriptedGate();
        Calls.Next(ScriptedOperation.Issue, new ScriptedStep { Before = issues });
        var issuing = IssueAsync("guarded");
        await issues.Reached;
        await RevokeAsync(first);
        await Dispatcher.LookAsync(CancellationToken.None);
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.Zero, "the issuing call has the document");
        issues.Open();
        var second = await issuing;

        var revokes = new ScriptedGate();
        Calls.Next(ScriptedOperation.RevokeGroup, new ScriptedStep { Before = revokes });
        await Dispatcher.LookAsync(CancellationToken.None);
        await revokes.Reached;
        issuing = IssueAsync("guarded");
        await UntilAsync(async () => (await _broker.LeasesOfAsync(_task)).Count == 3, "it is reserved");
        Assert.That(Calls.Count(ScriptedOperation.Issue), Is.EqualTo(2), "the revocation has it");
        revokes.Open();
        var third = await issuing.WaitAsync(TimeSpan.FromSeconds(30));
        await IdleAsync();
        await AssertDeadAsync([first]);
        Assert.That(new[] { second, third }.Select(Lives), Is.All.True);
        Assert.That(_broker.Target.Documents.MostWritersAtOnce, Is.EqualTo(1));
    }

    [Test]
    public async Task An_issue_whose_turn_does_not_come_in_time_makes_definitely_nothing()
    {
        var first = await IssueAsync("guarded");
        var group = (await LeaseAsync(first)).Group!.Id;
        Assert.That((await _broker.Get<ILeaseGroups>().HoldAsync(group, TimeSpan.FromHours(1), CancellationToken.None)).Fence, Is.Not.Null);
        var issuing = _broker.IssueAsync(_agent, _task, "guarded");
        await UntilAsync(async () => (await _broker.LeasesOfAsync(_task)).Count == 2, "it is reserved");
        while (!issuing.IsCompleted)
        {
            _broker.Time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Yield();
        }

        Assert.That(Refused(await issuing).Reason, Is.EqualTo(Reasons.ProviderUnavailable));
        Assert.That(Calls.Count(ScriptedOperation.Issue), Is.EqualTo(1), "the provider was not called");
        // The clock runs ahead of the threads here: the answer may come when nobody waits for it any more, and is taken all the same.
        await UntilAsync(async () => (await _broker.LeasesOfAsync(_task)).Select(view => view.Lease.State).Order().SequenceEqual([LeaseState.Active, LeaseState.Void]), "it is void");
    }

    [Test]
    public async Task An_issue_whose_outcome_is_unknown_keeps_the_document_for_its_late_effect()
    {
        var first = await IssueAsync("guarded");
        Calls.Next(ScriptedOperation.Issue, ScriptedStep.ActsLate(TimeSpan.FromSeconds(9)));
        Refused(await _broker.IssueAsync(_agent, _task, "guarded"));
        await RevokeAsync(first);
        _broker.Time.Advance(TimeSpan.FromSeconds(8));
        await _broker.LookAsync();
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.Zero);
        _broker.Time.Advance(TimeSpan.FromSeconds(60));
        await _broker.LookAsync();
        await AssertDeadAsync([first]);
        Assert.That((await _broker.LeasesOfAsync(_task)).Select(view => view.Lease.State), Is.All.EqualTo(LeaseState.Revoked), "what came late was denied before it could be used");
    }

    [Test]
    public async Task A_document_without_room_refuses_to_issue_until_something_has_died_by_its_own_time()
    {
        var life = TimeSpan.FromMinutes(10);
        var first = await IssueAsync("small", life);
        await IssueAsync("small", life);
        var refused = Refused(await _broker.IssueAsync(_agent, _task, "small", life));
        Assert.That(refused.Reason, Is.EqualTo(Reasons.QuotaExceeded));
        Assert.That(refused.Message, Does.Contain("room for 2"));
        await RevokeAsync(first);
        await _broker.LookAsync();
        await AssertDeadAsync([first]);
        Refused(await _broker.IssueAsync(_agent, _task, "small", life));
        Assert.That(Calls.Count(ScriptedOperation.Issue), Is.EqualTo(2));
        _broker.Time.Advance(life + TimeSpan.FromSeconds(41));
        Ok(await _broker.IssueAsync(_agent, _task, "small", life));
    }

    [Test]
    public async Task An_issue_that_returns_after_its_turn_ran_out_is_taken_for_one_that_wrote()
    {
        var first = await IssueAsync("guarded");
        var gate = new ScriptedGate();
        Calls.Next(ScriptedOperation.Issue, ScriptedStep.Hangs(gate));
        var issuing = _broker.IssueAsync(_agent, _task, "guarded");
        await gate.Reached;
        _broker.Time.Advance(TimeSpan.FromSeconds(36));
        Assert.That(Refused(await issuing).Reason, Is.EqualTo(Reasons.ProviderUnavailable));
        await RevokeAsync(first);
        await _broker.LookAsync();
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.Zero, "the call has not returned, and may still write");
        _broker.Time.Advance(TimeSpan.FromSeconds(20));
        await _broker.LookAsync();
        await AssertDeadAsync([first]);

        gate.Open();
        await UntilAsync(async () => (await LeaseAsync(first)).EndReason == EndReason.Reappeared, "what was proven meanwhile is looked at again");
        await UntilAsync(async () => (await _broker.LeasesOfAsync(_task)).All(view => view.Lease.EndReason == EndReason.Reappeared), "and what came late is known");
        await _broker.LookAsync();
        await AssertDeadAsync([first]);
        Assert.That((await _broker.LeasesOfAsync(_task)).Select(view => view.Lease.State), Is.EquivalentTo(new[] { LeaseState.Revoked, LeaseState.Void }), "past its deadline it made nothing");
    }
}

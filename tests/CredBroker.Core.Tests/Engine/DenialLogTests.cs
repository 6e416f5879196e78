using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Whoever asks in a loop for what is denied fills no trail, and everything that is said of it can be read there.</summary>
public sealed class DenialLogTests : EngineTests
{
    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task The_same_denial_is_written_once_in_a_minute_and_then_counted()
    {
        var (agent, other) = (await Broker.CallerAsync(), await Broker.CallerAsync("other"));
        var (task, theirs) = (await Broker.TaskAsync(agent), await Broker.TaskAsync(other));
        var ids = new List<string>();
        for (var i = 0; i < 50; i++)
        {
            ids.Add(Refused(await Broker.IssueAsync(agent, task, "absent", ttl: TimeSpan.FromSeconds(60 + i))).Metadata["decision"]);
            Broker.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(ids.Distinct().Count(), Is.EqualTo(1));
        Refused(await Broker.IssueAsync(other, theirs, "absent"));
        Assert.That((await EventsAsync(AuditTypes.Decision)).Count(found => found.Draft.Detail["allowed"]!.GetValue<bool>() == false), Is.EqualTo(2), "one for each workload");
        await Broker.Get<DenialLog>().LookAsync(None);
        Assert.That(await EventsAsync(AuditTypes.DecisionRepeated), Is.Empty, "not before the minute is over");
        Broker.Time.Advance(TimeSpan.FromSeconds(10));
        await Broker.Get<DenialLog>().LookAsync(None);
        var told = (await EventsAsync(AuditTypes.DecisionRepeated)).Single().Draft;
        Assert.That((told.DecisionId.ToString(), (long)told.Detail["count"]!, told.By.Name, told.TaskId), Is.EqualTo((ids[0].Split('/')[1], 49L, "ci/agent", (Uid?)task.Id)));
        Assert.That((string)told.Detail["last_at"]!, Is.EqualTo("2026-03-01T12:00:49.000000Z"));
        Ok(await Broker.Get<AuditService>().GetDecisionAsync(agent, told.DecisionId!.Value, None));

        Assert.That(Refused(await Broker.IssueAsync(agent, task, "absent")).Metadata["decision"], Is.Not.EqualTo(ids[0]), "a new minute");
        Refused(await Broker.IssueAsync(agent, task, "absent"));
        await Broker.Get<DenialLog>().FlushAsync(None);
        Assert.That((long)(await EventsAsync(AuditTypes.DecisionRepeated))[^1].Draft.Detail["count"]!, Is.EqualTo(1));
    }

    [Test]
    public async Task Ever_new_names_fill_no_trail_either()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var ids = new List<string>();
        for (var i = 0; i < 100; i++) ids.Add(Refused(await Broker.IssueAsync(agent, task, $"absent-{i}")).Metadata["decision"]);
        var written = (await EventsAsync(AuditTypes.Decision)).Where(found => found.Draft.Detail["allowed"]!.GetValue<bool>() == false).Select(found => $"decisions/{found.Draft.DecisionId}").ToList();
        Assert.That(written, Has.Count.EqualTo(DenialLog.MostTold + 1));
        Assert.That(ids, Is.All.Matches<string?>(id => written.Contains(id!)), "every answer names one that is there");
    }

    private async Task<IReadOnlyList<AuditEvent>> EventsAsync(string type) =>
        (await Broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [type] }, new PageRequest(1000, null), None)).Items;
}

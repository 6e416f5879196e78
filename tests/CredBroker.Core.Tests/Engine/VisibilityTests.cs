using System.Diagnostics.Metrics;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Erasure;
using CredBroker.Core.Revocation;
using CredBroker.Core.Tasks;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>What is not proven dead is seen, and what need not be seen any more can be erased.</summary>
public sealed class VisibilityTests : EngineTests
{
    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task A_revocation_that_cannot_succeed_shows_in_the_gauges_until_it_did()
    {
        using var seen = new Gauges(Broker.Get<IMeterFactory>());
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        for (var i = 0; i < 3; i++) Ok(await Broker.IssueAsync(agent, task));
        await MeasureAsync();
        Assert.That(seen["credbroker.leases.unproven", "db", "active"], Is.EqualTo(3));
        Assert.That(seen["credbroker.revocations.oldest", "db", ""], Is.Zero);

        Broker.Target.Calls.Always(ScriptedOperation.Revoke, ScriptedStep.Fails(ProviderFault.Credential));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        Broker.Time.Advance(TimeSpan.FromMinutes(20));
        await MeasureAsync();
        Assert.That((seen["credbroker.leases.unproven", "db", "active"], seen["credbroker.leases.unproven", "db", "revoking"]), Is.EqualTo((0.0, 3.0)));
        Assert.That(seen["credbroker.revocations.failing", "db", "Credential"], Is.EqualTo(3));
        Assert.That(seen["credbroker.revocations.oldest", "db", ""], Is.EqualTo(1200));
        Assert.That(seen["credbroker.revocations.oldest_due", "db", ""], Is.GreaterThan(1100).And.LessThan(1200), "each is due again since a moment after its attempt");
        Assert.That(seen.First("credbroker.leases.time_to_first_attempt"), Is.EqualTo(new[] { 0.0, 0.0, 0.0 }));

        Broker.Target.Calls.Always(ScriptedOperation.Revoke, null);
        await Broker.LookAsync();
        await MeasureAsync();
        Assert.That(Broker.Get<RevocationWatch>().Current, Is.Empty);
        Assert.That(seen.First("credbroker.leases.time_to_dead"), Has.Count.EqualTo(3).And.All.EqualTo(1200));
        Assert.That(seen.First("credbroker.leases.time_to_first_attempt"), Has.Count.EqualTo(3), "a first attempt is the first alone");
    }

    [Test]
    public async Task A_lost_heartbeat_counts_from_when_the_broker_wrote_it_and_a_deadline_from_itself()
    {
        using var seen = new Gauges(Broker.Get<IMeterFactory>());
        var agent = await Broker.CallerAsync();
        await Broker.TaskAsync(agent, heartbeat: TimeSpan.FromSeconds(10));
        await Broker.TaskAsync(agent, ttl: TimeSpan.FromSeconds(20));
        Broker.Time.Advance(TimeSpan.FromSeconds(34));
        await Broker.LookAsync();
        Assert.That(seen.First("credbroker.tasks.time_to_refused"), Is.EquivalentTo(new[] { 0.0, 4.0 }));
    }

    [Test]
    public async Task Texts_of_a_tree_are_erased_by_who_may_and_told()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var child = await Broker.TaskAsync(agent, task.Id);
        Ok(await Broker.IssueAsync(agent, child));
        var root = await RootAsync();
        var erasure = Broker.Get<ErasureService>();
        Assert.That(Refused(await erasure.EraseAsync(root, task.Id, None)).Reason, Is.EqualTo(Reasons.TaskRunning));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        Assert.That(Refused(await erasure.EraseAsync(root, task.Id, None)).Reason, Is.EqualTo(Reasons.HasLiveLeases), "the child's lease is not proven dead");
        Assert.That(Ok(await Broker.Get<TaskService>().GetAsync(agent, task.Id, None)).Intent.What, Is.Not.Empty);
        await Broker.LookAsync();

        Assert.That(Refused(await erasure.EraseAsync(agent, task.Id, None)).Reason, Is.EqualTo(Reasons.PermissionDenied), "an owner does not erase what others must be able to read");
        var stranger = await Broker.CallerAsync("stranger");
        Assert.That(Refused(await erasure.EraseAsync(stranger, task.Id, None)), Is.EqualTo(Refused(await erasure.EraseAsync(stranger, Uid.New(Broker.Time), None))).Using<BrokerError>((x, y) => x.ToString() == y.ToString()));
        var erased = Ok(await erasure.EraseAsync(root, task.Id, None));
        Assert.That((erased.Tasks, erased.Task.Intent.What), Is.EqualTo((2, "")));
        Assert.That(Ok(await Broker.Get<TaskService>().GetAsync(agent, child.Id, None)).Intent.What, Is.Empty);
        Assert.That((await Broker.StoryAsync(task)).Count(type => type == AuditTypes.TaskTextsErased), Is.EqualTo(2));
        Assert.That(Ok(await erasure.EraseAsync(root, task.Id, None)).Texts, Is.Zero);
        Assert.That((await Broker.StoryAsync(task)).Count(type => type == AuditTypes.TaskTextsErased), Is.EqualTo(2), "nothing happened, nothing is told");
    }

    private async Task MeasureAsync() => await Broker.Get<RevocationWatch>().LookAsync(None);

    /// <summary>Listens to this broker's meter alone.</summary>
    private sealed class Gauges : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<(string, string, string), double> _last = [];
        private readonly List<(string Name, double Value)> _all = [];
        private readonly Lock _lock = new();

        public Gauges(IMeterFactory factory)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == BrokerMetrics.MeterName && ReferenceEquals(instrument.Meter.Scope, factory)) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
            _listener.Start();
        }

        public double this[string name, string provider, string tag]
        {
            get
            {
                lock (_lock) _last.Clear();
                _listener.RecordObservableInstruments();
                lock (_lock) return _last.GetValueOrDefault((name, provider, tag));
            }
        }

        public IReadOnlyList<double> First(string name)
        {
            lock (_lock) return [.. _all.Where(one => one.Name == name).Select(one => one.Value)];
        }

        public void Dispose() => _listener.Dispose();

        private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var provider = tags.Length > 0 ? $"{tags[0].Value}" : "";
            lock (_lock)
            {
                _last[(instrument.Name, provider, tags.Length > 1 ? $"{tags[1].Value}" : "")] = value;
                _all.Add((instrument.Name, value));
            }
        }
    }
}

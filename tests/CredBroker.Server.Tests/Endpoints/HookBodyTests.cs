using System.Text;
using CredBroker.AspNetCore.Endpoints;
using CredBroker.AspNetCore.Webhooks;
using CredBroker.Core;
using CredBroker.Core.Hooks;
using CredBroker.Core.Tasks;

namespace CredBroker.Server.Tests.Endpoints;

[TestFixture]
internal sealed class HookBodyTests
{
    private static readonly WebhookHeaders Headers = new("msg_1", "1674087231", "");

    [Test]
    public void Reads_a_signal_that_names_a_task()
    {
        var signal = Signal("""{"type":"task.ended","data":{"task":"tasks/01abcdefghjkmnpqrstvwxyz23","outcome":"succeeded"}}""");

        Assert.That((signal!.Id, signal.Task.ToString(), signal.Outcome), Is.EqualTo(("msg_1", "01abcdefghjkmnpqrstvwxyz23", TaskOutcome.Succeeded)));
        Assert.That(signal.SentAt, Is.EqualTo(DateTimeOffset.FromUnixTimeSeconds(1674087231)));
    }

    [Test]
    public void Reads_a_signal_that_matches()
    {
        var signal = Signal("""{"type":"task.ended","timestamp":"2026-01-01T00:00:00Z","data":{"match":{"run_id":"7"},"outcome":"FAILED"}}""");

        Assert.That((signal!.Task, signal.Match["run_id"], signal.Outcome), Is.EqualTo(((Abstractions.Uid?)null, "7", TaskOutcome.Failed)));
    }

    [Test]
    public void Passes_over_signals_of_other_types() => Assert.That(Signal("""{"type":"contact.created","data":{"task":5}}"""), Is.Null);

    [TestCase("")]
    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("""{"type":"task.ended"}""")]
    [TestCase("""{"type":5}""")]
    [TestCase("""{"type":"task.ended","data":[]}""")]
    [TestCase("""{"type":"task.ended","data":{"task":"tasks/01abcdefghjkmnpqrstvwxyz23"}}""")]
    [TestCase("""{"type":"task.ended","data":{"task":"tasks/x","outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"match":{},"outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"match":{"a":5},"outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"match":{"a":""},"outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"match":{"a":"\ud800"},"outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"match":{"a":"\u0000"},"outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"match":{"a":"1","a":"2"},"outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"task":"tasks/01abcdefghjkmnpqrstvwxyz23","match":{"a":"1"},"outcome":"failed"}}""")]
    [TestCase("""{"type":"task.ended","data":{"task":"tasks/01abcdefghjkmnpqrstvwxyz23","outcome":"failed","force":true}}""")]
    [TestCase("""{"type":"task.ended","data":{"match":{"a":{"b":{"c":{"d":{"e":{"f":{"g":1}}}}}}},"outcome":"failed"}}""")]
    public void Refuses(string body) => Assert.That(HookBody.Read(Encoding.UTF8.GetBytes(body), Headers, default), Is.InstanceOf<Result<HookSignal?>.Refused>());

    [Test]
    public void Refuses_invalid_utf8() => Assert.That(HookBody.Read([(byte)'"', 0xC3, 0x28, (byte)'"'], Headers, default), Is.InstanceOf<Result<HookSignal?>.Refused>());

    private static HookSignal? Signal(string body) => ((Result<HookSignal?>.Ok)HookBody.Read(Encoding.UTF8.GetBytes(body), Headers, default)).Value;
}

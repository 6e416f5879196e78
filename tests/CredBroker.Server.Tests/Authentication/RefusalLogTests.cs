using System.Diagnostics.Metrics;
using System.Net;
using CredBroker.AspNetCore.Authentication;
using CredBroker.Core;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuance;
using CredBroker.Core.Pressure;
using CredBroker.Server.Tests.Surface;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Server.Tests.Authentication;

/// <summary>What the operator is told of bad tokens, and how often.</summary>
[TestFixture]
internal sealed class RefusalLogTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly KeptLog _log = new();
    private readonly List<(long Count, string Tags)> _measured = [];
    private ServiceProvider _services = null!;
    private LoggerFactory _loggers = null!;
    private MeterListener _listener = null!;
    private RefusalLog _refusals = null!;

    [SetUp]
    public void SetUp()
    {
        _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = _services.GetRequiredService<IMeterFactory>();
        _loggers = new LoggerFactory([_log]);
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name == "credbroker.tokens.refused") listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) => _measured.Add((count, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}")))));
        _listener.Start();
        _refusals = new RefusalLog(new Logger<RefusalLog>(_loggers), new BrokerMetrics(meters, new StorePressure(TimeProvider.System), new Admission(new BrokerLimits())), _time);
        _log.Lines.Clear();
        _measured.Clear();
    }

    [TearDown]
    public void TearDown()
    {
        _listener.Dispose();
        _loggers.Dispose();
        _services.Dispose();
    }

    [Test]
    public void Names_the_rule_the_source_and_the_address()
    {
        Refuse(RefusalReasons.AudienceRefused, "ci");
        Refuse(RefusalReasons.IssuerUnknown, "");

        Assert.That(_log.Lines, Is.EqualTo(new[]
        {
            "Information: A bearer token from 10.1.4.7 was refused: AUDIENCE_REFUSED by identity source ci: Because. ",
            "Information: A bearer token from 10.1.4.7 was refused: ISSUER_UNKNOWN: Because. ",
        }));
        Assert.That(_measured, Is.EqualTo(new[] { (1L, "rule=AUDIENCE_REFUSED source=ci"), (1L, "rule=ISSUER_UNKNOWN source=") }));
    }

    [Test]
    public void A_storm_of_bad_tokens_writes_few_lines_and_hides_no_other_rule()
    {
        for (var i = 0; i < 1000; i++) Refuse(RefusalReasons.IssuerUnknown, "");
        Assert.That(_log.Lines, Has.Count.EqualTo(RefusalLog.MostLines));
        Refuse(RefusalReasons.TokenExpired, "ci");
        Assert.That(_log.Lines, Has.Count.EqualTo(RefusalLog.MostLines + 1));

        _time.Advance(TimeSpan.FromMinutes(1));
        _log.Lines.Clear();
        Refuse(RefusalReasons.IssuerUnknown, "");
        Assert.That(_log.Lines, Has.Count.EqualTo(2));
        Assert.That(_log.Lines.First(), Does.Contain("990 more bearer tokens were refused").And.Contain("ISSUER_UNKNOWN"));
        Assert.That(_measured, Has.Count.EqualTo(1002), "the metric counts all");
    }

    private void Refuse(string rule, string source) => _refusals.Write(new Attestation.Refused(rule, "Because.") { Source = source }, IPAddress.Parse("10.1.4.7"));
}

using System.Net;
using CredBroker.Abstractions;
using CredBroker.TestSupport.StandIns;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Testing.StandIns;

/// <summary>Faults that do not happen would let every provider pass.</summary>
internal sealed class StandInHostTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private int _acts;

    [SetUp]
    public void Forget() => _acts = 0;

    [Test]
    public async Task Answers_with_its_own_clock_and_remembers_what_was_asked()
    {
        await using var host = await StartAsync();
        using var client = host.CreateClient();
        using var request = new HttpRequestMessage(new HttpMethod("LIST"), "/v1/a%2Fb?x=a%20b") { Content = new StringContent("body") };
        using var response = await client.SendAsync(request);
        Assert.That(response.Headers.Date, Is.EqualTo(_clock.GetUtcNow()));
        var asked = host.Log.All.Single();
        Assert.That((asked.Method, asked.Path, asked.QueryValue("x"), asked.Text), Is.EqualTo(("LIST", "/v1/a%2Fb", "a b", "body")));
        Assert.That(host.Log.Lines(), Is.EqualTo(new[] { "LIST /v1/a%2Fb" }));
    }

    [Test]
    public async Task Speaks_TLS_for_the_names_it_was_given_and_is_trusted_by_its_egress_alone()
    {
        await using var host = await StartAsync(tls: true, "login.example");
        using var client = host.CreateClient();
        using var response = await client.GetAsync(new Uri("https://login.example/path"));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(host.Log.All.Single().Host, Is.EqualTo("login.example"));
        using var stranger = new HttpClient();
        Assert.That(() => stranger.GetAsync(host.Address), Throws.InstanceOf<HttpRequestException>());
        Assert.That(() => client.GetAsync(new Uri("https://other.example/")), Throws.Exception.With.InnerException.InstanceOf<EgressDeniedException>().Or.InstanceOf<EgressDeniedException>());
        Assert.That(host.Egress.Refused, Is.EqualTo(new[] { "other.example" }));
    }

    [Test]
    public async Task Throttles_as_often_as_it_was_told()
    {
        await using var host = await StartAsync();
        using var client = host.CreateClient();
        host.Faults.Next(StandInFault.Answers.Throttle(7), request => request.Path == "/a", times: 2);
        Assert.That(await StatusAsync(client, "/b"), Is.EqualTo(200));
        using (var throttled = await client.GetAsync("/a"))
        {
            Assert.That((int)throttled.StatusCode, Is.EqualTo(429));
            Assert.That(throttled.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(7)));
        }

        Assert.That(await StatusAsync(client, "/a"), Is.EqualTo(429));
        Assert.That(await StatusAsync(client, "/a"), Is.EqualTo(200));
        Assert.That(_acts, Is.EqualTo(2));
    }

    [Test]
    public async Task Loses_an_answer_after_acting_and_a_request_before()
    {
        await using var host = await StartAsync();
        using var client = host.CreateClient();
        host.Faults.Next(new StandInFault.LosesAnswer());
        Assert.That(() => client.PostAsync("/", null), Throws.InstanceOf<HttpRequestException>());
        Assert.That(_acts, Is.EqualTo(1));
        host.Faults.Next(new StandInFault.LosesRequest());
        Assert.That(() => client.PostAsync("/", null), Throws.InstanceOf<HttpRequestException>());
        Assert.That(_acts, Is.EqualTo(1));
    }

    [Test]
    public async Task Hangs_until_the_caller_gives_up()
    {
        await using var host = await StartAsync();
        using var client = host.CreateClient();
        foreach (var (fault, acts) in new[] { ((StandInFault)new StandInFault.Hangs(), 0), (new StandInFault.ActsAndHangs(), 1) })
        {
            host.Faults.Next(fault);
            using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
            Assert.That(() => client.PostAsync("/", null, impatient.Token), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(_acts, Is.EqualTo(acts));
        }
    }

    [Test]
    public async Task Acts_late_by_its_own_clock_although_nobody_waits()
    {
        await using var host = await StartAsync();
        using var client = host.CreateClient();
        host.Faults.Next(new StandInFault.ActsLate(TimeSpan.FromSeconds(5)));
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        Assert.That(() => client.PostAsync("/", null, impatient.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_acts, Is.Zero);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.That(() => Volatile.Read(ref _acts), Is.EqualTo(1).After(5000, 10));
    }

    private static async Task<int> StatusAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path);
        return (int)response.StatusCode;
    }

    private Task<StandInHost> StartAsync(bool tls = false, params string[] hosts) => StandInHost.StartAsync(
        new() { Clock = _clock, Tls = tls, Hosts = hosts },
        _ =>
        {
            Interlocked.Increment(ref _acts);
            return StandInAnswer.Of(200, "ok", "text/plain");
        });
}

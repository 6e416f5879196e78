using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DevIdentity;

namespace CredBroker.Core.Tests.Identity;

[TestFixture]
internal sealed class DevIdentityTests
{
    [Test]
    public async Task Answers_tokens_that_the_broker_accepts()
    {
        await using var harness = await IdentityHarness.StartAsync();
        harness.Register();
        using var http = new HttpClient();
        using var response = await http.PostAsJsonAsync($"{harness.Issuer.Issuer}/token", new { subject = "agent-7", audience = IdentityHarness.Audience, claims = new { team = "a" }, lifetime = 60 });
        var answer = await response.Content.ReadFromJsonAsync<JsonObject>();
        var identity = await harness.AcceptAsync(answer!["token"]!.GetValue<string>());
        Assert.That((identity.Subject, harness.Issuer.TokenRequests), Is.EqualTo(("agent-7", 1)));
    }

    [Test]
    public async Task Refuses_a_request_that_is_none_and_everything_while_it_is_down()
    {
        await using var issuer = await DevIdentitySource.StartAsync();
        using var http = new HttpClient();
        foreach (var body in new object[] { new { subject = "", audience = "a" }, new { subject = "a", audience = "a", lifetime = 0 } })
        {
            using var response = await http.PostAsJsonAsync($"{issuer.Issuer}/token", body);
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        }

        issuer.Down = true;
        using var down = await http.GetAsync($"{issuer.Issuer}/.well-known/openid-configuration");
        Assert.That(down.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
    }

    [Test]
    public void Listens_on_loopback_alone() =>
        Assert.That(() => DevIdentitySource.StartAsync("http://0.0.0.0:0"), Throws.ArgumentException);
}

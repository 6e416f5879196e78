using System.Net;
using System.Text;

namespace CredBroker.Server.Tests.Surface;

/// <summary>Introspection tells a caller about its own audience, and nothing at all about anything else.</summary>
[TestFixture]
internal sealed class IntrospectionAttackTests
{
    private SurfaceHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _host = await SurfaceHost.StartAsync();
        await _host.SetUpAsync();
        await _host.MustAsync(_host.Person("root"), "/v1/providers?providerId=vault", """{"type":"token"}""");
        await _host.MustAsync(_host.Person("root"), "/v1/providers/vault/roles?roleId=opener", """{"kind":"jwt","template":{"audience":"vault"},"maxTtl":"300s"}""");
        await _host.MustAsync(_host.Person("root"), "/v1/policySets?policySetId=vault", """{"kind":"SCOPED","text":"permit (principal, action == Action::\"issue\", resource == Role::\"vault/opener\");"}""");
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_host is not null) await _host.DisposeAsync();
    }

    [Test]
    public async Task A_living_token_of_another_audience_and_garbage_are_answered_alike_byte_for_byte()
    {
        var agent = _host.Workload("agent-vault");
        var task = (await _host.MustAsync(agent, "/v1/tasks", """{"intent":{"what":"open"}}""")).GetProperty("name").GetString()!;
        var living = await TokenAsync(agent, task, """{"role":"providers/vault/roles/opener"}""");
        var own = await TokenAsync(agent, task, """{"role":"providers/tokens/roles/reader","parameters":{"table":"orders"}}""");
        Assert.That(await AskAsync(own), Does.Contain("\"active\":true"), "who asks about its own audience is told");

        var answers = new List<string>();
        foreach (var token in new[] { living, living[..^4] + "AAAA", "garbage", _host.Workload("agent-vault"), _host.Person("root"), $"{living.Split('.')[0]}.{own.Split('.')[1]}.{living.Split('.')[2]}" })
            answers.Add(await AskAsync(token));
        Assert.That(answers.Distinct(), Has.Exactly(1).Items);
        Assert.That(answers[0], Does.EndWith("""{"active":false}"""));
    }

    [Test]
    public async Task Nobody_unknown_is_told_anything()
    {
        using var anonymous = new HttpRequestMessage(HttpMethod.Post, "/oauth2/introspect") { Content = Form("a.b.c") };
        Assert.That((await _host.SendAsync(anonymous)).StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    private async Task<string> TokenAsync(string agent, string task, string body) =>
        (await _host.MustAsync(agent, $"/v1/{task}/leases:issue", body)).GetProperty("credential").GetProperty("fields").GetProperty("token").GetProperty("value").GetString()!;

    /// <summary>Status, headers and body, but for the time of day.</summary>
    private async Task<string> AskAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/oauth2/introspect") { Content = Form(token), Headers = { Authorization = new("Bearer", _host.Workload("service")) } };
        var response = await _host.SendAsync(request);
        var headers = response.Headers.Concat(response.Content.Headers).Where(header => header.Key is not "Date").Select(header => $"{header.Key}: {string.Join(',', header.Value)}").Order(StringComparer.Ordinal);
        return $"{(int)response.StatusCode}\n{string.Join('\n', headers)}\n{await response.Content.ReadAsStringAsync()}";
    }

    private static StringContent Form(string token) => new("token=" + token, Encoding.UTF8, "application/x-www-form-urlencoded");
}

using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Contracts.V1;
using Grpc.Core;

namespace CredBroker.Server.Tests.Surface;

/// <summary>Whoever tries tokens out learns nothing from the answers; the operator finds why in the log.</summary>
[TestFixture]
internal sealed class RefusedTokenTests
{
    private const string Planted = "planted-claim";
    private SurfaceHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _host = await SurfaceHost.StartAsync();
        await _host.SetUpAsync();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_host is not null) await _host.DisposeAsync();
    }

    private IEnumerable<(string Rule, string Source, string Token)> BadTokens()
    {
        var good = _host.Workload("agent-" + Planted);
        var (header, payload, signature) = (good.Split('.')[0], good.Split('.')[1], good.Split('.')[2]);
        yield return ("TOKEN_MALFORMED", "", "garbage");
        yield return ("TOKEN_MALFORMED", "", $"{header}.{payload}");
        yield return ("TOKEN_TOO_LARGE", "", new string('a', 16_500));
        yield return ("ALGORITHM_REFUSED", "", $"{Encode("""{"alg":"none","kid":"dev-1"}""")}.{payload}.{signature}");
        yield return ("ALGORITHM_REFUSED", "", $"{Encode("""{"alg":"HS256","kid":"dev-1"}""")}.{payload}.{signature}");
        yield return ("HEADER_REFUSED", "", $"{Encode("""{"alg":"ES256","kid":"dev-1","jku":"https://attacker.example/planted-claim"}""")}.{payload}.{signature}");
        yield return ("KEY_UNKNOWN", "ci", $"{Encode("""{"alg":"ES256","kid":"planted-claim","typ":"JWT"}""")}.{payload}.{signature}");
        yield return ("SIGNATURE_INVALID", "ci", $"{header}.{payload}.{(signature[0] == 'A' ? 'B' : 'A')}{signature[1..]}");
        yield return ("ISSUER_UNKNOWN", "", _host.Workload("agent-" + Planted, claims: new JsonObject { ["iss"] = "https://planted-claim.example" }));
        yield return ("AUDIENCE_REFUSED", "ci,people", _host.Workload("agent-" + Planted, claims: new JsonObject { ["aud"] = Planted }));
        yield return ("TOKEN_EXPIRED", "ci", _host.Workload("agent-" + Planted, claims: new JsonObject { ["iat"] = 1_700_000_000, ["exp"] = 1_700_000_300 }));
        yield return ("TOKEN_LIFE_REFUSED", "ci", _host.Workload("agent-" + Planted, claims: new JsonObject { ["exp"] = null }));
        yield return ("PERSON_REFUSED", "ci", _host.Workload("agent-" + Planted, claims: new JsonObject { ["nonce"] = Planted }));
        yield return ("CLAIM_REFUSED", "ci", _host.Workload("agent-" + Planted, claims: new JsonObject { ["ref"] = new JsonObject { [Planted] = Planted } }));
        yield return ("SUBJECT_REFUSED", "", _host.Workload(""));
        yield return ("SUBJECT_REFUSED", "ci", _host.Workload($"agent-{Planted}\nfatal CredBroker: A forged line"));
    }

    [Test]
    public async Task Every_bad_token_gets_one_and_the_same_answer_on_both_transports()
    {
        var answers = new List<string>();
        var grpcAnswers = new List<string>();
        var tasks = new Tasks.TasksClient(_host.Channel);
        foreach (var (_, _, token) in BadTokens())
        {
            var (response, body) = await _host.RestAsync(token, HttpMethod.Get, "/v1/tasks");
            var headers = response.Headers.Concat(response.Content.Headers).Where(header => header.Key != "Date").Select(header => $"{header.Key}: {string.Join(',', header.Value)}");
            answers.Add($"{(int)response.StatusCode}\n{string.Join('\n', headers)}\n{body}");
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await tasks.ListTasksAsync(new ListTasksRequest(), SurfaceHost.As(token)));
            grpcAnswers.Add($"{refused!.StatusCode} {refused.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason} {refused.Status.Detail} {refused.GetRpcStatus()}");
        }

        Assert.That(answers.Distinct(), Has.Exactly(1).Items);
        Assert.That(grpcAnswers.Distinct(), Has.Exactly(1).Items);
        Assert.That(answers[0], Does.StartWith("401").And.Contain("TOKEN_REJECTED"));
        Assert.That(grpcAnswers[0], Does.StartWith("Unauthenticated").And.Contain("TOKEN_REJECTED"));
    }

    [Test]
    public async Task The_log_names_rule_and_source_and_nothing_of_the_token()
    {
        foreach (var (rule, source, token) in BadTokens())
        {
            _host.Log.Lines.Clear();
            await _host.RestAsync(token, HttpMethod.Get, "/v1/tasks");
            var expected = source.Length == 0 ? $"was refused: {rule}: " : $"was refused: {rule} by identity source {source}: ";

            var lines = _host.Log.Lines.Where(line => line.Contains("bearer token", StringComparison.Ordinal)).ToList();
            Assert.That(lines, Has.Count.EqualTo(1), rule);
            Assert.That(lines[0], Does.Contain(expected).And.Contain("127.0.0.1"));
            Assert.That(string.Join('\n', _host.Log.Lines), Does.Not.Contain(Planted).And.Not.Contain("forged").And.Not.Contain(token), rule);
        }
    }

    [Test]
    public async Task An_issuer_that_is_away_is_said_to_be_worth_waiting_for_and_no_more()
    {
        await _host.MustAsync(_host.Person("root"), "/v1/identitySources?identitySourceId=away", """
            {"type":"oidc","oidc":{"issuer":"https://away.example","audiences":["away"],"jwksUri":"http://127.0.0.1:1/keys"}}
            """);
        var token = _host.Workload("agent", claims: new JsonObject { ["iss"] = "https://away.example", ["aud"] = "away" });
        var (response, body) = await _host.RestAsync(token, HttpMethod.Get, "/v1/tasks");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(body.GetRawText(), Does.Contain("BROKER_UNAVAILABLE").And.Not.Contain("away").And.Not.Contain("127.0.0.1").And.Not.Contain("issuer"));
        Assert.That(_host.Log.Lines, Has.Some.Contains("ISSUER_UNAVAILABLE by identity source away"));
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}

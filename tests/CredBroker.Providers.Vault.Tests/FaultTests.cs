using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;
using CredBroker.TestSupport.StandIns;
using CsCheck;

namespace CredBroker.Providers.Vault.Tests;

/// <summary>What each refusal means, in the words of the recordings.</summary>
internal sealed class FaultTests
{
    private const string Create = "/v1/auth/token/create/broker";
    private const string Read = "/v1/database/creds/app";

    [TestCase(Create, 400, "unknown role broker", ProviderFault.Misconfigured, ProviderEffect.None)]
    [TestCase(Create, 400, "token policies ([\"app\"]) must be subset of the role's allowed policies ([])", ProviderFault.Misconfigured, ProviderEffect.None)]
    [TestCase(Create, 403, "1 error occurred:\n\t* permission denied\n\n", ProviderFault.Denied, ProviderEffect.None)]
    [TestCase(Create, 404, "namespace not found", ProviderFault.Misconfigured, ProviderEffect.None)]
    [TestCase(Create, 404, "no handler for route \"auth/token\". route entry not found.", ProviderFault.Misconfigured, ProviderEffect.None)]
    [TestCase(Create, 405, "1 error occurred:\n\t* unsupported operation\n\n", ProviderFault.Misconfigured, ProviderEffect.None)]
    [TestCase(Create, 412, "required index state not present", ProviderFault.Unreachable, ProviderEffect.None)]
    [TestCase(Create, 413, "http: request body too large", ProviderFault.Misconfigured, ProviderEffect.None)]
    [TestCase(Create, 429, "request path \"auth/token\": rate limit quota exceeded", ProviderFault.Throttled, ProviderEffect.None)]
    [TestCase(Create, 500, "internal error", ProviderFault.Unreachable, ProviderEffect.Unknown)]
    [TestCase(Create, 502, "", ProviderFault.Unreachable, ProviderEffect.Unknown)]
    [TestCase(Create, 503, "Vault is sealed", ProviderFault.Unreachable, ProviderEffect.None)]
    [TestCase(Create, 503, "", ProviderFault.Unreachable, ProviderEffect.Unknown)]
    [TestCase(Read, 400, "unknown role: nope", ProviderFault.Misconfigured, ProviderEffect.None)]
    [TestCase(Read, 500, "1 error occurred:\n\t* \"direct\" is not an allowed role\n\n", ProviderFault.Misconfigured, ProviderEffect.None)]
    [TestCase(Read, 500, "1 error occurred:\n\t* unable to start transaction: connect: connection refused\n\n", ProviderFault.Credential, ProviderEffect.Unknown)]
    public async Task A_refusal_means(string path, int status, string error, ProviderFault fault, ProviderEffect effect)
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        target.Host.Faults.Next(
            new StandInFault.Answers(StandInAnswer.Json(status, new JsonObject { ["errors"] = error.Length == 0 ? new JsonArray() : new JsonArray(error) })), request => request.Path == path);
        var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("dynamic-secret", Target.DynamicSecret), Recorder.Of(), CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect), Is.EqualTo((fault, effect)), failure.Message);
    }

    [TestCase(400, "invalid role or secret ID", ProviderFault.Denied)]
    [TestCase(500, "missing role_id", ProviderFault.Denied)]
    [TestCase(403, "permission denied", ProviderFault.Denied)]
    [TestCase(429, "rate limit quota exceeded", ProviderFault.Throttled)]
    public async Task A_log_in_that_is_refused_made_nothing(int status, string error, ProviderFault fault)
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        target.Host.Faults.Next(
            new StandInFault.Answers(StandInAnswer.Json(status, new JsonObject { ["errors"] = new JsonArray(error) }).With("Retry-After", "100000")), request => request.Path.EndsWith("/login", StringComparison.Ordinal));
        var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("scoped-token", Target.ScopedToken), Recorder.Of(), CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect), Is.EqualTo((fault, ProviderEffect.None)));
        Assert.That(failure.RetryAfter, Is.EqualTo(TimeSpan.FromMinutes(5)), "no target puts off a revocation for longer");
        Assert.That(failure.ToString(), Does.Not.Contain(target.Login.SecretId));
    }

    [Test]
    public async Task A_target_that_is_not_there_made_nothing_and_one_that_hangs_may_have()
    {
        await using var target = await Target.CreateAsync();
        await using var nobody = target.Connect(target.Configure(address: "http://127.0.0.1:9"), target.Context with { Egress = Testing.Conformance.TestContexts.Create(target.Clock.Broker).Egress });
        var absent = await Failure.OfAsync(() => nobody.IssueAsync(target.NewRequest("scoped-token", Target.ScopedToken), Recorder.Of(), CancellationToken.None));
        Assert.That((absent.Fault, absent.Effect), Is.EqualTo((ProviderFault.Unreachable, ProviderEffect.None)));

        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        target.Host.Faults.Next(new StandInFault.ActsAndHangs(), Target.Creates);
        var issuing = provider.IssueAsync(target.NewRequest("scoped-token", Target.ScopedToken), Recorder.Of(), CancellationToken.None);
        Assert.That(() => target.Host.Log.All.Any(Target.Creates), Is.True.After(5000, 10));
        target.Clock.Broker.Advance(TimeSpan.FromSeconds(11));
        var hanging = await Failure.OfAsync(() => issuing);
        Assert.That((hanging.Fault, hanging.Effect), Is.EqualTo((ProviderFault.Unreachable, ProviderEffect.Unknown)));
    }

    [Test]
    public async Task What_egress_forbids_is_told_and_made_nothing()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect(target.Configure(address: "https://vault.example:8200"));
        var failure = await Failure.OfAsync(() => provider.CheckAsync(CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(target.Host.Egress.Refused, Is.EqualTo(new[] { "vault.example" }));
    }

    [TestCase("token hvs.CAESIJ1234567890abcdef is bad", "token *** is bad")]
    [TestCase("token s.abcdefgh12345678 is bad", "token *** is bad")]
    [TestCase("jwt eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln is bad", "jwt *** is bad")]
    [TestCase("1 error occurred:\n\t* \u001b[31mred\u202Ebackwards\n\n", "1 error occurred: * [31mred backwards")]
    public void The_targets_words_are_one_line_without_tokens(string said, string clean) => Assert.That(Faults.Clean(said), Is.EqualTo(clean));

    [Test]
    public void A_path_that_is_accepted_reaches_the_target_as_it_is_written() => Gen.String[Gen.Char["abZ09._-/%.?#\\ {}"], 1, 24].Sample(
        path =>
        {
            if (!Names.IsPath(path)) return true;
            return new UriBuilder("https://vault.example:8200") { Path = $"/v1/{path}" }.Uri.AbsolutePath == $"/v1/{path}";
        },
        iter: 20_000);
}

using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests;

/// <summary>Whoever answers in Azure's place learns nothing and gets nothing done.</summary>
public sealed class HostileTests
{
    private static readonly string[] Bodies =
    [
        "", "null", "[]", "<html>proxy</html>", "{", """{"id":7}""", """{"id":"../../me","appId":"x"}""", """{"value":null}""",
        """{"id":"11111111-2222-3333-4444-555555555555/../x","appId":"11111111-2222-3333-4444-555555555555"}""", new('x', 9_000_000),
    ];

    [Test]
    public async Task A_body_that_is_not_the_service_s_own_is_an_error_and_no_proof()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        foreach (var body in Bodies)
        {
            var what = body.Length > 80 ? body[..80] : body;
            target.Host.Faults.Always(new StandInFault.Answers(StandInAnswer.Of(200, body, "application/json")), request => request.Path.StartsWith("/v1.0/", StringComparison.Ordinal) && request.Method == "GET");
            await Failure.OfAsync(() => ListAllAsync(provider), what);
            var absent = Target.Revoking(target.NewRequest("app-password"), null);
            Assert.That(await OutcomeOfAsync(() => provider.RevokeAsync(absent, CancellationToken.None)), Is.Not.InstanceOf<RevokeOutcome.Gone>(), what);
            target.Host.Faults.Clear();

            target.Host.Faults.Always(new StandInFault.Answers(StandInAnswer.Of(201, body, "application/json")), request => request.Method == "PATCH" && request.Path.StartsWith("/v1.0/", StringComparison.Ordinal));
            var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("app-password"), new Journal(), CancellationToken.None), what);
            Assert.That(failure.Effect, Is.EqualTo(ProviderEffect.Unknown), what);
            Assert.That(failure.ToString(), Does.Not.Contain(new string('x', 600)), "what was answered is not repeated");
            target.Host.Faults.Clear();
        }
    }

    [TestCase(404, """{"error":{"code":"SomethingElse"}}""")]
    [TestCase(404, "not found")]
    [TestCase(410, "")]
    [TestCase(302, "")]
    [TestCase(200, """{"unexpected":true}""")]
    public async Task Not_there_is_only_believed_in_the_service_s_own_words(int status, string body)
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        target.Host.Faults.Always(
            new StandInFault.Answers(StandInAnswer.Of(status, body, "application/json").With("Location", "https://graph.microsoft.com/v1.0/elsewhere")),
            request => request.Path.Contains("uniqueName", StringComparison.Ordinal));
        var before = target.Host.Log.Count;
        Assert.That(await OutcomeOfAsync(() => provider.RevokeAsync(Target.Revoking(target.NewRequest("app-password"), null), CancellationToken.None)), Is.Not.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(target.Host.Log.Lines(before), Has.None.Contain("elsewhere"), "a redirect is not followed");
    }

    [TestCase("SubscriptionNotFound", false)]
    [TestCase("AuthorizationFailed", false)]
    [TestCase("ResourceGroupNotFound", true)]
    [TestCase("RoleAssignmentNotFound", true)]
    public async Task A_404_of_the_scope_is_read_by_its_code(string code, bool gone)
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        var request = target.NewRequest("app-password");
        var credential = await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        target.Host.Faults.Always(new StandInFault.Answers(StandInAnswer.Json(404, AzureStandIn.Error(code, "…"), AzureStandIn.Json)), asked => asked.Method == "DELETE" && asked.Path.StartsWith("/subscriptions", StringComparison.Ordinal));
        if (gone) Assert.That((await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, credential.Handle)))[^1], Is.InstanceOf<RevokeOutcome.Gone>());
        else await Failure.OfAsync(() => provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None));
    }

    [Test]
    public async Task A_listing_that_goes_on_elsewhere_is_not_followed()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        var page = new JsonObject { ["value"] = new JsonArray(), ["@odata.nextLink"] = "https://evil.example/v1.0/applications?$skiptoken=1" };
        target.Host.Faults.Always(new StandInFault.Answers(StandInAnswer.Json(200, page)), request => request.Path == "/v1.0/applications");
        await Failure.OfAsync(() => ListAllAsync(provider));
        Assert.That(target.Host.Egress.Refused, Is.Empty, "nobody was asked for it");
    }

    [Test]
    public async Task A_bare_403_of_a_vault_is_no_proof_that_a_secret_is_disabled()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        var request = target.NewRequest("keyvault-secret-write");
        var credential = await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        var version = credential.Fields["version"].Value.Reveal();
        target.Host.Faults.Always(
            new StandInFault.Answers(StandInAnswer.Json(403, AzureStandIn.Error("Forbidden", "Caller is not authorized to perform action on resource."), AzureStandIn.Json)),
            asked => asked.Method == "GET" && asked.Path.EndsWith(version, StringComparison.Ordinal));
        var failure = await Failure.OfAsync(() => provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None));
        Assert.That(failure.Fault, Is.EqualTo(ProviderFault.Denied));
        target.Host.Faults.Clear();
        Assert.That(((RevokeOutcome.Gone)await provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None)).Evidence.Kind, Is.EqualTo("secret_disabled"));
    }

    [Test]
    public async Task A_vault_of_another_tenant_or_audience_gets_no_token()
    {
        foreach (var challenge in new[]
        {
            "Bearer authorization=\"https://login.windows.net/99999999-2222-3333-4444-555555555555\", resource=\"https://vault.azure.net\"",
            "Bearer authorization=\"https://login.windows.net/TENANT\", resource=\"https://graph.microsoft.com\"",
        })
        {
            await using var target = await Target.CreateAsync(Timing.Immediate());
            await using var provider = target.Connect();
            var answer = StandInAnswer.Json(401, AzureStandIn.Error("Unauthorized", "…"), AzureStandIn.Json).With("WWW-Authenticate", challenge.Replace("TENANT", target.Azure.Tenant.Id, StringComparison.Ordinal));
            target.Host.Faults.Always(new StandInFault.Answers(answer), request => request.Path.StartsWith("/secrets", StringComparison.Ordinal));
            var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("keyvault-secret-write"), new Journal(), CancellationToken.None));
            Assert.That(failure.Effect, Is.EqualTo(ProviderEffect.None));
            Assert.That(target.Host.Log.All.Where(request => request.Path.StartsWith("/secrets", StringComparison.Ordinal)).Select(request => request.Header("Authorization")), Has.All.Null);
        }
    }

    [Test]
    public async Task The_hint_of_a_password_is_told_to_nobody()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        var request = target.NewRequest("shared-app-password");
        var credential = await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        var hint = credential.Fields["client_secret"].Value.Reveal()[..4];
        var gone = (RevokeOutcome.Gone)(await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, credential.Handle)))[^1];
        Assert.That($"{credential.Handle!.Value} {gone.Evidence}", Does.Not.Contain(hint));
    }

    private static async Task ListAllAsync(IProvider provider)
    {
        await foreach (var _ in ((IListingProvider)provider).ListAsync(CancellationToken.None))
        {
        }
    }

    private static async Task<object> OutcomeOfAsync(Func<Task<RevokeOutcome>> revoke)
    {
        try
        {
            return await revoke();
        }
        catch (ProviderException e)
        {
            return e;
        }
    }
}

using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Signing;
using CredBroker.Testing.Conformance;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Providers.Token.Tests;

public sealed class TokenProviderTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, 500, TimeSpan.Zero));
    private LeaseTokenSigner _signer = null!;
    private LeaseTokenVerifier _verifier = null!;

    [SetUp]
    public async Task SetUp() => (_signer, _verifier) = await new Signers(_time, "https://broker.example").CreateAsync();

    [Test]
    public async Task Signs_for_one_lease_task_workload_and_audience()
    {
        await using var provider = Connect();
        var request = NewRequest("""{"audience":"orders","scopes":["orders:read","orders:list"],"claims":{"team":"billing"}}""");
        var credential = await provider.IssueAsync(request, new GoOn(), CancellationToken.None);
        var token = await _verifier.VerifyAsync(credential.Fields["token"].Value.Reveal());
        Assert.That(token, Is.Not.Null);
        Assert.That((token!.LeaseId, token.TaskId, token.Subject, token.Audience, token.Scope), Is.EqualTo((request.LeaseId, request.TaskId, "ci/build", "orders", "orders:read orders:list")));
        Assert.That(token.ExpiresAt, Is.EqualTo(credential.ExpiresAt).And.LessThanOrEqualTo(request.ExpiresAt));
        Assert.That(credential.Fields["token"].MediaType, Is.EqualTo("application/jwt"));
        Assert.That(credential.Handle, Is.Null);
    }

    [TestCase("sts.amazonaws.com")]
    [TestCase("https://STS.amazonaws.com/")]
    [TestCase("api://AzureADTokenExchange")]
    [TestCase("https://broker.example/federation")]
    [TestCase("credbroker:test01")]
    public async Task Refuses_a_reserved_audience_and_says_so_in_its_check(string audience)
    {
        await using var open = Connect();
        var request = NewRequest($$"""{"audience":"{{audience}}"}""");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => open.IssueAsync(request, new GoOn(), CancellationToken.None));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));

        await using var named = Connect($$"""{"audiences":["{{audience}}"]}""");
        var health = await named.CheckAsync(CancellationToken.None);
        Assert.That(health.Findings.Where(finding => finding.Level == FindingLevel.Missing).Select(finding => finding.Subject), Is.EqualTo(new[] { $"audience {audience}" }));
    }

    [Test]
    public void Accepts_placeholders_in_a_registered_template() =>
        Assert.That(new JwtRoleKind().Validate(JsonElement.Parse("""{"audience":"https://{{service}}.example","scopes":["read:{{what}}"],"claims":{"team":"{{team}}"}}""")), Is.Empty);

    [Test]
    public void Says_who_does_not_notice_a_revocation()
    {
        var revocability = new JwtRoleKind().RevocabilityOf(JsonElement.Parse("""{"audience":"orders"}"""));
        Assert.That((revocability.Kind, revocability.SettlesWithin), Is.EqualTo((RevocabilityKind.Deletes, TimeSpan.Zero)));
        Assert.That(revocability.Residual, Does.Contain("offline"));
    }

    [Test]
    public async Task Names_its_evidence()
    {
        await using var provider = Connect();
        var request = NewRequest("""{"audience":"orders"}""");
        var revoking = new RevokeRequest { LeaseId = request.LeaseId, ExternalName = request.ExternalName, RoleKind = "jwt", Mark = "", PossibleDeathAt = request.ExpiresAt };
        var gone = (RevokeOutcome.Gone)await provider.RevokeAsync(revoking, CancellationToken.None);
        Assert.That((gone.Evidence.Kind, gone.TargetIdentity), Is.EqualTo(("introspection_inactive", "token:https://broker.example/lease")));
        Assert.That(gone.Evidence.ObservedAt, Is.EqualTo(_time.GetUtcNow()));
    }

    [Test]
    public void Is_refused_without_a_signer() =>
        Assert.That(() => new TokenProviderType().Create(TestContexts.Create(_time), JsonElement.Parse("{}")), Throws.ArgumentException);

    private IProvider Connect(string configuration = "{}") =>
        new TokenProviderType().Create(TestContexts.Create(_time) with { TokenSigner = _signer }, JsonElement.Parse(configuration));

    private IssueRequest NewRequest(string template)
    {
        var lease = Uid.New(_time);
        return new IssueRequest
        {
            LeaseId = lease,
            TaskId = Uid.New(_time),
            ExternalName = $"cb-test01-{lease}",
            Mark = "",
            RoleKind = "jwt",
            Template = JsonElement.Parse(template),
            Workload = "ci/build",
            Deadline = _time.GetUtcNow().AddSeconds(30),
            ExpiresAt = _time.GetUtcNow().AddMinutes(10),
        };
    }

    private sealed class GoOn : IIssueJournal
    {
        public Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}

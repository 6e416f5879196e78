using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Login;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests;

[Parallelizable(ParallelScope.All)]
public sealed class LoginTests
{
    [Test]
    public async Task The_broker_logs_in_by_its_own_assertion_and_nothing_else_is_sent_unsigned()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await Target.IssueAsync(provider, target.NewRequest());
        var unsigned = target.Host.Log.All.Where(request => request.Header("Authorization") is null).ToList();
        Assert.That(unsigned.Select(request => request.Form()["Action"]), Is.EqualTo(new[] { "AssumeRoleWithWebIdentity" }));
        Assert.That(target.Host.Egress.Refused, Is.Empty, "only STS and IAM are spoken to");
    }

    [Test]
    public async Task An_assertion_of_another_issuer_audience_or_subject_is_refused_and_never_quoted()
    {
        await using var target = await Target.CreateAsync();
        var strangers = new[]
        {
            TestContexts.Create(target.Clock, egress: target.Host.Egress), // Another key, another provider.
            target.Context with { Identity = new TestIdentity(target.Clock, target.Context.ProviderUid) }, // Another key alone.
        };
        foreach (var stranger in strangers)
        {
            await using var provider = target.Type.Create(stranger, target.Configuration);
            var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, target.NewRequest()));
            Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Denied, ProviderEffect.None)));
            Assert.That(failure.Message, Does.Contain(stranger.Identity.Audience).And.Not.Contain("eyJ"));
        }
    }

    [Test]
    public async Task An_error_that_quotes_the_assertion_is_not_passed_on()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var assertion = (await target.Context.Identity.MintAssertionAsync(CancellationToken.None)).Reveal();
        target.Host.Faults.Next(new StandInFault.Answers(AwsErrors.Answer(400, "ValidationError", $"Value '{assertion}' at 'webIdentityToken' failed")));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.CheckAsync(CancellationToken.None));
        Assert.That(failure!.ToString(), Does.Contain("ValidationError").And.Not.Contain(assertion[..20]));
    }

    [Test]
    public async Task What_was_given_to_the_process_is_used_by_those_whom_the_operator_named_alone()
    {
        await using var target = await Target.CreateAsync();
        var user = target.Aws.AddUser("broker", SetUpTexts.BrokerPolicy(target.Aws.Account));
        foreach (var (allowed, works) in new[] { ("under-test", true), ("other, under-test", true), ("*", true), ("", false), ("other", false), ("under-test-too", false) })
        {
            var type = new AwsStsProviderType(Ambient.Of(("AWS_ACCESS_KEY_ID", user.AccessKeyId), ("AWS_SECRET_ACCESS_KEY", user.Secret), (AmbientSettings.AllowVariable, allowed)));
            foreach (var way in new[] { "defaultChain", "profile" })
            {
                await using var provider = type.Create(target.Context, Configure(target, way));
                if (works && way == "defaultChain")
                {
                    Assert.That((await provider.CheckAsync(CancellationToken.None)).TargetIdentity, Is.EqualTo("aws:123456789012"));
                    continue;
                }

                var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.CheckAsync(CancellationToken.None));
                Assert.That(failure!.Message, works ? Does.Contain("profile") : Does.Contain(AmbientSettings.AllowVariable));
            }
        }
    }

    [Test]
    public async Task A_token_file_of_the_environment_is_traded_for_a_session()
    {
        await using var target = await Target.CreateAsync();
        var token = (await target.Context.Identity.MintAssertionAsync(CancellationToken.None)).Reveal();
        var type = new AwsStsProviderType(Ambient.Of(("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"), ("AWS_ROLE_ARN", target.BrokerArn), ("file:/var/run/token", token + "\n")));
        await using var provider = type.Create(target.Context, Configure(target, "defaultChain"));
        Assert.That(await target.IsAcceptedAsync(await Target.IssueAsync(provider, target.NewRequest())));
    }

    [Test]
    public async Task A_token_file_that_cannot_be_read_is_a_fault_of_the_configuration()
    {
        await using var target = await Target.CreateAsync();
        var type = new AwsStsProviderType(Ambient.Of(("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"), ("AWS_ROLE_ARN", target.BrokerArn)));
        await using var provider = type.Create(target.Context, Configure(target, "defaultChain"));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.CheckAsync(CancellationToken.None));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
    }

    [Test]
    public async Task Credentials_of_another_account_are_reported_and_prove_nothing()
    {
        await using var target = await Target.CreateAsync();
        await using var other = await Target.CreateAsync("210987654321");
        var user = other.Aws.AddUser("broker", SetUpTexts.BrokerPolicy(other.Aws.Account));
        var type = new AwsStsProviderType(Ambient.Of(("AWS_ACCESS_KEY_ID", user.AccessKeyId), ("AWS_SECRET_ACCESS_KEY", user.Secret)));
        await using var provider = type.Create(other.Context, Configure(target, "defaultChain"));
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That((health.TargetIdentity, health.Healthy), Is.EqualTo(("aws:210987654321", false)));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.RevokeAsync(target.Revoking(target.NewRequest()), CancellationToken.None));
        Assert.That(failure!.Fault, Is.EqualTo(ProviderFault.TargetMismatch));
    }

    [Test]
    public async Task A_loopback_address_may_be_used_without_tls_and_no_other()
    {
        await using var target = await Target.CreateAsync();
        await using var plain = await StandInHost.StartAsync(new StandInOptions { Clock = target.AwsClock }, target.Aws.Answer);
        var context = target.Context with { Egress = plain.Egress };
        var configuration = target.Configure(json =>
        {
            json["stsEndpoint"] = plain.Address.GetLeftPart(UriPartial.Authority);
            json["iamEndpoint"] = plain.Address.GetLeftPart(UriPartial.Authority);
        });
        Assert.That(target.Type.Validate(configuration), Is.Empty);
        await using var provider = target.Type.Create(context, configuration);
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
    }

    private static System.Text.Json.JsonElement Configure(Target target, string way) => target.Configure(configuration =>
        configuration["credentials"] = new JsonObject { [way] = way == "profile" ? new JsonObject { ["name"] = "no-such-profile-of-this-test" } : [] });
}

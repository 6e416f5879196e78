using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.LeaseRoles;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests;

[Parallelizable(ParallelScope.All)]
public sealed class LeaseRoleTests
{
    [Test]
    public async Task A_role_trusts_the_broker_alone_under_its_one_name_until_the_deadline()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest(kind: LeaseRoleKind.KindName);
        await Target.IssueAsync(provider, request);
        var role = target.Aws.FindRole(request.ExternalName)!;
        Assert.That((role.Path, role.Description), Is.EqualTo(("/credbroker/", request.Mark)));
        Assert.That(role.Trust, Does.Contain(target.BrokerArn).And.Contain(request.ExternalName).And.Contain(PolicyText.Instant(request.Deadline)));

        // The broker itself, past the deadline, and before it under another name.
        Assert.That(await AssumeAsync(target, role.Arn, target.NewRequest().ExternalName), Does.Contain("AccessDenied"));
        Assert.That(await AssumeAsync(target, role.Arn, request.ExternalName), Does.Contain("AccessKeyId"));
        target.PassTime(request.Deadline.AddSeconds(1));
        Assert.That(await AssumeAsync(target, role.Arn, request.ExternalName), Does.Contain("AccessDenied"));
    }

    [Test]
    public async Task A_role_that_is_not_known_yet_is_waited_for()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Propagation = TimeSpan.FromSeconds(9);
        await using var provider = target.Connect();
        var credential = await Target.IssueAsync(provider, target.NewRequest(kind: LeaseRoleKind.KindName));
        Assert.That(await target.IsAcceptedAsync(credential));
    }

    [Test]
    public async Task A_role_that_is_never_known_is_given_up_at_the_deadline_and_ended()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Propagation = TimeSpan.FromMinutes(2);
        await using var provider = target.Connect();
        target.Clock.Advance(TimeSpan.FromMinutes(3));
        var request = target.NewRequest(kind: LeaseRoleKind.KindName);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, request));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Denied, ProviderEffect.Unknown)));
        Assert.That(target.Clock.GetUtcNow(), Is.LessThanOrEqualTo(request.Deadline));
        Assert.That(await target.RevokeUntilDeadAsync(provider, target.Revoking(request)), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(target.Aws.FindRole(request.ExternalName), Is.Null);
    }

    [Test]
    public async Task It_is_denied_everything_first_and_deleted_once_that_is_in_force()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest(Target.LeaseRoleTemplate("\"policyArns\":[\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]"), LeaseRoleKind.KindName);
        var credential = await Target.IssueAsync(provider, request);
        var first = (RevokeOutcome.Settling)await provider.RevokeAsync(target.Revoking(request, credential.Handle), CancellationToken.None);
        Assert.That(target.Aws.FindRole(request.ExternalName), Is.Not.Null, "its name is held until the end");
        target.Clock.Advance(target.Aws.Propagation);
        Assert.That(await target.IsAcceptedAsync(credential), Is.False);
        target.PassTime(first.Until);
        var gone = (RevokeOutcome.Gone)await provider.RevokeAsync(target.Revoking(request, first.Handle), CancellationToken.None);
        Assert.That(gone.Evidence.Kind, Is.EqualTo("role_deleted"));
        Assert.That(target.Aws.FindRole(request.ExternalName), Is.Null);
    }

    [Test]
    public async Task A_deny_that_somebody_weakened_is_written_again()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest(kind: LeaseRoleKind.KindName);
        var credential = await Target.IssueAsync(provider, request);
        var first = (RevokeOutcome.Settling)await provider.RevokeAsync(target.Revoking(request, credential.Handle), CancellationToken.None);
        target.Aws.Change(request.ExternalName, role => role.Inline["credbroker-revoked"] = role.Inline["credbroker-revoked"].Replace("\"Action\":\"*\"", "\"Action\":\"s3:PutObject\"", StringComparison.Ordinal));
        target.PassTime(first.Until);
        Assert.That(await target.IsAcceptedAsync(credential), "this is the attack");
        var second = await provider.RevokeAsync(target.Revoking(request, first.Handle), CancellationToken.None);
        Assert.That(second, Is.InstanceOf<RevokeOutcome.Settling>());
        Assert.That(await target.RevokeUntilDeadAsync(provider, target.Revoking(request, first.Handle)), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(await target.IsAcceptedAsync(credential), Is.False);
    }

    [Test]
    public async Task The_boundary_is_put_on_every_role()
    {
        await using var target = await Target.CreateAsync();
        var boundary = "arn:aws:iam::123456789012:policy/credbroker-boundary";
        target.Aws.ManagedPolicies[boundary] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/today.txt"}]}""";
        await using var provider = target.Connect(configuration => configuration["leaseRoles"]!["permissionsBoundary"] = boundary);
        var credential = await Target.IssueAsync(provider, target.NewRequest(kind: LeaseRoleKind.KindName));
        Assert.That((await Use.ReadAsync(target.Host, credential, target.Clock, "/reports/today.txt")).Status, Is.EqualTo(200));
        Assert.That((await Use.ReadAsync(target.Host, credential, target.Clock, "/reports/yesterday.txt")).Status, Is.EqualTo(403));
    }

    [Test]
    public async Task A_listing_goes_through_every_page_and_leaves_out_what_is_not_ours()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        for (var i = 0; i < 250; i++)
        {
            var name = target.NewRequest().ExternalName;
            target.Aws.AddRole(name, SetUpTexts.Trust(target.BrokerArn, "test01"), null, "/credbroker/").Description = $"mark of {name}";
        }

        target.Aws.AddRole("cb-other1-00000000000000000000000000", SetUpTexts.Trust(target.BrokerArn, "other1"), null, "/credbroker/");
        target.Aws.AddRole("cb-test01-elsewhere", SetUpTexts.Trust(target.BrokerArn, "test01"), null, "/service/");
        var listed = new List<OutstandingCredential>();
        await foreach (var one in ((IListingProvider)provider).ListAsync(CancellationToken.None)) listed.Add(one);
        Assert.That(listed, Has.Count.EqualTo(250));
        Assert.That(listed.Select(one => one.Mark), Is.EquivalentTo(listed.Select(one => $"mark of {one.ExternalName}")));
    }

    [Test]
    public async Task A_listing_that_breaks_off_is_an_error_and_not_an_end()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        for (var i = 0; i < 150; i++) target.Aws.AddRole(target.NewRequest().ExternalName, SetUpTexts.Trust(target.BrokerArn, "test01"), null, "/credbroker/");
        target.Host.Faults.Next(new StandInFault.Answers(AwsErrors.Answer(400, "Throttling", "Rate exceeded")), request => request.Text.Contains("Marker=", StringComparison.Ordinal));
        var failure = await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await foreach (var _ in ((IListingProvider)provider).ListAsync(CancellationToken.None))
            {
            }
        });
        Assert.That(failure!.Fault, Is.EqualTo(ProviderFault.Throttled));
    }

    [Test]
    public async Task Where_no_place_for_roles_is_configured_there_is_nothing_to_list_and_none_is_made()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect(configuration => configuration.Remove("leaseRoles"));
        Assert.That(provider, Is.Not.InstanceOf<IListingProvider>());
        var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, target.NewRequest(kind: LeaseRoleKind.KindName)));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
    }

    [Test]
    public async Task An_account_that_is_full_of_roles_says_so_and_makes_nothing()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.MostRoles = target.Aws.Roles.Count;
        await using var provider = target.Connect();
        var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, target.NewRequest(kind: LeaseRoleKind.KindName)));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(failure.Message, Does.Contain("RolesPerAccount"));
    }

    private static async Task<string> AssumeAsync(Target target, string arn, string name)
    {
        var broker = target.Aws.Sessions.First(session => session.SourceIdentity is null);
        using var client = target.Host.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Host.Address)
        {
            Content = new StringContent($"Action=AssumeRole&Version=2011-06-15&RoleArn={Uri.EscapeDataString(arn)}&RoleSessionName={name}&SourceIdentity={name}"),
        };
        request.Content.Headers.ContentType = new("application/x-www-form-urlencoded");
        Use.Sign(request, broker.AccessKeyId, broker.Secret, broker.Token, "sts", target.Clock.GetUtcNow(), await request.Content.ReadAsByteArrayAsync());
        using var response = await client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Sessions;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests;

[Parallelizable(ParallelScope.All)]
public sealed class SessionTests
{
    [Test]
    public async Task A_session_takes_one_call_and_carries_name_source_identity_and_tags()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        var before = target.Host.Log.Count;
        var request = target.NewRequest(target.SessionTemplate("\"tags\":{\"team\":\"reports\"},\"transitiveTags\":true"));
        var credential = await Target.IssueAsync(provider, request);
        Assert.That(target.Host.Log.Since(before).Select(sent => sent.Form()["Action"]), Is.EqualTo(new[] { "AssumeRole" }));

        var session = target.Aws.Sessions.Last();
        Assert.That((session.Name, session.SourceIdentity), Is.EqualTo((request.ExternalName, request.ExternalName)));
        Assert.That(session.Tags, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["team"] = "reports",
            ["credbroker:task"] = request.TaskId.ToString(),
            ["credbroker:workload"] = request.Workload,
        }));
        Assert.That(session.TransitiveKeys, Is.EquivalentTo(session.Tags.Keys));
        Assert.That(await target.IsAcceptedAsync(credential));
    }

    [Test]
    public async Task The_fields_are_what_aws_tools_expect()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var credential = await Target.IssueAsync(provider, target.NewRequest());
        string Field(string name) => credential.Fields[name].Value.Reveal();
        Assert.That(Field("region"), Is.EqualTo(Target.Region));
        Assert.That(Field("expiration"), Is.EqualTo(PolicyText.Instant(credential.ExpiresAt)));
        var process = JsonElement.Parse(Field("credential_process"));
        Assert.That(process.GetProperty("Version").GetInt32(), Is.EqualTo(1), "a number, not a string");
        Assert.That(process.GetProperty("AccessKeyId").GetString(), Is.EqualTo(Field("access_key_id")));
        Assert.That(process.GetProperty("SecretAccessKey").GetString(), Is.EqualTo(Field("secret_access_key")));
        Assert.That(process.GetProperty("SessionToken").GetString(), Is.EqualTo(Field("session_token")));
        Assert.That(process.GetProperty("Expiration").GetString(), Is.EqualTo(Field("expiration")));
        Assert.That(process.GetProperty("AccountId").GetString(), Is.EqualTo(target.Aws.Account));
    }

    [Test]
    public async Task A_session_may_do_what_both_its_policy_and_its_role_allow()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var narrowed = await Target.IssueAsync(provider, target.NewRequest(target.SessionTemplate(
            """ "statements":[{"actions":["s3:GetObject"],"resources":["arn:aws:s3:::reports/today.txt","arn:aws:s3:::other/*"]}] """)));
        Assert.That((await Use.ReadAsync(target.Host, narrowed, target.Clock, "/reports/today.txt")).Status, Is.EqualTo(200));
        Assert.That((await Use.ReadAsync(target.Host, narrowed, target.Clock, "/reports/yesterday.txt")).Status, Is.EqualTo(403), "the role may, the session not");
        Assert.That((await Use.ReadAsync(target.Host, narrowed, target.Clock, "/other/x")).Status, Is.EqualTo(403), "the session may, the role not");
    }

    [Test]
    public async Task Managed_policies_narrow_a_session_without_a_statement_that_widens_it()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.ManagedPolicies["arn:aws:iam::123456789012:policy/one-report"] =
            """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/today.txt"}]}""";
        await using var provider = target.Connect();
        var credential = await Target.IssueAsync(provider, target.NewRequest(target.SessionTemplate(""" "policyArns":["arn:aws:iam::123456789012:policy/one-report"] """)));
        Assert.That((await Use.ReadAsync(target.Host, credential, target.Clock, "/reports/today.txt")).Status, Is.EqualTo(200));
        Assert.That((await Use.ReadAsync(target.Host, credential, target.Clock, "/reports/yesterday.txt")).Status, Is.EqualTo(403));
    }

    [Test]
    public async Task A_session_that_sts_gives_longer_ends_when_it_was_asked_to()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest(life: TimeSpan.FromMinutes(5));
        var credential = await Target.IssueAsync(provider, request);
        Assert.That(target.Aws.Sessions.Last().ExpiresAt, Is.GreaterThan(request.ExpiresAt.AddMinutes(9)), "STS gives no less than 900 seconds");
        target.PassTime(credential.ExpiresAt.AddSeconds(-1));
        Assert.That(await target.IsAcceptedAsync(credential));
        target.PassTime(credential.ExpiresAt);
        Assert.That(await target.IsAcceptedAsync(credential), Is.False, "its own policy denies everything from then on");
        var outcome = await provider.RevokeAsync(target.Revoking(request, credential.Handle), CancellationToken.None);
        Assert.That(outcome, Is.InstanceOf<RevokeOutcome.Settling>().Or.InstanceOf<RevokeOutcome.Expired>());
        target.PassTime(request.ExpiresAt.AddSeconds(1));
        outcome = await provider.RevokeAsync(target.Revoking(request, credential.Handle), CancellationToken.None);
        Assert.That((outcome as RevokeOutcome.Expired)?.Evidence.Kind, Is.EqualTo("session_over"));
    }

    [Test]
    public async Task A_chained_session_is_not_asked_for_longer_than_aws_gives()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.FindRole(Target.Reader)!.MaxSession = 43_200;
        await using var provider = target.Connect();
        var credential = await Target.IssueAsync(provider, target.NewRequest(life: TimeSpan.FromHours(6)));
        Assert.That(credential.ExpiresAt, Is.EqualTo(SessionOpening.WholeSeconds(target.Clock.GetUtcNow()).AddHours(1)).Within(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task A_life_that_the_role_does_not_allow_is_refused_and_named()
    {
        await using var target = await Target.CreateAsync();
        var user = target.Aws.AddUser("broker", SetUpTexts.BrokerPolicy(target.Aws.Account));
        target.Aws.Change(Target.Reader, role => role.Trust = SetUpTexts.Trust(user.Arn, target.Context.InstallationId));
        target.Clock.Advance(TimeSpan.FromMinutes(1));
        var type = new AwsStsProviderType(Ambient.Of(("AWS_ACCESS_KEY_ID", user.AccessKeyId), ("AWS_SECRET_ACCESS_KEY", user.Secret)));
        await using var provider = type.Create(target.Context, target.Configure(configuration => configuration["credentials"] = new JsonObject { ["defaultChain"] = new JsonObject() }));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, target.NewRequest(life: TimeSpan.FromHours(6))));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(failure.Message, Does.Contain("MaxSessionDuration"));
    }

    [Test]
    public async Task A_session_cannot_assume_another_role_even_where_that_role_trusts_it_by_name()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        var credential = await Target.IssueAsync(provider, request);
        var session = target.Aws.Sessions.Last();
        target.Aws.AddRole("escape", SetUpTexts.Trust(session.Arn, target.Context.InstallationId), Target.ReadReports);
        Assert.That(await AssumeAsync(target, session, "escape", request.ExternalName), Does.Contain("AccessDenied").And.Contain("explicit deny"));

        var chaining = target.NewRequest(target.SessionTemplate("\"allowChaining\":true"));
        await Target.IssueAsync(provider, chaining);
        session = target.Aws.Sessions.Last();
        target.Aws.Change("escape", role => role.Trust = SetUpTexts.Trust(session.RoleArn, target.Context.InstallationId));
        target.Aws.Change(Target.Reader, role => role.Inline["chain"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}""");
        target.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.That(await AssumeAsync(target, session, "escape", chaining.ExternalName), Does.Contain("AccessKeyId"), "allowed, and so declared as able to mint");
        var kind = new AssumeRoleKind();
        Assert.That(kind.CanMint(chaining.Template));
        Assert.That(kind.CanMint(request.Template), Is.False);
        Assert.That(kind.RevocabilityOf(chaining.Template).Residual, Does.Contain("other roles"));
        Assert.That(await target.IsAcceptedAsync(credential));
    }

    [Test]
    public async Task A_session_cannot_lift_what_denies_it()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Change(Target.Reader, role => role.Inline["too-much"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}""");
        target.Clock.Advance(TimeSpan.FromSeconds(10));
        await using var provider = target.Connect();
        await Target.IssueAsync(provider, target.NewRequest());
        var session = target.Aws.Sessions.Last();
        Assert.That(await CallAsync(target, session, "iam", $"Action=DeleteRolePolicy&Version=2010-05-08&RoleName={Target.Reader}&PolicyName={Names.DenyPolicy}"), Does.Contain("AccessDenied"));
        Assert.That(await CallAsync(target, session, "iam", $"Action=GetRole&Version=2010-05-08&RoleName=credbroker"), Does.Contain("GetRoleResult"), "the role itself may do so elsewhere");
    }

    [Test]
    public async Task A_name_that_a_tag_cannot_carry_is_refused_and_not_rewritten()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        foreach (var workload in new[] { "ci/a|b", "ci/a*b", "ci/${aws:username}", "ci/" + new string('x', 300), "ci/ä" })
        {
            var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, target.NewRequest() with { Workload = workload }));
            Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
            await Target.IssueAsync(provider, target.NewRequest(target.SessionTemplate("\"workloadTag\":false")) with { Workload = workload });
        }

        Assert.That(target.Aws.Sessions.Count(session => session.SourceIdentity is not null), Is.EqualTo(5));
    }

    [Test]
    public async Task As_many_tags_and_policies_as_sts_takes_are_taken_and_too_much_together_is_reported_with_its_size()
    {
        await using var target = await Target.CreateAsync();
        for (var i = 0; i < 10; i++) target.Aws.ManagedPolicies[$"arn:aws:iam::123456789012:policy/p{i}"] = Target.ReadReports;
        await using var provider = target.Connect();
        var arns = string.Join(',', Enumerable.Range(0, 10).Select(i => $"\"arn:aws:iam::123456789012:policy/p{i}\""));
        var few = string.Join(',', Enumerable.Range(0, 48).Select(i => $"\"k{i}\":\"v\""));
        await Target.IssueAsync(provider, target.NewRequest(target.SessionTemplate($"\"policyArns\":[{arns}],\"taskTag\":false,\"workloadTag\":false")));
        await Target.IssueAsync(provider, target.NewRequest(target.SessionTemplate($"\"tags\":{{{few}}}")));
        Assert.That(target.Aws.Sessions.Last().Tags, Has.Count.EqualTo(50));

        var many = string.Join(',', Enumerable.Range(0, 10).Select(i => $"\"k{i}\":\"{new string('v', 256)}\""));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, target.NewRequest(target.SessionTemplate($"\"tags\":{{{many}}}"))));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(failure.Message, Does.Contain("PackedPolicyTooLarge").And.Match("[0-9]+%"));
    }

    [Test]
    public void Whatever_a_parameter_holds_stays_within_its_string()
    {
        foreach (var value in new[] { "a\",\"Effect\":\"Allow", "*", "?", "${aws:username}", "a/../b", "a b", "a\\", "\u202E" })
        {
            var template = JsonSerializer.SerializeToElement(new
            {
                roleArn = "arn:aws:iam::123456789012:role/app-reader",
                statements = new[] { new { actions = new[] { "s3:GetObject" }, resources = new[] { $"arn:aws:s3:::reports/{value}" }, conditions = new { StringEquals = new Dictionary<string, string[]> { ["aws:PrincipalTag/x"] = [value] } } } },
            });
            var kind = new AssumeRoleKind();
            if (kind.Validate(template).Count > 0) continue;
            var read = kind.Read(template);
            var written = JsonElement.Parse(PolicyText.Write(read.Statements.Select(Statement.Of)));
            var statement = written.GetProperty("Statement").EnumerateArray().Single();
            Assert.That(statement.GetProperty("Resource").GetString(), Is.EqualTo($"arn:aws:s3:::reports/{value}"));
            Assert.That(statement.EnumerateObject().Select(member => member.Name), Is.EqualTo(new[] { "Effect", "Action", "Resource", "Condition" }));
        }
    }

    [TestCase("")]
    [TestCase("<html><body>502</body></html>")]
    [TestCase("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><AssumeRoleResponse><AssumeRoleResult>&e;</AssumeRoleResult></AssumeRoleResponse>")]
    [TestCase("<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><AssumeRoleResponse>&b;</AssumeRoleResponse>")]
    [TestCase("<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>")]
    [TestCase("<GetCallerIdentityResponse/>")]
    [TestCase("deep")]
    [TestCase("large")]
    [TestCase("another session")]
    public async Task An_answer_that_is_none_means_that_nobody_knows(string answer)
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        var body = answer switch
        {
            "deep" => string.Concat(Enumerable.Repeat("<a>", 100_000)) + string.Concat(Enumerable.Repeat("</a>", 100_000)),
            "large" => $"<AssumeRoleResponse>{new string('x', 3_000_000)}</AssumeRoleResponse>",
            "another session" => "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-03-01T13:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROAX:somebody</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>",
            _ => answer,
        };
        target.Host.Faults.Next(new StandInFault.ActsAndAnswers(StandInAnswer.Of(200, body, "text/xml")));
        var request = target.NewRequest();
        var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, request));
        Assert.That(failure!.Effect, Is.EqualTo(ProviderEffect.Unknown));
        Assert.That(failure.ToString(), Does.Not.Contain("root:").And.Length.LessThan(5000));
        Assert.That(await target.RevokeUntilDeadAsync(provider, target.Revoking(request)), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(target.Aws.Sessions.Where(session => session.SourceIdentity == request.ExternalName).Any(target.Aws.Reads), Is.False);
    }

    [Test]
    public async Task A_clock_that_is_wrong_is_named_with_the_right_time()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        target.AwsClock.Offset = TimeSpan.FromMinutes(20);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => Target.IssueAsync(provider, target.NewRequest()));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(failure.Message, Does.Contain("clock").And.Contain("12:5"));
    }

    [Test]
    public async Task The_broker_logs_in_again_when_its_session_has_ended_or_was_ended()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await Target.IssueAsync(provider, target.NewRequest());
        target.Clock.Advance(TimeSpan.FromHours(2));
        await Target.IssueAsync(provider, target.NewRequest());
        Assert.That(Logins(target), Is.EqualTo(2));
        var own = target.Aws.Sessions.Last(session => session.SourceIdentity is null);
        target.Aws.Keys.Remove(own.AccessKeyId);
        await Target.IssueAsync(provider, target.NewRequest());
        Assert.That(Logins(target), Is.EqualTo(3));
    }

    [Test]
    public async Task Those_who_ask_at_once_share_one_login()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Target.IssueAsync(provider, target.NewRequest())));
        Assert.That(Logins(target), Is.EqualTo(1));
    }

    private static int Logins(Target target) => target.Host.Log.All.Count(request => request.Path == "/" && request.Method == "POST" && request.Form()["Action"] == "AssumeRoleWithWebIdentity");

    private static Task<string> AssumeAsync(Target target, AwsSession session, string role, string identity) =>
        CallAsync(target, session, "sts", $"Action=AssumeRole&Version=2011-06-15&RoleArn={Uri.EscapeDataString(target.ArnOf(role))}&RoleSessionName=chained&SourceIdentity={identity}");

    private static async Task<string> CallAsync(Target target, AwsSession session, string service, string form)
    {
        using var client = target.Host.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Host.Address) { Content = new StringContent(form) };
        request.Content.Headers.ContentType = new("application/x-www-form-urlencoded");
        Use.Sign(request, session.AccessKeyId, session.Secret, session.Token, service, target.Clock.GetUtcNow(), await request.Content.ReadAsByteArrayAsync());
        using var response = await client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}

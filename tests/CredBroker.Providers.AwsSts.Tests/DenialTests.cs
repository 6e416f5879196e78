using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.LeaseRoles;
using CredBroker.Providers.AwsSts.Sessions;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests;

[Parallelizable(ParallelScope.All)]
public sealed class DenialTests
{
    [Test]
    public async Task Many_are_denied_in_one_write_and_proven_by_one_read()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var issued = await IssueAsync(target, provider, 10);
        var before = target.Host.Log.Count;
        var due = issued.Select(one => target.Revoking(one.Request, one.Credential.Handle)).ToList();
        var first = await RevokeAsync(target, provider, due, []);
        Assert.That(Actions(target, before), Is.EqualTo(new[] { "GetRole", "GetRolePolicy", "PutRolePolicy" }));
        Assert.That(first.Outcomes.Values, Is.All.InstanceOf<RevokeOutcome.Settling>());
        Assert.That(first.Outcomes.Values.Cast<RevokeOutcome.Settling>().Select(settling => settling.Handle), Is.All.Not.Null, "since when it is denied is stored with the lease");

        before = target.Host.Log.Count;
        due = Settled(target, due, first);
        var second = await RevokeAsync(target, provider, due, []);
        Assert.That(Actions(target, before), Is.EqualTo(new[] { "GetRole", "GetRolePolicy" }));
        Assert.That(second.Outcomes.Values, Is.All.InstanceOf<RevokeOutcome.Gone>());
        foreach (var (_, credential) in issued) Assert.That(await target.IsAcceptedAsync(credential), Is.False);
        var evidence = ((RevokeOutcome.Gone)second.Outcomes.Values.First()).Evidence;
        Assert.That(evidence.Kind, Is.EqualTo("denied_by_policy"));
        Assert.That(evidence.Text, Does.Contain(Names.DenyPolicy).And.Contain(target.Aws.FindRole(Target.Reader)!.Id).And.Contain(issued[0].Request.ExternalName).And.Contain("30s"));
    }

    [Test]
    public async Task Nothing_is_gone_while_the_deny_may_not_be_in_force()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Propagation = TimeSpan.FromSeconds(25);
        await using var provider = target.Connect();
        var (request, credential) = (await IssueAsync(target, provider, 1))[0];
        var written = (RevokeOutcome.Settling)await provider.RevokeAsync(target.Revoking(request, credential.Handle), CancellationToken.None);
        Assert.That(await target.IsAcceptedAsync(credential), "written, and not yet in force");
        target.Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.That(await provider.RevokeAsync(target.Revoking(request, written.Handle), CancellationToken.None), Is.InstanceOf<RevokeOutcome.Settling>(), "reading the document back proves the write, no more");
        target.PassTime(written.Until);
        Assert.That(await provider.RevokeAsync(target.Revoking(request, written.Handle), CancellationToken.None), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(await target.IsAcceptedAsync(credential), Is.False);
    }

    [Test]
    public async Task The_same_denials_are_the_same_text_in_any_order()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var requests = Enumerable.Range(0, 6).Select(_ => target.Revoking(target.NewRequest())).ToList();
        await RevokeAsync(target, provider, requests[..3], Denied(requests[3..]));
        var first = target.Aws.FindRole(Target.Reader)!.Inline[Names.DenyPolicy];
        var before = target.Host.Log.Count;
        requests.Reverse();
        await RevokeAsync(target, provider, requests[..2], Denied(requests[2..]));
        Assert.That(target.Aws.FindRole(Target.Reader)!.Inline[Names.DenyPolicy], Is.EqualTo(first));
        Assert.That(Actions(target, before), Does.Not.Contain("PutRolePolicy"), "nothing is missing, so nothing is written");
    }

    [Test]
    public async Task Other_policies_of_the_role_are_left_alone()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Change(Target.Reader, role => role.Inline["AWSRevokeOlderSessions"] = SetUpTexts.ConsoleRevocation(target.Aws.Now.AddDays(-1)));
        var others = target.Aws.FindRole(Target.Reader)!.Inline.ToList();
        await using var provider = target.Connect();
        var (request, credential) = (await IssueAsync(target, provider, 1))[0];
        await target.RevokeUntilDeadAsync(provider, target.Revoking(request, credential.Handle));
        Assert.That(target.Aws.FindRole(Target.Reader)!.Inline.Where(policy => policy.Key != Names.DenyPolicy), Is.EqualTo(others));
    }

    [Test]
    public async Task The_document_is_pruned_of_those_that_have_died_and_goes_with_the_last()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var brief = target.NewRequest(life: TimeSpan.FromMinutes(16));
        await Target.IssueAsync(provider, brief);
        var longer = target.NewRequest(life: TimeSpan.FromMinutes(50));
        await Target.IssueAsync(provider, longer);
        await RevokeAsync(target, provider, [target.Revoking(brief), target.Revoking(longer)], []);
        target.Clock.Advance(TimeSpan.FromMinutes(20));
        var outcome = await RevokeAsync(target, provider, [target.Revoking(brief)], Denied([target.Revoking(longer)]));
        Assert.That(outcome.Outcomes.Values.Single(), Is.InstanceOf<RevokeOutcome.Expired>());
        Assert.That(DeniedNow(target), Is.EqualTo(new[] { longer.ExternalName }));
        target.Clock.Advance(TimeSpan.FromMinutes(40));
        await RevokeAsync(target, provider, [target.Revoking(longer)], []);
        Assert.That(target.Aws.FindRole(Target.Reader)!.Inline, Does.Not.ContainKey(Names.DenyPolicy));
    }

    [Test]
    public async Task An_overwritten_document_is_mended_and_all_that_waits_for_it_waits_anew()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var issued = await IssueAsync(target, provider, 2);
        var due = issued.Select(one => target.Revoking(one.Request, one.Credential.Handle)).ToList();
        var first = await RevokeAsync(target, provider, due, []);
        target.Clock.Advance(TimeSpan.FromSeconds(20));

        // A write of the past arrives, with one of the two missing; then the other is looked at.
        target.Aws.Change(Target.Reader, role => role.Inline[Names.DenyPolicy] = new DenyDocument(new HashSet<string> { due[0].ExternalName }, target.Aws.Now.AddSeconds(-20)).Text);
        var settled = Settled(target, due, first);
        var second = await RevokeAsync(target, provider, [settled[0]], Denied([settled[1]]));
        Assert.That(DeniedNow(target), Is.EquivalentTo(due.Select(one => one.ExternalName)));
        Assert.That(second.Outcomes[due[0].LeaseId], Is.InstanceOf<RevokeOutcome.Settling>(), "the document has a gap in its past");
        var third = await RevokeAsync(target, provider, [settled[1]], Denied([settled[0]]));
        Assert.That(third.Outcomes[due[1].LeaseId], Is.InstanceOf<RevokeOutcome.Settling>(), "it did not stand there all the time");
        target.PassTime(((RevokeOutcome.Settling)third.Outcomes[due[1].LeaseId]).Until);
        var last = await RevokeAsync(target, provider, settled, []);
        Assert.That(last.Outcomes.Values, Is.All.InstanceOf<RevokeOutcome.Gone>());
    }

    [Test]
    public async Task What_nobody_knows_the_outcome_of_is_born_dead()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        var arrival = request.Deadline + target.Type.LateEffect;
        var waiting = (RevokeOutcome.Settling)await provider.RevokeAsync(target.Revoking(request, null, arrival), CancellationToken.None);
        Assert.That(waiting.Until, Is.GreaterThanOrEqualTo(arrival));
        target.Clock.Advance(target.Aws.Propagation);
        var late = await Target.IssueAsync(provider, request);
        Assert.That(await target.IsAcceptedAsync(late), Is.False, "it was denied before it existed");
        target.PassTime(waiting.Until);
        Assert.That(await provider.RevokeAsync(target.Revoking(request, waiting.Handle, arrival), CancellationToken.None), Is.InstanceOf<RevokeOutcome.Gone>());
    }

    [Test]
    public async Task A_call_that_was_signed_too_long_ago_never_arrives()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        target.Host.Faults.Next(new StandInFault.ActsLate(target.Type.LateEffect + TimeSpan.FromSeconds(1)), request => request.Text.Contains("Action=AssumeRole&", StringComparison.Ordinal));
        var request = target.NewRequest();
        using var cancelled = new CancellationTokenSource();
        var before = target.Host.Log.Count;
        var issue = provider.IssueAsync(request, Journal.GoesOn, cancelled.Token);
        while (target.Host.Log.Count == before) await Task.Yield();
        await cancelled.CancelAsync();
        var failure = await Assert.ThrowsAsync<ProviderException>(() => issue);
        Assert.That(failure!.Effect, Is.EqualTo(ProviderEffect.Unknown));
        target.Clock.Advance(target.Type.LateEffect + TimeSpan.FromSeconds(2));
        await Target.IssueAsync(provider, target.NewRequest());
        Assert.That(target.Aws.Sessions.Any(session => session.SourceIdentity == request.ExternalName), Is.False);
    }

    [Test]
    public async Task A_deleted_role_takes_its_sessions_with_it_and_a_new_one_of_its_name_is_another()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var issued = await IssueAsync(target, provider, 2);
        var (request, credential) = issued[0];
        target.Aws.Change(Target.Reader, role => role.Deleted = true);
        var first = (RevokeOutcome.Settling)await provider.RevokeAsync(target.Revoking(request, credential.Handle), CancellationToken.None);
        target.PassTime(first.Until);
        var gone = (RevokeOutcome.Gone)await provider.RevokeAsync(target.Revoking(request, first.Handle), CancellationToken.None);
        Assert.That(gone.Evidence.Kind, Is.EqualTo("role_absent"));
        Assert.That(gone.TargetIdentity, Is.EqualTo("aws:123456789012"));
        Assert.That(await target.IsAcceptedAsync(credential), Is.False);

        target.Aws.AddRole(Target.Reader, SetUpTexts.Trust(target.BrokerArn, target.Context.InstallationId), Target.ReadReports);
        (request, credential) = issued[1];
        var replaced = await target.RevokeUntilDeadAsync(provider, target.Revoking(request, credential.Handle));
        Assert.That((replaced as RevokeOutcome.Gone)?.Evidence.Kind, Is.EqualTo("role_replaced"));
        Assert.That(await target.IsAcceptedAsync(credential), Is.False);
    }

    [Test]
    public async Task A_full_document_is_an_error_and_not_a_lesser_deny()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var (request, credential) = (await IssueAsync(target, provider, 1))[0];
        Fill(target);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.RevokeAsync(target.Revoking(request, credential.Handle), CancellationToken.None));
        Assert.That(failure!.Fault, Is.EqualTo(ProviderFault.Misconfigured));
        Assert.That(failure.Message, Does.Contain("mayDenyAllOlder"));
        Assert.That(await target.IsAcceptedAsync(credential), "nothing was done, and nothing is claimed");
    }

    [Test]
    public async Task Where_it_is_allowed_a_full_document_denies_everything_older_and_says_so()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect(configuration => configuration["roles"]![0]!["mayDenyAllOlder"] = true);
        var issued = await IssueAsync(target, provider, 3);
        var due = issued.Take(1).Select(one => target.Revoking(one.Request, one.Credential.Handle)).ToList();
        target.Clock.Advance(TimeSpan.FromMinutes(1));
        Fill(target, leave: 250);
        var names = Enumerable.Range(0, 5).Select(_ => target.Revoking(target.NewRequest())).ToList();
        target.Clock.Advance(TimeSpan.FromMinutes(22));

        var first = await RevokeAsync(target, provider, due, Denied(names));
        Assert.That(first.KilledAllIssuedBefore, Is.GreaterThan(target.Aws.Now).And.LessThan(target.Aws.Now.AddSeconds(3)), "rounded up: the comparison is strict");
        Assert.That(first.Outcomes.Values.Single(), Is.InstanceOf<RevokeOutcome.Settling>());
        target.Clock.Advance(TimeSpan.FromSeconds(5));
        foreach (var (_, credential) in issued) Assert.That(await target.IsAcceptedAsync(credential), Is.False, "those that were not due too: the broker ends their leases");
        var later = (await IssueAsync(target, provider, 1))[0];
        Assert.That(await target.IsAcceptedAsync(later.Credential), "what is issued afterwards lives");

        // The others become due: they are dead already, and stay so.
        var rest = issued.Skip(1).Select(one => target.Revoking(one.Request, one.Credential.Handle)).ToList();
        var second = await RevokeAsync(target, provider, [.. Settled(target, due, first), .. rest], Denied(names));
        Assert.That(second.KilledAllIssuedBefore, Is.EqualTo(first.KilledAllIssuedBefore), "whoever asks next is told too: the first answer may have been lost");
        Assert.That(second.Outcomes[due[0].LeaseId], Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(((RevokeOutcome.Gone)second.Outcomes[due[0].LeaseId]).Evidence.Text, Does.Contain("issued before"));
        Assert.That(await target.IsAcceptedAsync(later.Credential));
    }

    [Test]
    public async Task Denying_everything_older_finds_room_however_many_are_young()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect(configuration => configuration["roles"]![0]!["mayDenyAllOlder"] = true);
        var issued = await IssueAsync(target, provider, 1);
        Fill(target, leave: 500);
        var unknown = target.NewRequest();
        var many = Enumerable.Range(0, 200).Select(_ => target.Revoking(target.NewRequest())).ToList();
        target.Clock.Advance(TimeSpan.FromSeconds(70));
        var due = new[] { target.Revoking(issued[0].Request, issued[0].Credential.Handle), target.Revoking(unknown, null, unknown.Deadline + target.Type.LateEffect) };
        var first = await RevokeAsync(target, provider, due, Denied(many));
        Assert.That(DeniedNow(target), Does.Contain(unknown.ExternalName), "its call may still arrive, after the cut-off");
        target.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.That(await target.IsAcceptedAsync(issued[0].Credential), Is.False);
        Assert.That(await target.IsAcceptedAsync(await Target.IssueAsync(provider, unknown with { Deadline = target.Clock.GetUtcNow().AddSeconds(5) })), Is.False);

        var second = await RevokeAsync(target, provider, [due[0]], Denied([due[1], .. many]));
        Assert.That(second.KilledAllIssuedBefore, Is.EqualTo(first.KilledAllIssuedBefore), "the cut-off does not move with every call");
        Assert.That(DeniedNow(target), Does.Contain(unknown.ExternalName));
    }

    [Test]
    public async Task A_write_whose_answer_is_lost_is_read_back_and_one_that_failed_says_that_nobody_knows()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var (request, credential) = (await IssueAsync(target, provider, 1))[0];
        static bool Writes(StandInRequest sent) => sent.Text.StartsWith("Action=PutRolePolicy", StringComparison.Ordinal);
        target.Host.Faults.Next(new StandInFault.LosesRequest(), Writes);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => RevokeAsync(target, provider, [target.Revoking(request, credential.Handle)], []));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Unreachable, ProviderEffect.Unknown)), "it may still arrive, and nobody else may write until then");
        target.Host.Faults.Next(new StandInFault.Answers(AwsErrors.Answer(400, "Throttling", "Rate exceeded")), Writes);
        failure = await Assert.ThrowsAsync<ProviderException>(() => RevokeAsync(target, provider, [target.Revoking(request, credential.Handle)], []));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Throttled, ProviderEffect.None)));
        target.Host.Faults.Next(new StandInFault.Answers(StandInAnswer.Of(503, "<html/>", "text/html")), sent => sent.Text.StartsWith("Action=GetRole&", StringComparison.Ordinal));
        failure = await Assert.ThrowsAsync<ProviderException>(() => RevokeAsync(target, provider, [target.Revoking(request, credential.Handle)], []));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Unreachable, ProviderEffect.None)), "reading changes nothing");

        target.Host.Faults.Next(new StandInFault.LosesAnswer(), Writes);
        var outcome = await RevokeAsync(target, provider, [target.Revoking(request, credential.Handle)], []);
        Assert.That(outcome.Outcomes.Values.Single(), Is.InstanceOf<RevokeOutcome.Settling>());
        Assert.That(DeniedNow(target), Is.EqualTo(new[] { request.ExternalName }));
    }

    [Test]
    public async Task Two_that_are_revoked_alone_at_once_do_not_forget_each_other()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var issued = await IssueAsync(target, provider, 4);
        await Task.WhenAll(issued.Select(one => provider.RevokeAsync(target.Revoking(one.Request, one.Credential.Handle), CancellationToken.None)));
        Assert.That(DeniedNow(target), Is.EquivalentTo(issued.Select(one => one.Request.ExternalName)));
    }

    [Test]
    public async Task A_lease_of_another_account_fails_alone()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var issued = await IssueAsync(target, provider, 2);
        var foreign = new SessionHandle("aws:210987654321", target.ReaderArn, null, 30).Seal();
        var outcome = await RevokeAsync(target, provider, [target.Revoking(issued[0].Request, issued[0].Credential.Handle), target.Revoking(issued[1].Request, foreign)], []);
        Assert.That(outcome.Failures[issued[1].Request.LeaseId].Fault, Is.EqualTo(ProviderFault.TargetMismatch));
        Assert.That(outcome.Outcomes.Keys, Is.EqualTo(new[] { issued[0].Request.LeaseId }));
        Assert.That(DeniedNow(target), Is.EqualTo(new[] { issued[0].Request.ExternalName }));
    }

    [Test]
    public void A_full_document_has_room_for_258_names_and_is_what_iam_takes()
    {
        Assert.That(DenyDocument.CapacityBeside(0), Is.EqualTo(258));
        var names = Enumerable.Range(0, 258).Select(i => $"cb-test01-{i:d26}").ToHashSet();
        var text = new DenyDocument(names, new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)).Text;
        Assert.That(AwsRole.LengthOf(text), Is.InRange(DenyDocument.MostCharacters - 38, DenyDocument.MostCharacters));
        Assert.That(IamPolicy.Read(text, trust: false, out var complaint), Is.Not.Null, complaint);
        Assert.That(DenyDocument.Read(text)!.Denied, Is.EquivalentTo(names));
    }

    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("not JSON")]
    [TestCase("""{"Version":"2012-10-17","Statement":[]}""")]
    [TestCase("""{"Version":"2012-10-17","Statement":[{"Sid":"CredBroker20260301T000000Z","Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":["cb-test01-00000000000000000000000000"]}}}]}""")]
    [TestCase("""{"Version":"2012-10-17","Statement":[{"Sid":"CredBroker20260301T000000Z","Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":["cb-test01-00000000000000000000000000"]}}}]}""")]
    [TestCase("""{"Version":"2012-10-17","Statement":[{"Sid":"CredBroker20260301T000000Z","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":["cb-test01-00000000000000000000000000"]},"Bool":{"aws:SecureTransport":"false"}}}]}""")]
    [TestCase("""{"Version":"2012-10-17","Statement":[{"Sid":"CredBroker20260301T000000Z","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":["cb-test01-00000000000000000000000000"],"aws:userid":["x"]}}}]}""")]
    [TestCase("""{"Version":"2012-10-17","Statement":[{"Sid":"Somebody","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":["cb-test01-00000000000000000000000000"]}}}]}""")]
    public void What_does_not_deny_everything_by_name_alone_is_no_deny_document(string text) => Assert.That(DenyDocument.Read(text), Is.Null);

    private static async Task<List<(IssueRequest Request, IssuedCredential Credential)>> IssueAsync(Target target, IProvider provider, int count)
    {
        var issued = new List<(IssueRequest, IssuedCredential)>();
        for (var i = 0; i < count; i++)
        {
            var request = target.NewRequest(life: TimeSpan.FromMinutes(55));
            issued.Add((request, await Target.IssueAsync(provider, request)));
        }

        return issued;
    }

    [TestCase(AssumeRoleKind.KindName, 1, 5)]
    [TestCase(LeaseRoleKind.KindName, 3, 11)]
    public async Task Takes_as_many_calls_as_documented(string kind, int issue, int revoke)
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Propagation = TimeSpan.Zero;
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        var (request, before) = (target.NewRequest(kind: kind), target.Host.Log.Count);
        var credential = await Target.IssueAsync(provider, request);
        Assert.That(target.Host.Log.Lines(before), Has.Count.EqualTo(issue));
        before = target.Host.Log.Count;
        var revoking = target.Revoking(request, credential.Handle);
        if (kind == LeaseRoleKind.KindName)
        {
            await target.RevokeUntilDeadAsync(provider, revoking);
        }
        else
        {
            List<RevokeRequest> due = [revoking];
            for (var outcome = await RevokeAsync(target, provider, due, []); outcome.Outcomes[request.LeaseId] is RevokeOutcome.Settling; outcome = await RevokeAsync(target, provider, due, []))
                due = Settled(target, due, outcome);
        }

        Assert.That(target.Host.Log.Lines(before), Has.Count.EqualTo(revoke));
    }

    private static Task<GroupRevokeOutcome> RevokeAsync(Target target, IProvider provider, IReadOnlyList<RevokeRequest> due, IReadOnlyList<DeniedCredential> denied) =>
        ((IGroupRevokingProvider)provider).RevokeGroupAsync(new GroupRevokeRequest { Group = target.ReaderArn, Due = due, StillDenied = denied }, CancellationToken.None);

    private static List<DeniedCredential> Denied(IEnumerable<RevokeRequest> requests) => [.. requests.Select(request => new DeniedCredential(request.ExternalName, request.PossibleDeathAt) { IssuedBy = request.IssuedBy })];

    // With the handles that were answered, at the time that was named.
    private static List<RevokeRequest> Settled(Target target, IEnumerable<RevokeRequest> due, GroupRevokeOutcome outcome)
    {
        var settled = due.Select(request => outcome.Outcomes.TryGetValue(request.LeaseId, out var one) && one is RevokeOutcome.Settling settling ? (request with { Handle = settling.Handle }, settling.Until) : (request, default)).ToList();
        target.PassTime(settled.Max(one => one.Item2));
        return [.. settled.Select(one => one.Item1)];
    }

    private static IEnumerable<string> DeniedNow(Target target) => DenyDocument.Read(target.Aws.FindRole(Target.Reader)!.Inline[Names.DenyPolicy])!.Denied;

    private static IEnumerable<string> Actions(Target target, int since) => target.Host.Log.Since(since).Where(request => request.Method == "POST").Select(request => request.Form()["Action"]);

    // Somebody else's policy takes the room.
    private static void Fill(Target target, int leave = 100) => target.Aws.Change(Target.Reader, role =>
    {
        var left = DenyDocument.MostCharacters - role.InlineLength("") - leave;
        var text = new JsonObject
        {
            ["Version"] = "2012-10-17",
            ["Statement"] = new JsonArray(new JsonObject { ["Effect"] = "Allow", ["Action"] = "s3:ListBucket", ["Resource"] = "arn:aws:s3:::" }),
        };
        text["Statement"]![0]!["Resource"] = "arn:aws:s3:::" + new string('x', left - AwsRole.LengthOf(text.ToJsonString()));
        role.Inline["somebody-elses"] = text.ToJsonString();
    });
}

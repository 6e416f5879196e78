using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Sessions;
using CredBroker.Providers.AwsSts.Tests.StandIn;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>What is seen to be in force, and what is only said to be.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class CanaryTests
{
    private const string Object = "https://s3.amazonaws.com/reports/today.txt";

    [Test]
    public async Task Is_dead_as_soon_as_the_canary_is_refused_where_its_word_is_enough()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Propagation = TimeSpan.FromSeconds(20);
        await using var provider = Connect(target, "5s");
        var one = await IssueAsync(target, provider, settle: "5m");
        var started = target.Clock.GetUtcNow();
        var outcome = await RevokeAsync(target, provider, one);
        Assert.That(target.AwsClock.GetUtcNow() - started, Is.LessThan(TimeSpan.FromSeconds(5)));
        var looks = 0;
        while (outcome is RevokeOutcome.Settling settling)
        {
            var accepted = await target.IsAcceptedAsync(one.Credential);
            target.PassTime(settling.Until);
            outcome = await RevokeAsync(target, provider, one with { Handle = settling.Handle });
            if (target.AwsClock.GetUtcNow() - started < TimeSpan.FromSeconds(20)) Assert.That((outcome is RevokeOutcome.Settling, accepted), Is.EqualTo((true, true)), "the canary is let in, and so is the lease");
            looks++;
        }

        Assert.That(await target.IsAcceptedAsync(one.Credential), Is.False);
        Assert.That(target.AwsClock.GetUtcNow() - started, Is.InRange(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(30)), "long before the settle time of 5 minutes");
        Assert.That(looks, Is.InRange(3, 8), "it is asked less often as time goes on");
        var evidence = ((RevokeOutcome.Gone)outcome).Evidence;
        Assert.That(evidence.Kind, Is.EqualTo("denied_and_refused"));
        Assert.That(evidence.Text, Does.Contain(one.Request.ExternalName).And.Contain(Canaries(target).Single().Name).And.Contain("answered 200").And.Contain("explicit deny in an identity-based policy"));
        Assert.That(evidence.Text, Does.Not.Contain("longer than"), "the settle time is not over, and is not said to be");
    }

    [Test]
    public async Task Shortens_nothing_unless_it_is_configured_to()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = Connect(target, null);
        var one = await IssueAsync(target, provider);
        var written = (RevokeOutcome.Settling)await RevokeAsync(target, provider, one);
        target.Clock.Advance(TimeSpan.FromSeconds(20));
        var early = await RevokeAsync(target, provider, one with { Handle = written.Handle });
        Assert.That(early, Is.InstanceOf<RevokeOutcome.Settling>(), "the canary was refused, and 30 s are not over");
        target.PassTime(((RevokeOutcome.Settling)early).Until);
        Assert.That(target.AwsClock.GetUtcNow(), Is.GreaterThanOrEqualTo(written.Until.AddSeconds(-1)));
        var gone = (RevokeOutcome.Gone)await RevokeAsync(target, provider, one with { Handle = written.Handle });
        Assert.That(gone.Evidence.Kind, Is.EqualTo("denied_and_refused"));
        Assert.That(gone.Evidence.Text, Does.Contain("longer than the 30s"));
    }

    [TestCase(null)]
    [TestCase("5s")]
    public async Task Nothing_is_dead_while_the_canary_is_let_in_however_long_that_takes(string? sufficesAfter)
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Propagation = TimeSpan.FromSeconds(90);
        await using var provider = Connect(target, sufficesAfter);
        var one = await IssueAsync(target, provider);
        var started = target.AwsClock.GetUtcNow();
        var outcome = await RevokeAsync(target, provider, one);
        while (outcome is RevokeOutcome.Settling settling)
        {
            target.PassTime(settling.Until);
            outcome = await RevokeAsync(target, provider, one with { Handle = settling.Handle });
        }

        Assert.That(target.AwsClock.GetUtcNow() - started, Is.InRange(TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(100)), "three times the settle time");
        Assert.That(((RevokeOutcome.Gone)outcome).Evidence.Kind, Is.EqualTo("denied_and_refused"));
        Assert.That(await target.IsAcceptedAsync(one.Credential), Is.False);
    }

    [Test]
    public async Task Many_leases_share_one_canary_and_what_is_written_later_has_its_own()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Propagation = TimeSpan.FromSeconds(15);
        await using var provider = Connect(target, "5s");
        var first = await IssueAsync(target, provider);
        var second = await IssueAsync(target, provider);
        var late = await IssueAsync(target, provider);
        await RevokeGroupAsync(target, provider, [first, second], []);
        target.Clock.Advance(TimeSpan.FromSeconds(10));
        await RevokeGroupAsync(target, provider, [late], [first, second]);
        target.Clock.Advance(TimeSpan.FromSeconds(6));
        var outcomes = await RevokeGroupAsync(target, provider, [first, second, late], []);
        Assert.That(outcomes.Select(outcome => outcome is RevokeOutcome.Gone), Is.EqualTo(new[] { true, true, false }));
        Assert.That(await target.IsAcceptedAsync(late.Credential), "the second write is 6 s old and takes 15 s: the first one's canary must not speak for it");
        Assert.That(Canaries(target).Select(canary => canary.Name).Distinct().Count(), Is.EqualTo(2));
        target.Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.That((await RevokeGroupAsync(target, provider, [late], [first, second])).Single(), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(await target.IsAcceptedAsync(late.Credential), Is.False);
    }

    [TestCase("arn:aws:s3:::other/today.txt", "answered 403", TestName = "A_canary_that_is_not_let_in_before_says_nothing(wrong resource)")]
    [TestCase("arn:aws:s3:::reports/today.txt", "no session could be opened", true, TestName = "A_canary_that_is_not_let_in_before_says_nothing(no session)")]
    public async Task A_canary_that_is_not_let_in_before_says_nothing(string resource, string why, bool noSession = false)
    {
        await using var target = await Target.CreateAsync();
        await using var provider = Connect(target, "5s", resource);
        var one = await IssueAsync(target, provider);
        if (noSession) target.Aws.Change(Target.Reader, role => role.Trust = SetUpTexts.Trust("arn:aws:iam::123456789012:role/nobody", "test01"));
        target.Clock.Advance(TimeSpan.FromSeconds(3));
        var written = (RevokeOutcome.Settling)await RevokeAsync(target, provider, one);
        target.Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.That(await RevokeAsync(target, provider, one with { Handle = written.Handle }), Is.InstanceOf<RevokeOutcome.Settling>(), "refused for another reason, it proves nothing");
        target.PassTime(written.Until);
        var evidence = ((RevokeOutcome.Gone)await RevokeAsync(target, provider, one with { Handle = written.Handle })).Evidence;
        Assert.That(evidence.Kind, Is.EqualTo("denied_by_policy"), "the settle time decides, as without a canary");
        Assert.That(evidence.Text, Does.Contain("The canary says nothing").And.Contain(why));
    }

    [Test]
    public async Task A_right_that_is_taken_from_the_role_meanwhile_is_no_proof()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Propagation = TimeSpan.FromSeconds(20);
        await using var provider = Connect(target, "5s");
        var one = await IssueAsync(target, provider);
        target.Aws.Change(Target.Reader, role => role.Inline.Remove("rights"));
        target.Clock.Advance(TimeSpan.FromSeconds(15));
        var written = (RevokeOutcome.Settling)await RevokeAsync(target, provider, one);
        target.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.That(await target.IsAcceptedAsync(one.Credential), Is.False, "for want of an allow");
        Assert.That(await RevokeAsync(target, provider, one with { Handle = written.Handle }), Is.InstanceOf<RevokeOutcome.Settling>());
    }

    [Test]
    public async Task A_document_that_somebody_else_emptied_makes_the_proof_void()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = Connect(target, "10s");
        var one = await IssueAsync(target, provider);
        var written = (RevokeOutcome.Settling)await RevokeAsync(target, provider, one);
        target.Clock.Advance(TimeSpan.FromSeconds(5));
        await RevokeAsync(target, provider, one with { Handle = written.Handle });
        target.Aws.Change(Target.Reader, role => role.Inline.Remove(Names.DenyPolicy));
        target.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.That(await target.IsAcceptedAsync(one.Credential), "it lives again");
        Assert.That(await RevokeAsync(target, provider, one with { Handle = written.Handle }), Is.InstanceOf<RevokeOutcome.Settling>());
    }

    [Test]
    public async Task Another_process_opens_a_canary_of_its_own()
    {
        await using var target = await Target.CreateAsync();
        await using var first = Connect(target, null);
        var one = await IssueAsync(target, first);
        var written = (RevokeOutcome.Settling)await RevokeAsync(target, first, one);
        target.PassTime(written.Until);
        await using var second = Connect(target, null);
        var outcome = await RevokeAsync(target, second, one with { Handle = written.Handle });
        Assert.That(outcome, Is.InstanceOf<RevokeOutcome.Settling>(), "the keys of the first canary died with its process");
        target.PassTime(((RevokeOutcome.Settling)outcome).Until);
        Assert.That(((RevokeOutcome.Gone)await RevokeAsync(target, second, one with { Handle = written.Handle })).Evidence.Kind, Is.EqualTo("denied_and_refused"));
    }

    [Test]
    public async Task No_lease_loses_its_place_to_a_canary()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = Connect(target, "5s");
        var capacity = DenyDocument.CapacityBeside(AwsRole.LengthOf(Target.ReadReports));
        var one = await IssueAsync(target, provider);
        var others = Enumerable.Range(0, capacity - 1).Select(_ => target.NewRequest()).Select(request => new DeniedCredential(request.ExternalName, request.ExpiresAt)).ToList();
        var outcome = await ((IGroupRevokingProvider)provider).RevokeGroupAsync(new() { Group = target.ReaderArn, Due = [Revoking(target, one)], StillDenied = others }, CancellationToken.None);
        var settling = (RevokeOutcome.Settling)outcome.Outcomes.Values.Single();
        Assert.That(DenyDocument.Read(target.Aws.FindRole(Target.Reader)!.Inline[Names.DenyPolicy])!.Denied, Has.Count.EqualTo(capacity));
        target.PassTime(settling.Until);
        outcome = await ((IGroupRevokingProvider)provider).RevokeGroupAsync(new() { Group = target.ReaderArn, Due = [Revoking(target, one with { Handle = settling.Handle })], StillDenied = others }, CancellationToken.None);
        Assert.That(((RevokeOutcome.Gone)outcome.Outcomes.Values.Single()).Evidence.Text, Does.Contain("no room"));
    }

    [Test]
    public async Task A_canary_costs_no_write_of_its_own_and_its_session_may_do_one_thing()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = Connect(target, "5s");
        var one = await IssueAsync(target, provider);
        var before = target.Host.Log.Count;
        var outcome = await RevokeAsync(target, provider, one);
        while (outcome is RevokeOutcome.Settling settling)
        {
            target.PassTime(settling.Until);
            outcome = await RevokeAsync(target, provider, one with { Handle = settling.Handle });
        }

        var sent = target.Host.Log.Since(before).Select(request => request.Method == "POST" ? request.Form()["Action"] : "GET").ToList();
        Assert.That(sent, Is.EqualTo(new[] { "GetRole", "GetRolePolicy", "AssumeRole", "GET", "PutRolePolicy", "GetRole", "GetRolePolicy", "GET", "GET", "GET" }));
        var canary = Canaries(target).Single();
        target.Aws.Change(Target.Reader, role => role.Inline.Remove(Names.DenyPolicy));
        target.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.That(target.Aws.Locked(() => target.Aws.Decide(canary, "s3:GetObject", "arn:aws:s3:::reports/today.txt", AwsStandIn.NoKeys)), Is.EqualTo(Verdict.Allowed));
        Assert.That(target.Aws.Locked(() => target.Aws.Decide(canary, "s3:GetObject", "arn:aws:s3:::reports/other.txt", AwsStandIn.NoKeys)), Is.Not.EqualTo(Verdict.Allowed));
        Assert.That(canary.ExpiresAt - canary.IssuedAt, Is.EqualTo(TimeSpan.FromMinutes(15)));
    }

    private static IProvider Connect(Target target, string? sufficesAfter, string resource = "arn:aws:s3:::reports/today.txt") => target.Connect(configuration =>
    {
        var canary = new JsonObject { ["url"] = Object, ["action"] = "s3:GetObject", ["resource"] = resource };
        if (sufficesAfter is not null) canary["sufficesAfter"] = sufficesAfter;
        configuration["roles"]![0]!["canary"] = canary;
    });

    private static async Task<Issued> IssueAsync(Target target, IProvider provider, string settle = "30s")
    {
        var request = target.NewRequest(target.SessionTemplate().Replace("\"30s\"", $"\"{settle}\"", StringComparison.Ordinal), life: TimeSpan.FromMinutes(55));
        var credential = await Target.IssueAsync(provider, request);
        return new Issued(request, credential, credential.Handle);
    }

    private static RevokeRequest Revoking(Target target, Issued one) => target.Revoking(one.Request, one.Handle);

    private static async Task<RevokeOutcome> RevokeAsync(Target target, IProvider provider, Issued one) => (await RevokeGroupAsync(target, provider, [one], [])).Single();

    private static async Task<IReadOnlyList<RevokeOutcome>> RevokeGroupAsync(Target target, IProvider provider, IReadOnlyList<Issued> due, IReadOnlyList<Issued> denied)
    {
        var outcome = await ((IGroupRevokingProvider)provider).RevokeGroupAsync(
            new()
            {
                Group = target.ReaderArn,
                Due = [.. due.Select(one => Revoking(target, one))],
                StillDenied = [.. denied.Select(one => new DeniedCredential(one.Request.ExternalName, one.Request.ExpiresAt))],
            },
            CancellationToken.None);
        return [.. due.Select(one => outcome.Outcomes[one.Request.LeaseId])];
    }

    // The sessions that are nobody's lease: tagged with no task.
    private static List<AwsSession> Canaries(Target target) => target.Aws.Locked(() => target.Aws.Sessions.Where(session => session.RoleArn == target.ReaderArn && session.Tags.Count == 0).ToList());

    private sealed record Issued(IssueRequest Request, IssuedCredential Credential, Handle? Handle);
}

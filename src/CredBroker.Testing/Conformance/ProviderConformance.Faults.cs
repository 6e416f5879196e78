using System.Globalization;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

public abstract partial class ProviderConformance
{
    // No provider makes a credential in more creating calls or journal records than this.
    private const int MostSteps = 20;

    // How long a call that was cancelled may need to return, in real time: past that the broker gives it up.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>The broker dies at each handle that it journals, and another process ends what was made by that handle.</summary>
    [Test]
    public async Task Leaves_nothing_that_the_journalled_handle_does_not_end_when_it_is_killed()
    {
        await using var subject = await CreateAsync();
        if (subject.Type.Local) Assert.Pass("There is no half-way within our own store.");
        foreach (var role in Examples(subject))
        {
            for (var at = 1; ; at++)
            {
                Assert.That(at, Is.LessThan(MostSteps));
                await using var dying = new ConformanceRun(subject);
                var request = dying.NewRequest(role);
                var journal = new TestJournal(at, dies: true);
                var issue = dying.IssueAsync(request, journal);
                if (await Task.WhenAny(issue, journal.Died) == issue)
                {
                    await issue;
                    Assert.That(journal.Records, Is.EqualTo(at - 1));
                    Assert.That(journal.Records > 0, Is.EqualTo(role.TwoSteps), "a handle is journalled half-way, or is not, as declared");
                    break;
                }

                await using var another = new ConformanceRun(subject);
                await AssertEndsAsync(another, request, journal.Handle, $"killed at record {at}");
                journal.Release();
                await ConformanceRun.FailureOfAsync(() => issue);
                Assert.That(await subject.LivesAsync(request.ExternalName), Is.False, "a call that was overtaken and told to stop makes nothing");
            }
        }
    }

    /// <summary>A journal that says stop is obeyed, and what was made until then can be ended.</summary>
    [Test]
    public async Task Stops_when_the_journal_says_so()
    {
        await using var subject = await CreateAsync();
        foreach (var role in Examples(subject).Where(role => role.TwoSteps))
        {
            await using var run = new ConformanceRun(subject);
            var request = run.NewRequest(role);
            var journal = new TestJournal(at: 1);
            Assert.That(await ConformanceRun.FailureOfAsync(() => run.IssueAsync(request, journal)), Is.InstanceOf<ProviderException>());
            Assert.That(journal.Records, Is.EqualTo(1));
            await AssertEndsAsync(run, request, journal.Handle, "stopped");
        }
    }

    /// <summary>An answer that is lost is no reason to ask again, and what was made is found by its name, or by the handle that was journalled.</summary>
    [Test]
    public async Task Calls_once_when_the_answer_is_lost_and_leaves_nothing_that_cannot_be_ended() => await ForEachStepAsync(
        TargetFault.AnswerLost,
        (subject, failure, made, sparing) =>
        {
            Assert.That((failure as ProviderException)?.Effect, Is.EqualTo(ProviderEffect.Unknown), failure.ToString());
            Assert.That(made, Is.EqualTo(sparing + 1), "a call that creates is not repeated, and none follows it");
        });

    /// <summary>A target that is throttling says what is at fault and how long to wait, and nothing was made.</summary>
    [Test]
    public async Task Tells_that_it_is_throttled_and_how_long_to_wait() => await ForEachStepAsync(
        TargetFault.Throttled, (subject, failure, made, sparing) => AssertRefused(subject, failure, ProviderFault.Throttled, made, sparing));

    /// <summary>A target that refuses the broker is told apart from one that is away.</summary>
    [Test]
    public async Task Tells_that_it_is_denied() => await ForEachStepAsync(
        TargetFault.Denied, (subject, failure, made, sparing) => AssertRefused(subject, failure, ProviderFault.Denied, made, sparing));

    /// <summary>A call to a target that never answers ends when it is cancelled, and its effect is not known.</summary>
    [Test]
    public async Task Ends_a_hanging_call_when_it_is_cancelled()
    {
        await using var subject = await CreateAsync();
        if (!subject.Faults.Contains(TargetFault.Hanging)) Assert.Pass("A target of this kind cannot hang.");
        foreach (var role in Examples(subject))
        {
            await using var run = new ConformanceRun(subject);
            var request = run.NewRequest(role);
            var journal = new TestJournal();
            await using (var hangs = await subject.MisbehaveAsync(TargetFault.Hanging, 0))
            {
                var failure = await CancelAsync(hangs, token => run.IssueAsync(request, journal, token));
                if (failure is ProviderException told) Assert.That(told.Effect, Is.EqualTo(ProviderEffect.Unknown), told.ToString());
                else Assert.That(failure, Is.InstanceOf<OperationCanceledException>());
            }

            await AssertEndsAsync(run, request, journal.Handle, "hanging");

            var live = run.NewRequest(role);
            var credential = await run.IssueAsync(live);
            await using (var hangs = await subject.MisbehaveAsync(TargetFault.Hanging, 0))
            {
                if (KindOf(subject, role).RevocabilityOf(role.Template).Kind != RevocabilityKind.ExpiresOnly)
                    await CancelAsync(hangs, token => run.RevokeAsync(run.Revoking(live, credential.Handle), token));
            }

            await AssertEndsAsync(run, live, credential.Handle, "hanging while it is revoked");
        }
    }

    /// <summary>A target that is slow is waited for, and asked once.</summary>
    [Test]
    public async Task Waits_for_a_slow_target()
    {
        await using var subject = await CreateAsync();
        if (!subject.Faults.Contains(TargetFault.Slow)) Assert.Pass("A target of this kind cannot be slow.");
        foreach (var role in Examples(subject))
        {
            await using var run = new ConformanceRun(subject);
            await run.IssueAsync(run.NewRequest(role));
            var before = subject.CreatingCalls;
            await run.IssueAsync(run.NewRequest(role));
            var usual = subject.CreatingCalls - before;

            await using var slow = await subject.MisbehaveAsync(TargetFault.Slow, 0);
            var request = run.NewRequest(role);
            before = subject.CreatingCalls;
            var credential = await run.IssueAsync(request);
            Assert.That(subject.CreatingCalls - before, Is.EqualTo(usual), "no call that creates is repeated");
            Assert.That(slow.Met.IsCompleted);
            Assert.That(await subject.IsAcceptedAsync(credential));
            await AssertEndsAsync(run, request, credential.Handle, "slow");
            Assert.That(await subject.IsAcceptedAsync(credential), Is.False);
        }
    }

    /// <summary>What is compared with an instant at the target is compared with the target's clock, not with the broker's.</summary>
    [Test]
    public async Task Judges_by_the_target_s_clock()
    {
        await using var subject = await CreateAsync();
        if (!subject.Faults.Contains(TargetFault.ClockBehind)) Assert.Pass("A target of this kind has no clock of its own.");
        foreach (var role in Examples(subject))
        {
            await using var run = new ConformanceRun(subject);
            await using var behind = await subject.MisbehaveAsync(TargetFault.ClockBehind, 0);
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            Assert.That(await subject.IsAcceptedAsync(credential));
            await AssertEndsAsync(run, request, credential.Handle, "with another clock");
            Assert.That(await subject.IsAcceptedAsync(credential), Is.False);

            // Past by the broker's clock, and not by the target's.
            var unknown = run.NewRequest(role);
            var arrival = subject.Context.Time.GetUtcNow() - Misbehaviour.ClockOffset + TimeSpan.FromSeconds(4);
            var revoking = run.Revoking(unknown, null, arrival);
            Assert.That(await run.RevokeAsync(revoking), Is.InstanceOf<RevokeOutcome.Settling>(), "it may still arrive, by the target's clock");
            if (await run.RevokeUntilDeadAsync(revoking) is RevokeOutcome.Gone gone)
                Assert.That(gone.Evidence.ObservedAt, Is.GreaterThanOrEqualTo(arrival), "it was observed by the target's clock");
        }

        foreach (var role in subject.Roles.Where(role => KindOf(subject, role).RevocabilityOf(role.Template).Kind == RevocabilityKind.ExpiresOnly))
        {
            await using var run = new ConformanceRun(subject);
            await using var behind = await subject.MisbehaveAsync(TargetFault.ClockBehind, 0);
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            await subject.PassTimeAsync(credential.ExpiresAt - (Misbehaviour.ClockOffset / 2));
            var outcome = await run.RevokeAsync(run.Revoking(request, credential.Handle));
            Assert.That(outcome, Is.InstanceOf<RevokeOutcome.ExpiresAt>().Or.InstanceOf<RevokeOutcome.Settling>(), "it lives, by the target's clock");
            await AssertEndsAsync(run, request, credential.Handle, "past its expiry");
        }
    }

    // Lets the target fail each of the creating calls in its turn, until an issue needs no more of them.
    private async Task ForEachStepAsync(TargetFault fault, Action<ProviderUnderTest, Exception, int, int> assert)
    {
        await using var subject = await CreateAsync();
        if (!subject.Faults.Contains(fault)) Assert.Pass("This fault cannot be at a target of this kind.");
        foreach (var role in Examples(subject))
        {
            for (var sparing = 0; ; sparing++)
            {
                Assert.That(sparing, Is.LessThan(MostSteps));
                await using var run = new ConformanceRun(subject);
                var request = run.NewRequest(role);
                var journal = new TestJournal();
                var before = subject.CreatingCalls;
                IssuedCredential? credential = null;
                Exception? failure = null;
                await using (await subject.MisbehaveAsync(fault, sparing))
                {
                    try
                    {
                        credential = await run.IssueAsync(request, journal);
                    }
                    catch (Exception e)
                    {
                        failure = e;
                    }
                }

                var what = string.Create(CultureInfo.InvariantCulture, $"{role.Kind}, {fault} after {sparing} creating calls");
                if (failure is not null)
                {
                    assert(subject, failure, subject.CreatingCalls - before, sparing);
                    await AssertTellsNoSecretAsync(subject, failure, null);
                    await AssertEndsAsync(run, request, journal.Handle, what);
                    continue;
                }

                Assert.That(sparing, Is.GreaterThan(0), "issuing takes a creating call, and meets with the fault");
                Assert.That(await subject.IsAcceptedAsync(credential!), what);
                await AssertRevokesAfterAsync(subject, fault, request, credential!, what);
                break;
            }
        }
    }

    // The same fault while it is revoked: it is told, nothing is claimed, and the next attempt ends it.
    private static async Task AssertRevokesAfterAsync(ProviderUnderTest subject, TargetFault fault, IssueRequest request, IssuedCredential credential, string what)
    {
        await using var run = new ConformanceRun(subject);
        var role = KindOf(subject, new RoleExample(request.RoleKind, request.Template));
        await using (await subject.MisbehaveAsync(fault, 0))
        {
            try
            {
                var outcome = await run.RevokeAsync(run.Revoking(request, credential.Handle));
                if (outcome is RevokeOutcome.Gone) Assert.That(await subject.IsAcceptedAsync(credential), Is.False, what);
                if (fault != TargetFault.AnswerLost && role.RevocabilityOf(request.Template).Kind != RevocabilityKind.ExpiresOnly)
                    Assert.Fail($"{what}: a revocation that the target refused was answered with {outcome}.");
            }
            catch (ProviderException e)
            {
                var expected = fault switch
                {
                    TargetFault.Throttled => ProviderFault.Throttled,
                    TargetFault.Denied => ProviderFault.Denied,
                    _ => ProviderFault.Unreachable,
                };
                Assert.That(e.Fault, Is.EqualTo(expected), what);
                await AssertTellsNoSecretAsync(subject, e, credential);
                if (fault == TargetFault.Throttled) Assert.That(e.RetryAfter, Is.EqualTo(subject.RetryAfter), what);
            }
        }

        await AssertEndsAsync(run, request, credential.Handle, what);
        Assert.That(await subject.IsAcceptedAsync(credential), Is.False, what);
    }

    private static void AssertRefused(ProviderUnderTest subject, Exception failure, ProviderFault fault, int made, int sparing)
    {
        Assert.That((failure as ProviderException)?.Fault, Is.EqualTo(fault), failure.ToString());
        var told = (ProviderException)failure;
        if (sparing == 0) Assert.That(told.Effect, Is.EqualTo(ProviderEffect.None), "the first call was refused, so nothing was made");
        if (fault == ProviderFault.Throttled) Assert.That(told.RetryAfter, Is.EqualTo(subject.RetryAfter), "as long as the target asked for");
        Assert.That(made, Is.LessThanOrEqualTo(sparing + 1), "a call that creates is not repeated, and none follows it");
    }

    private static async Task AssertEndsAsync(ConformanceRun run, IssueRequest request, Handle? handle, string what)
    {
        var outcome = await run.RevokeUntilDeadAsync(run.Revoking(request, handle));
        Assert.That(outcome, Is.InstanceOf<RevokeOutcome.Gone>().Or.InstanceOf<RevokeOutcome.Expired>(), what);
        Assert.That(await run.Subject.LivesAsync(request.ExternalName), Is.False, what);
        if (outcome is RevokeOutcome.Gone) await AssertNotListedAsync(run, request.ExternalName);
    }

    // Neither the credential's secrets nor the broker's own stand in an error or in what caused it.
    private static async Task AssertTellsNoSecretAsync(ProviderUnderTest subject, Exception failure, IssuedCredential? credential)
    {
        var secrets = credential is null ? [] : subject.SecretFields.Where(credential.Fields.ContainsKey).Select(field => credential.Fields[field].Value.Reveal()).ToList();
        foreach (var use in subject.Type.SecretsOf(subject.Configuration))
            secrets.Add((await subject.Context.ResolveSecretAsync(use.Reference, CancellationToken.None)).Reveal());
        var told = failure.ToString();
        Assert.That(secrets.Where(secret => told.Contains(secret, StringComparison.Ordinal)), Is.Empty);
    }

    private static async Task<Exception> CancelAsync(Misbehaviour hangs, Func<CancellationToken, Task> call)
    {
        using var cancelled = new CancellationTokenSource();
        var running = call(cancelled.Token);
        await Task.WhenAny(running, hangs.Met).WaitAsync(Patience, TimeProvider.System);
        Assert.That(running.IsCompleted, Is.False, "the call hangs");
        await cancelled.CancelAsync();
        await Task.WhenAny(running).WaitAsync(Patience, TimeProvider.System);
        return await ConformanceRun.FailureOfAsync(() => running);
    }
}

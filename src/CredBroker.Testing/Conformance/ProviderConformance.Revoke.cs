using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

public abstract partial class ProviderConformance
{
    /// <summary>What was revoked is unusable, by the target's own word, and what it opened is cut if that was declared.</summary>
    [Test]
    public async Task Revokes_what_it_issued()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        foreach (var role in subject.Roles)
        {
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            var lives = await subject.OpenAsync(credential);
            var cuts = KindOf(subject, role).RevocabilityOf(role.Template).Kind == RevocabilityKind.DeletesAndCutsSessions;
            if (cuts) Assert.That(lives is not null, "who declares to cut sessions must show one being cut");

            AssertGone(await run.RevokeUntilDeadAsync(run.Revoking(request, credential.Handle)), identity);
            Assert.That(await subject.IsAcceptedAsync(credential), Is.False, "the target refuses it");
            if (cuts) Assert.That(await lives!(), Is.False, "what it opened is cut");
        }
    }

    /// <summary>Revoking again changes nothing.</summary>
    [Test]
    public async Task Revokes_twice()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            AssertGone(await run.RevokeUntilDeadAsync(run.Revoking(request, credential.Handle)), identity);
            AssertGone(await run.RevokeUntilDeadAsync(run.Revoking(request, credential.Handle)), identity);
        }
    }

    /// <summary>The name alone is enough.</summary>
    [Test]
    public async Task Revokes_by_name_without_a_handle()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            AssertGone(await run.RevokeUntilDeadAsync(run.Revoking(request, null)), identity);
            Assert.That(await subject.IsAcceptedAsync(credential), Is.False, "the target refuses it");
        }
    }

    /// <summary>Past every late effect, what is not there is gone.</summary>
    [Test]
    public async Task Revokes_what_never_was()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        foreach (var role in Examples(subject)) AssertGone(await run.RevokeUntilDeadAsync(run.Revoking(run.NewRequest(role), null)), identity);
    }

    /// <summary>Before that, what is not there may still arrive: it is not gone until then, and nothing is left over afterwards.</summary>
    [Test]
    public async Task Waits_for_what_may_still_arrive()
    {
        await using var subject = await CreateAsync();
        if (subject.Type.Local) Assert.Pass("Nothing of a local provider can arrive late.");
        await using var run = new ConformanceRun(subject);
        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            var arrival = subject.Context.Time.GetUtcNow().AddSeconds(4);
            var revoking = run.Revoking(request, null, arrival);
            Assert.That(await run.RevokeAsync(revoking), Is.InstanceOf<RevokeOutcome.Settling>());
            var dead = await run.RevokeUntilDeadAsync(revoking);
            AssertGone(dead, identity);
            if (dead is RevokeOutcome.Gone gone) Assert.That(gone.Evidence.ObservedAt, Is.GreaterThanOrEqualTo(arrival));
            await AssertNotListedAsync(run, request.ExternalName);
        }
    }

    /// <summary>A call that arrives after the look finds no way to live.</summary>
    [Test]
    public async Task Ends_what_arrives_late()
    {
        await using var subject = await CreateAsync();
        if (subject.Type.Local) Assert.Pass("Nothing of a local provider can arrive late.");
        await using var run = new ConformanceRun(subject);
        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            var revoking = run.Revoking(request, null, subject.Context.Time.GetUtcNow().AddSeconds(4));
            await run.RevokeAsync(revoking);
            IssuedCredential? late = null;
            try
            {
                late = await run.IssueAsync(request);
            }
            catch (ProviderException)
            {
                // Even better: it was refused.
            }

            AssertGone(await run.RevokeUntilDeadAsync(revoking), identity);
            if (late is not null) Assert.That(await subject.IsAcceptedAsync(late), Is.False);
            await AssertNotListedAsync(run, request.ExternalName);
        }
    }

    /// <summary>Wherever a revocation stopped, it is finished.</summary>
    [Test]
    public async Task Finishes_from_every_half_way_state()
    {
        await using var subject = await CreateAsync();
        if (subject.Type.Local) Assert.Pass("There is no half-way within our own store.");
        await using var run = new ConformanceRun(subject);
        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        foreach (var halfWay in subject.HalfWays)
        {
            var request = run.NewRequest(halfWay.Role ?? subject.Roles[0]);
            var credential = await run.IssueAsync(request);
            var lives = await subject.OpenAsync(credential);
            await halfWay.Bring(request);
            AssertGone(await run.RevokeUntilDeadAsync(run.Revoking(request, credential.Handle)), identity, halfWay.Name);
            Assert.That(await subject.IsAcceptedAsync(credential), Is.False, halfWay.Name);
            if (lives is not null) Assert.That(await lives(), Is.False, halfWay.Name);
        }
    }

    /// <summary>Another target's "not there" proves nothing, and is not said.</summary>
    [Test]
    public async Task Proves_nothing_at_another_target()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        await using var elsewhere = await subject.ConnectElsewhereAsync();
        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            if (credential.Handle is { } handle)
            {
                var failure = await ConformanceRun.FailureOfAsync(() => run.RevokeAsync(elsewhere, run.Revoking(request, handle)));
                Assert.That((failure as ProviderException)?.Fault, Is.EqualTo(ProviderFault.TargetMismatch), failure.ToString());
                Assert.That(await subject.IsAcceptedAsync(credential), "it was not touched");
            }

            var other = run.NewRequest(role);
            var outcome = await run.RevokeAsync(elsewhere, run.Revoking(other, null));
            Assert.That(outcome.TargetIdentity, Is.Not.EqualTo(identity));
        }
    }

    /// <summary>What has our name without our mark is reported and left alone.</summary>
    [Test]
    public async Task Leaves_alone_what_does_not_carry_the_mark()
    {
        await using var subject = await CreateAsync();
        if (subject.Type.Local) Assert.Pass("A local provider makes nothing that could carry a mark.");
        await using var run = new ConformanceRun(subject);
        foreach (var role in Examples(subject).Where(role => role.NamesAreExclusive))
        {
            var request = run.NewRequest(role);
            await subject.PlantAsync(role, request.ExternalName);
            var failure = await ConformanceRun.FailureOfAsync(() => run.RevokeAsync(run.Revoking(request, null)));
            Assert.That((failure as ProviderException)?.Fault, Is.EqualTo(ProviderFault.Credential), failure.ToString());
            Assert.That(await subject.IsPlantedAsync(request.ExternalName));
        }
    }

    /// <summary>A name or a mark that is not one of ours reaches no target.</summary>
    [Test]
    public async Task Refuses_hostile_names_and_marks()
    {
        await using var subject = await CreateAsync();
        if (subject.Type.Local) Assert.Pass("A local provider sends no name to a target.");
        await using var run = new ConformanceRun(subject);
        string[] hostile = ["", "x\"; DROP ROLE postgres; --", "'", "a\nb", "a\0b", "../../x", "$cb$", "a\u202Eb", new('a', 100_000)];
        foreach (var role in Examples(subject))
        {
            foreach (var text in hostile)
            {
                var request = run.NewRequest(role) with { ExternalName = text };
                Assert.That(await ConformanceRun.FailureOfAsync(() => run.IssueAsync(request)), Is.Not.Null);
                var revoking = run.Revoking(request, null);
                Assert.That(await ConformanceRun.FailureOfAsync(() => run.RevokeAsync(revoking)), Is.InstanceOf<ProviderException>());
                run.Forget(revoking);
                var marked = run.NewRequest(role) with { Mark = text };
                Assert.That(await ConformanceRun.FailureOfAsync(() => run.IssueAsync(marked)), Is.Not.Null);
                await AssertNotListedAsync(run, marked.ExternalName);
            }
        }
    }

    private static void AssertGone(RevokeOutcome outcome, string identity, string what = "")
    {
        Assert.That(outcome.TargetIdentity, Is.EqualTo(identity), what);
        switch (outcome)
        {
            case RevokeOutcome.Gone { Evidence: var evidence }:
                Assert.That(evidence.Kind, Does.Match(@"\A[a-z][a-z0-9_]{1,62}\z"));
                Assert.That(evidence.Text, Is.Not.Empty.And.Length.LessThan(2000));
                break;
            case RevokeOutcome.Expired:
                break;
            default:
                throw new AssertionException($"{what} It should be dead, and is {outcome}.");
        }
    }
}

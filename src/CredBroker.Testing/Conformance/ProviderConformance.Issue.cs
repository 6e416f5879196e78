using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

public abstract partial class ProviderConformance
{
    /// <summary>A credential has the fields that were declared, works, and ends no later than asked.</summary>
    [Test]
    public async Task Issues_what_works_and_ends_in_time()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        foreach (var role in subject.Roles)
        {
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            Assert.That(credential.Fields.Keys, Is.EquivalentTo(KindOf(subject, role).CredentialFieldsOf(role.Template)));
            if (role.HasSecret) Assert.That(SecretFieldsOf(subject, credential), Is.Not.Empty, "something of it is secret");
            Assert.That(credential.ExpiresAt, Is.LessThanOrEqualTo(request.ExpiresAt).And.GreaterThan(subject.Context.Time.GetUtcNow()));
            Assert.That(await subject.IsAcceptedAsync(credential), "the target accepts it");
        }
    }

    /// <summary>Two credentials of the same role are two.</summary>
    [Test]
    public async Task Issues_a_secret_of_its_own_each_time()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        var first = await run.IssueAsync(run.NewRequest(subject.Roles[0]));
        var second = await run.IssueAsync(run.NewRequest(subject.Roles[0]));
        foreach (var field in SecretFieldsOf(subject, first))
            Assert.That(first.Fields[field].Value.Reveal(), Is.Not.EqualTo(second.Fields[field].Value.Reveal()));
    }

    /// <summary>The target, or the provider just before it sends, refuses to act past the deadline; that nothing was made is definite.</summary>
    [Test]
    public async Task Makes_nothing_past_the_deadline()
    {
        await using var subject = await CreateAsync();
        if (subject.Type.Local) Assert.Pass("Nothing of a local provider can arrive late.");
        await using var run = new ConformanceRun(subject);
        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            request = request with { Deadline = subject.Context.Time.GetUtcNow().AddMinutes(-1) };
            var failure = await ConformanceRun.FailureOfAsync(() => run.IssueAsync(request));
            Assert.That((failure as ProviderException)?.Effect, Is.EqualTo(ProviderEffect.None), failure.ToString());
            await AssertNotListedAsync(run, request.ExternalName);
        }
    }

    /// <summary>A call that is cancelled leaves nothing that revoking by name does not end.</summary>
    [Test]
    public async Task Leaves_nothing_that_cannot_be_ended_when_it_is_cancelled()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            using var cancelled = new CancellationTokenSource();
            await cancelled.CancelAsync();
            var failure = await ConformanceRun.FailureOfAsync(() => run.IssueAsync(request, cancelled.Token));
            Assert.That(failure, Is.InstanceOf<ProviderException>().Or.InstanceOf<OperationCanceledException>());
            Assert.That(await run.RevokeUntilDeadAsync(run.Revoking(request, null)), Is.InstanceOf<RevokeOutcome.Gone>().Or.InstanceOf<RevokeOutcome.Expired>());
        }
    }

    /// <summary>A name that is taken is a definite refusal, and who has it keeps it.</summary>
    [Test]
    public async Task Refuses_a_name_that_is_taken()
    {
        await using var subject = await CreateAsync();
        if (subject.Type.Local) Assert.Pass("A local provider makes nothing at a target that has a name there.");
        await using var run = new ConformanceRun(subject);
        foreach (var role in Examples(subject).Where(role => role.NamesAreExclusive))
        {
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            var failure = await ConformanceRun.FailureOfAsync(() => run.IssueAsync(request));
            Assert.That((failure as ProviderException)?.Effect, Is.EqualTo(ProviderEffect.None), failure.ToString());
            Assert.That(await subject.IsAcceptedAsync(credential), "the first one still works");
        }
    }

    /// <summary>Nothing but the credential's own fields holds the secret.</summary>
    [Test]
    public async Task Keeps_the_secret_out_of_handles_evidence_and_errors()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            var told = new List<string> { credential.ToString(), credential.Handle?.Value ?? "" };
            if (!subject.Type.Local) told.Add((await ConformanceRun.FailureOfAsync(() => run.IssueAsync(request with { Deadline = subject.Context.Time.GetUtcNow().AddMinutes(-1) }))).ToString());
            var dead = await run.RevokeUntilDeadAsync(run.Revoking(request, credential.Handle));
            told.Add(dead is RevokeOutcome.Gone gone ? gone.Evidence.ToString() : dead.ToString());
            Assert.That(credential.Handle?.Value.Length ?? 0, Is.LessThanOrEqualTo(Handle.MaxLength));
            foreach (var secret in SecretFieldsOf(subject, credential).Select(field => credential.Fields[field].Value.Reveal()))
                Assert.That(told.Where(text => text.Contains(secret, StringComparison.Ordinal)), Is.Empty);
        }
    }

    /// <summary>A live credential's end moves as asked; a dead one's does not.</summary>
    [Test]
    public async Task Renews_what_is_live_and_nothing_else()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        if (run.Provider is not IRenewingProvider renewing)
        {
            Assert.That(subject.Abilities.Renews, Is.False);
            return;
        }

        foreach (var role in Examples(subject))
        {
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            var now = subject.Context.Time.GetUtcNow();
            var renewal = new RenewRequest(request.LeaseId, request.ExternalName, credential.Handle, request.RoleKind, now.AddMinutes(30), now.AddSeconds(30));
            if (!role.Renewable)
            {
                var refusal = await ConformanceRun.FailureOfAsync(() => renewing.RenewAsync(renewal, CancellationToken.None));
                Assert.That((refusal as ProviderException)?.Fault, Is.EqualTo(ProviderFault.NotSupported), refusal.ToString());
                continue;
            }

            var renewed = await renewing.RenewAsync(renewal, CancellationToken.None);
            Assert.That(renewed, Is.GreaterThan(credential.ExpiresAt).And.LessThanOrEqualTo(renewal.ExpiresAt));
            Assert.That(await subject.IsAcceptedAsync(credential), "it still works");

            await run.RevokeUntilDeadAsync(run.Revoking(request, credential.Handle));
            var failure = await ConformanceRun.FailureOfAsync(
                () => renewing.RenewAsync(renewal with { Deadline = subject.Context.Time.GetUtcNow().AddSeconds(30) }, CancellationToken.None));
            Assert.That(failure, Is.InstanceOf<ProviderException>());
            Assert.That(await subject.IsAcceptedAsync(credential), Is.False);
        }
    }

    /// <summary>A listing has everything that is outstanding, with its mark, and nothing that is gone.</summary>
    [Test]
    public async Task Lists_all_that_is_outstanding()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        if (run.Provider is not IListingProvider listing)
        {
            Assert.That(subject.Abilities.Lists, Is.False);
            return;
        }

        Assert.That(subject.Roles.Where(role => role.Listed), Is.Not.Empty, "who lists has a role whose credentials are listed");
        foreach (var role in Examples(subject).Where(role => role.Listed))
        {
            var requests = Enumerable.Range(0, 5).Select(_ => run.NewRequest(role)).ToList();
            var credentials = new List<IssuedCredential>();
            foreach (var request in requests) credentials.Add(await run.IssueAsync(request));
            var planted = run.NewRequest(role);
            if (role.NamesAreExclusive) await subject.PlantAsync(role, planted.ExternalName);

            // What can only expire ends together with the others.
            var gone = KindOf(subject, role).RevocabilityOf(role.Template).Kind == RevocabilityKind.ExpiresOnly ? 0 : 1;
            if (gone == 1) await run.RevokeUntilDeadAsync(run.Revoking(requests[0], credentials[0].Handle));

            var listed = await ListAsync(listing);
            foreach (var request in requests.Skip(gone)) Assert.That(listed[request.ExternalName].Mark, Is.EqualTo(request.Mark));
            foreach (var request in requests.Take(gone)) Assert.That(listed, Does.Not.ContainKey(request.ExternalName));
            if (role.NamesAreExclusive) Assert.That(listed[planted.ExternalName].Mark, Is.Not.EqualTo(planted.Mark));
        }
    }

    /// <summary>
    /// Whoever reads a listing takes what is not in it for gone, if its kind is one of those that the listing covers: so all that lives of these is in it, even where a revocation
    /// stopped half-way, and what is not is dead once it has had its time to settle.
    /// </summary>
    [Test]
    public async Task Covers_by_its_listing_the_kinds_that_it_says()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        if (run.Provider is not IListingProvider listing)
        {
            Assert.That(subject.Abilities.Lists, Is.False);
            return;
        }

        Assert.That(listing.ListedKinds, Is.Not.Empty.And.Unique.And.SubsetOf(subject.Type.RoleKinds.Select(kind => kind.Name)));
        Assert.That(subject.Roles.Where(role => !role.Listed && listing.ListedKinds.Contains(role.Kind)), Is.Empty, "what is covered is listed");
        foreach (var halfWay in subject.HalfWays)
        {
            var role = halfWay.Role ?? subject.Roles[0];
            if (!listing.ListedKinds.Contains(role.Kind)) continue;
            var request = run.NewRequest(role);
            var credential = await run.IssueAsync(request);
            await halfWay.Bring(request);
            if ((await ListAsync(listing)).ContainsKey(request.ExternalName)) continue;
            await subject.PassTimeAsync(subject.Context.Time.GetUtcNow() + KindOf(subject, role).RevocabilityOf(role.Template).SettlesWithin);
            Assert.That(await subject.IsAcceptedAsync(credential), Is.False, $"{halfWay.Name}: it is not in the listing, and lives");
        }
    }

    /// <summary>A look at one credential finds it while it is there, at the target that it was made at, and does it no harm.</summary>
    [Test]
    public async Task Probes_without_touching()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        if (run.Provider is not IProbingProvider probing)
        {
            Assert.That(subject.Abilities.Probes, Is.False);
            return;
        }

        var identity = (await run.Provider.CheckAsync(CancellationToken.None)).TargetIdentity;
        foreach (var role in Examples(subject))
        {
            var (request, never) = (run.NewRequest(role), run.NewRequest(role));
            var credential = await run.IssueAsync(request);
            var revoking = run.Revoking(request, credential.Handle);
            Assert.That(await probing.ProbeAsync(revoking, CancellationToken.None), Is.EqualTo(new ProbeOutcome(identity, true)));
            Assert.That(await probing.ProbeAsync(run.Revoking(never, null), CancellationToken.None), Is.EqualTo(new ProbeOutcome(identity, false)));
            Assert.That(await subject.IsAcceptedAsync(credential), Is.True, "it was only looked at");
            if (KindOf(subject, role).RevocabilityOf(role.Template).Kind is not (RevocabilityKind.Deletes or RevocabilityKind.DeletesAndCutsSessions)) continue;
            await run.RevokeUntilDeadAsync(revoking);
            Assert.That(await probing.ProbeAsync(revoking, CancellationToken.None), Is.EqualTo(new ProbeOutcome(identity, false)));
        }
    }

    private static async Task AssertNotListedAsync(ConformanceRun run, string externalName)
    {
        if (run.Provider is IListingProvider listing) Assert.That(await ListAsync(listing), Does.Not.ContainKey(externalName));
    }

    private static async Task<Dictionary<string, OutstandingCredential>> ListAsync(IListingProvider listing)
    {
        var listed = new Dictionary<string, OutstandingCredential>(StringComparer.Ordinal);
        await foreach (var outstanding in listing.ListAsync(CancellationToken.None)) listed.Add(outstanding.ExternalName, outstanding);
        return listed;
    }
}

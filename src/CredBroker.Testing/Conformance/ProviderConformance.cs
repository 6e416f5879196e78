using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>
/// What every provider must do. Derive a fixture, and give it a provider in front of a real target or of the best likeness of one. The tests
/// share nothing and may run at once.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
public abstract partial class ProviderConformance
{
    /// <summary>A provider in front of a target of its own, or at least with names and groups of its own there.</summary>
    protected abstract Task<ProviderUnderTest> CreateAsync();

    /// <summary>A suite that was given nothing would pass everything.</summary>
    [Test]
    public async Task Is_given_what_it_needs()
    {
        await using var subject = await CreateAsync();
        Assert.Multiple(() =>
        {
            Assert.That(subject.Roles, Is.Not.Empty);
            Assert.That(subject.BadRoles, Is.Not.Empty);
            Assert.That(subject.BadConfigurations, Is.Not.Empty);
            Assert.That(subject.SecretFields, Is.Not.Empty);
            Assert.That(subject.Roles.Select(role => role.Kind).Distinct(), Is.EquivalentTo(subject.Type.RoleKinds.Select(kind => kind.Name)), "a role for every kind");
            if (subject.Type.Local) return;
            Assert.That(subject.HalfWays, Is.Not.Empty);
            Assert.That(subject.Faults.Concat(subject.ImpossibleFaults.Keys), Is.EquivalentTo(Enum.GetValues<TargetFault>()), "every fault of a target, or why it cannot be");
            Assert.That(subject.ImpossibleFaults.Values, Has.None.Empty);
        });
    }

    /// <summary>Abilities are interfaces, and are what was declared.</summary>
    [Test]
    public async Task Can_do_what_it_declares()
    {
        await using var subject = await CreateAsync();
        await using var provider = subject.Connect();
        Assert.That(provider is IListingProvider, Is.EqualTo(subject.Abilities.Lists));
        Assert.That(provider is IProbingProvider, Is.EqualTo(subject.Abilities.Probes));
        Assert.That(provider is IRenewingProvider, Is.EqualTo(subject.Abilities.Renews));
        var groups = subject.Roles.Select(role => KindOf(subject, role).ExclusiveGroupOf(role.Template)).OfType<ExclusiveGroup>().ToList();
        Assert.That(provider is IGroupRevokingProvider, Is.EqualTo(groups.Count > 0), "who revokes in groups has role kinds with groups, and the other way round");
        foreach (var group in groups) Assert.That(group.WhyNot(), Is.Null);
    }

    /// <summary>Names are usable as names, and everything is described.</summary>
    [Test]
    public async Task Names_and_schemas_are_sane()
    {
        await using var subject = await CreateAsync();
        var type = subject.Type;
        Assert.That(type.Name, Does.Match(@"\A[a-z][-a-z0-9]{0,62}\z"));
        Assert.That(type.Description, Is.Not.Empty);
        Assert.That(type.NameSeparator, Is.EqualTo('-').Or.EqualTo('_'));
        Assert.That(type.LateEffect, Is.GreaterThanOrEqualTo(TimeSpan.Zero));
        Assert.That(type.ConfigurationSchema["type"]!.ToJsonString(), Does.Contain("object"));
        Assert.That(type.RoleKinds.Select(kind => kind.Name), Is.Unique);
        foreach (var kind in type.RoleKinds)
        {
            Assert.That(kind.Name, Does.Match(@"\A[a-z][-a-z0-9]{0,62}\z"));
            Assert.That(kind.Description, Is.Not.Empty);
            Assert.That(kind.CredentialFields, Is.Not.Empty.And.Unique);
            Assert.That(kind.TemplateSchema["type"]!.ToJsonString(), Does.Contain("object"));
        }

        foreach (var role in subject.Roles)
        {
            var revocability = KindOf(subject, role).RevocabilityOf(role.Template);
            Assert.That(revocability.Kind, Is.EqualTo(RevocabilityKind.DeletesAndCutsSessions).Or.Not.EqualTo(default(RevocabilityKind)));
            Assert.That(revocability.SettlesWithin, Is.GreaterThanOrEqualTo(TimeSpan.Zero));
        }
    }

    /// <summary>What works is valid; what does not is refused with the path of every error.</summary>
    [Test]
    public async Task Refuses_bad_configurations()
    {
        await using var subject = await CreateAsync();
        Assert.That(subject.Type.Validate(subject.Configuration), Is.Empty);
        foreach (var bad in subject.BadConfigurations.Concat(HostileDocuments.MisshapenFrom(subject.Configuration)))
            Assert.That(Errors(() => subject.Type.Validate(bad)), Is.Not.Empty, HostileDocuments.Show(bad));
        foreach (var bad in HostileDocuments.PoisonedFrom(subject.Configuration))
        {
            var errors = Errors(() => subject.Type.Validate(bad));
            Assert.That(errors, Is.Not.Empty, HostileDocuments.Show(bad));
            Assert.That(errors.Sum(error => error.Message.Length + error.Path.Length), Is.LessThan(20_000), "an error does not repeat the value");
        }
    }

    /// <summary>The same for templates, which are checked once more when they are issued from.</summary>
    [Test]
    public async Task Refuses_bad_templates()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        foreach (var role in subject.Roles)
        {
            var kind = KindOf(subject, role);
            Assert.That(kind.Validate(role.Template), Is.Empty);
            foreach (var bad in HostileDocuments.MisshapenFrom(role.Template).Concat(HostileDocuments.PoisonedFrom(role.Template)))
                Assert.That(Errors(() => kind.Validate(bad)), Is.Not.Empty, HostileDocuments.Show(bad));
        }

        foreach (var bad in subject.BadRoles)
        {
            if (Errors(() => KindOf(subject, bad).Validate(bad.Template)).Count > 0) continue;
            var failure = await ConformanceRun.FailureOfAsync(() => run.IssueAsync(run.NewRequest(bad)));
            Assert.That((failure as ProviderException)?.Effect, Is.EqualTo(ProviderEffect.None), HostileDocuments.Show(bad.Template));
        }
    }

    /// <summary>The target says who it is, and says so again.</summary>
    [Test]
    public async Task Check_names_the_target_and_finds_nothing_missing()
    {
        await using var subject = await CreateAsync();
        await using var run = new ConformanceRun(subject);
        var first = await run.Provider.CheckAsync(CancellationToken.None);
        await using var again = subject.Connect();
        var second = await again.CheckAsync(CancellationToken.None);
        await using var elsewhere = await subject.ConnectElsewhereAsync();
        var other = await elsewhere.CheckAsync(CancellationToken.None);
        Assert.That(first.TargetIdentity, Is.Not.Empty);
        Assert.That(second.TargetIdentity, Is.EqualTo(first.TargetIdentity));
        Assert.That(other.TargetIdentity, Is.Not.EqualTo(first.TargetIdentity));
        Assert.That(first.Findings, Is.Not.Empty);
        Assert.That(first.Findings.Where(finding => finding.Level == FindingLevel.Missing), Is.Empty);
    }

    // One role of each sort: every sort of credential, and no sort twice.
    private static IEnumerable<RoleExample> Examples(ProviderUnderTest subject) =>
        subject.Roles.DistinctBy(role => (role.Kind, role.TwoSteps, Grouped: KindOf(subject, role).ExclusiveGroupOf(role.Template) is not null));

    private static IEnumerable<string> SecretFieldsOf(ProviderUnderTest subject, IssuedCredential credential) => subject.SecretFields.Where(credential.Fields.ContainsKey);

    private static RoleKind KindOf(ProviderUnderTest subject, RoleExample role) => subject.Type.RoleKinds.Single(kind => kind.Name == role.Kind);

    private static IReadOnlyList<ValidationError> Errors(Func<IReadOnlyList<ValidationError>> validate)
    {
        try
        {
            return validate();
        }
        catch (Exception e) when (e is not AssertionException)
        {
            throw new AssertionException($"Validation answers with errors and does not throw {e.GetType().Name}.");
        }
    }
}

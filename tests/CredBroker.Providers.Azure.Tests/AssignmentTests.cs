using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Tests.StandIn;

namespace CredBroker.Providers.Azure.Tests;

/// <summary>Azure has one assignment of a role to a principal at a scope: leases count their references to it.</summary>
public sealed class AssignmentTests
{
    [Test]
    public async Task Two_leases_share_an_assignment_and_the_last_one_takes_it_away()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        var (first, second) = (target.NewRequest("role-assignment"), target.NewRequest("role-assignment"));
        var one = await provider.IssueAsync(first, new Journal(), CancellationToken.None);
        var two = await provider.IssueAsync(second, new Journal(), CancellationToken.None);
        Assert.That(one.Fields["assignment_id"].Value.Reveal(), Is.EqualTo(two.Fields["assignment_id"].Value.Reveal()));
        var token = target.Azure.TokenOf(target.ManagedIdentity);

        var outcomes = await target.RevokeUntilDeadAsync(provider, Target.Revoking(first, one.Handle));
        Assert.That(((RevokeOutcome.Gone)outcomes[^1]).Evidence.Kind, Is.EqualTo("reference_removed"));
        Assert.That(await target.ReadsAsync(token), "the other lease holds it");
        Assert.That(target.Azure.LeftOf(first.ExternalName), Is.Empty);

        outcomes = await target.RevokeUntilDeadAsync(provider, Target.Revoking(second, two.Handle));
        Assert.That(((RevokeOutcome.Gone)outcomes[^1]).Evidence.Kind, Is.EqualTo("assignment_absent"));
        Assert.That(await target.ReadsAsync(token), Is.False);
    }

    [Test]
    public async Task Each_lease_of_a_shared_assignment_is_listed_with_its_mark()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        var requests = Enumerable.Range(0, 5).Select(_ => target.NewRequest("role-assignment")).ToList();
        foreach (var request in requests) await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        var listed = new List<OutstandingCredential>();
        await foreach (var outstanding in ((IListingProvider)provider).ListAsync(CancellationToken.None)) listed.Add(outstanding);
        Assert.That(listed.Select(outstanding => (outstanding.ExternalName, outstanding.Mark)), Is.SupersetOf(requests.Select(request => (request.ExternalName, (string?)request.Mark))));

        var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("role-assignment"), new Journal(), CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect), Is.EqualTo((ProviderFault.Throttled, ProviderEffect.None)), "there is room for five");
    }

    [Test]
    public async Task Refuses_a_right_that_the_principal_has_from_somebody_else()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        target.Azure.ByHand(tenant =>
        {
            tenant.Assignments.Add(new AssignmentObject(AzureStandIn.Group, Guid.Parse("0b5c4d1e-0000-4000-8000-00000000bbbb"), AzureStandIn.RoleId(AzureStandIn.Reader), target.ManagedIdentity, "ServicePrincipal", "by hand", DateTimeOffset.UnixEpoch));
            return true;
        });
        var request = target.NewRequest("role-assignment");
        var journal = new Journal();
        var failure = await Failure.OfAsync(() => provider.IssueAsync(request, journal, CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect), Is.EqualTo((ProviderFault.Credential, ProviderEffect.None)));
        Assert.That(failure.Message, Does.Contain("RoleAssignmentExists"));
        await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, journal.Last));
        Assert.That(await target.ReadsAsync(target.Azure.TokenOf(target.ManagedIdentity)), "and leaves it alone");
    }

    [Test]
    public async Task Touches_no_assignment_whose_description_holds_other_text()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        var first = target.NewRequest("role-assignment");
        await provider.IssueAsync(first, new Journal(), CancellationToken.None);
        target.Azure.ByHand(tenant =>
        {
            var at = tenant.Assignments.FindIndex(assignment => assignment.Description == first.Mark);
            tenant.Assignments[at] = tenant.Assignments[at] with { Description = $"{first.Mark} and a note" };
            return true;
        });
        var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("role-assignment"), new Journal(), CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect), Is.EqualTo((ProviderFault.Credential, ProviderEffect.None)));
    }

    [TestCase("8e3af657-a8ff-443c-a75c-2fe8c4bcb635")]
    [TestCase("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9")]
    [TestCase("F58310D9-A9F6-439A-9E8D-F62E7B41A168")]
    public void Never_gives_a_role_that_assigns_roles(string role)
    {
        foreach (var kind in new AzureProviderType().RoleKinds.Where(kind => kind.Name is "app-password" or "app-federated" or "role-assignment"))
        {
            var template = kind.Name switch
            {
                "role-assignment" => $$"""{"principal":"{{AzureStandIn.BlobReader}}","scope":"{{AzureStandIn.Group}}","role":"{{role}}","allowWithoutExpiry":true}""",
                "app-federated" => $$"""{"audience":"https://storage.azure.com","assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{role}}"}]}""",
                _ => $$"""{"assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{role}}"}]}""",
            };
            Assert.That(kind.Validate(System.Text.Json.JsonElement.Parse(template)).Single().Message, Does.Contain("outlives"), kind.Name);
        }
    }
}

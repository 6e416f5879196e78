using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Tests.StandIn;

namespace CredBroker.Providers.Azure.Tests;

/// <summary>Azure says yes before all of it knows.</summary>
public sealed class LagTests
{
    [Test]
    public async Task A_password_that_is_not_listed_yet_is_not_taken_for_gone()
    {
        await using var target = await Target.CreateAsync(new Timing { PasswordIsListed = TimeSpan.FromSeconds(60) });
        await using var provider = target.Connect();
        var request = target.NewRequest("shared-app-password");
        var credential = await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        var started = target.Clock.Target.GetUtcNow();
        var outcomes = await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, credential.Handle));
        var removed = target.Azure.ByHand(tenant => tenant.Applications[target.SharedApplication].RemovedPasswords.Single());
        Assert.That(removed.Removed!.Value - started, Is.LessThan(TimeSpan.FromMinutes(3)), "it is looked for again soon");
        Assert.That(((RevokeOutcome.Gone)outcomes[^1]).Evidence.ObservedAt - removed.Removed.Value, Is.GreaterThanOrEqualTo(TimeSpan.FromHours(23)));
    }

    [Test]
    public async Task Waits_for_what_has_not_spread_and_asks_again()
    {
        await using var target = await Target.CreateAsync(new Timing { ApplicationSpreads = TimeSpan.FromSeconds(6), PrincipalSpreads = TimeSpan.FromSeconds(4) });
        await using var provider = target.Connect();
        var credential = await provider.IssueAsync(target.NewRequest("app-password"), new Journal(), CancellationToken.None);
        Assert.That(await target.IsAcceptedAsync(credential));
        Assert.That(target.Azure.RefusedByLag, Is.GreaterThan(2));
    }

    [Test]
    public async Task Gives_up_in_time_when_a_principal_never_arrives_and_leaves_nothing()
    {
        await using var target = await Target.CreateAsync(new Timing { PrincipalSpreads = TimeSpan.FromHours(1) });
        await using var provider = target.Connect();
        var request = target.NewRequest("app-password");
        var journal = new Journal();
        var failure = await Failure.OfAsync(() => provider.IssueAsync(request, journal, CancellationToken.None));
        Assert.That(failure.Message, Does.Contain("PrincipalNotFound"));
        Assert.That(failure.Effect, Is.EqualTo(ProviderEffect.Unknown), "an application was made");
        Assert.That(target.Clock.Broker.GetUtcNow(), Is.LessThanOrEqualTo(request.Deadline));
        await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, journal.Last, request.Deadline.AddMinutes(2)));
        Assert.That(target.Azure.LeftOf(request.ExternalName), Is.Empty);
    }

    [Test]
    public async Task Removes_what_arrives_after_everything_was_removed()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest("app-password");
        var journal = new Journal();
        await provider.IssueAsync(request, journal, CancellationToken.None);
        var revoking = Target.Revoking(request, journal.Last, target.Clock.Target.GetUtcNow().AddMinutes(2));
        var first = (RevokeOutcome.Settling)await provider.RevokeAsync(revoking, CancellationToken.None);
        // The call that made the assignment was held up somewhere, and is let through now.
        target.Azure.ByHand(tenant =>
        {
            tenant.Assignments.Add(tenant.RemovedAssignments[^1] with { Removed = null });
            return true;
        });
        await target.RevokeUntilDeadAsync(provider, revoking with { Handle = first.Handle });
        Assert.That(target.Azure.LeftOf(request.ExternalName), Is.Empty);
    }

    [Test]
    public async Task A_federated_credential_needs_time_and_the_token_is_asked_for_again()
    {
        await using var target = await Target.CreateAsync(new Timing { FederatedCredentialSpreads = TimeSpan.FromSeconds(9) });
        await using var provider = target.Connect();
        var credential = await provider.IssueAsync(target.NewRequest("app-federated"), new Journal(), CancellationToken.None);
        Assert.That(await target.IsAcceptedAsync(credential));
    }
}

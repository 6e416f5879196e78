using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Tests.StandIn;

namespace CredBroker.Providers.Azure.Tests;

/// <summary>What lives on after a revocation is waited for, or said.</summary>
public sealed class ResidualTests
{
    [Test]
    public async Task A_password_of_a_shared_application_settles_for_as_long_as_a_token_taken_with_it_lives()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        GiveReader(target);
        var request = target.NewRequest("shared-app-password");
        var credential = await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        target.Clock.Advance(TimeSpan.FromSeconds(60));
        var (token, _) = await target.LogInAsync(credential.Fields["client_id"].Value.Reveal(), credential.Fields["client_secret"].Value.Reveal(), continuous: true);
        Assert.That(await target.ReadsAsync(token!));

        var revoking = Target.Revoking(request, credential.Handle);
        var first = (RevokeOutcome.Settling)await provider.RevokeAsync(revoking, CancellationToken.None);
        target.Clock.Advance(TimeSpan.FromHours(23));
        var (refused, codes) = await target.LogInAsync(credential.Fields["client_id"].Value.Reveal(), credential.Fields["client_secret"].Value.Reveal());
        Assert.That(refused, Is.Null, "no new token");
        Assert.That(codes, Is.EqualTo(new[] { 7000215L }));
        Assert.That(await target.ReadsAsync(token!), "the token that was taken before works all the same");

        var outcomes = await target.RevokeUntilDeadAsync(provider, revoking with { Handle = first.Handle });
        Assert.That(outcomes[0], Is.InstanceOf<RevokeOutcome.Settling>(), "which is why it is not gone");
        Assert.That(((RevokeOutcome.Gone)outcomes[^1]).Evidence.Kind, Is.EqualTo("password_absent"));
        Assert.That(await target.ReadsAsync(token!), Is.False, "nothing is left");
    }

    [Test]
    public async Task An_application_is_gone_only_when_its_removed_assignment_no_longer_counts()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest("app-password");
        var credential = await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        target.Clock.Advance(TimeSpan.FromMinutes(1));
        var (token, _) = await target.LogInAsync(credential.Fields["client_id"].Value.Reveal(), credential.Fields["client_secret"].Value.Reveal());
        var revoking = Target.Revoking(request, credential.Handle);
        var first = (RevokeOutcome.Settling)await provider.RevokeAsync(revoking, CancellationToken.None);
        Assert.That(target.Azure.LeftOf(request.ExternalName), Is.Empty, "everything is removed at once");
        Assert.That(await target.ReadsAsync(token!), "and its token still opens what it opened");

        var outcomes = await target.RevokeUntilDeadAsync(provider, revoking with { Handle = first.Handle });
        var gone = (RevokeOutcome.Gone)outcomes[^1];
        Assert.That(await target.ReadsAsync(token!), Is.False);
        Assert.That(gone.Evidence.Kind, Is.EqualTo("application_absent"));
        Assert.That(gone.Evidence.Text, Does.Contain("may live until"), "the token itself lives on, and that is said");
    }

    [Test]
    public async Task A_token_that_was_handed_out_is_over_at_its_end_at_the_latest()
    {
        await using var target = await Target.CreateAsync(new Timing { AssertionTokenLife = TimeSpan.FromMinutes(3) });
        await using var provider = target.Connect();
        var request = target.NewRequest("app-federated");
        var credential = await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        Assert.That(credential.Fields["expires_on"].Value.Reveal(), Is.EqualTo(credential.ExpiresAt.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var outcomes = await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, credential.Handle));
        var gone = (RevokeOutcome.Gone)outcomes[^1];
        Assert.That(gone.Evidence.ObservedAt, Is.LessThanOrEqualTo(credential.ExpiresAt.AddSeconds(1)));
        Assert.That(await target.ReadsAsync(credential.Fields["access_token"].Value.Reveal()), Is.False);
    }

    [Test]
    public async Task A_token_that_lives_longer_than_the_role_allows_is_not_handed_out_and_nothing_is_left()
    {
        await using var target = await Target.CreateAsync(new Timing { AssertionTokenLife = TimeSpan.FromHours(24) });
        await using var provider = target.Connect();
        var request = target.NewRequest("app-federated");
        var journal = new Journal();
        var failure = await Failure.OfAsync(() => provider.IssueAsync(request, journal, CancellationToken.None));
        Assert.That(failure.Message, Does.Contain("maxTokenLife"));
        Assert.That(failure.Effect, Is.EqualTo(ProviderEffect.Unknown));
        await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, journal.Last));
        Assert.That(target.Azure.LeftOf(request.ExternalName), Is.Empty);
    }

    [Test]
    public async Task What_nobody_received_need_not_settle()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest("app-password");
        var journal = new Journal();
        await provider.IssueAsync(request, journal, CancellationToken.None);
        var before = target.Clock.Target.GetUtcNow();
        // The broker died before it stored the answer: what is durable is the journal.
        await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, journal.Last));
        Assert.That(target.Clock.Target.GetUtcNow() - before, Is.LessThan(TimeSpan.FromMinutes(1)));
        Assert.That(target.Azure.LeftOf(request.ExternalName), Is.Empty);
    }

    [Test]
    public async Task Every_kind_says_what_is_left()
    {
        foreach (var kind in new AzureProviderType().RoleKinds)
        {
            await using var target = await Target.CreateAsync();
            var revocability = kind.RevocabilityOf(System.Text.Json.JsonElement.Parse(target.Template(kind.Name)));
            Assert.That(revocability.Residual, Is.Not.Empty, kind.Name);
            Assert.That(revocability.Kind, Is.Not.EqualTo(RevocabilityKind.DeletesAndCutsSessions), kind.Name);
        }
    }

    private static void GiveReader(Target target) => target.Azure.ByHand(tenant =>
    {
        var principal = tenant.PrincipalOf(tenant.Applications[target.SharedApplication].AppId)!;
        tenant.Assignments.Add(new AssignmentObject(AzureStandIn.Group, Guid.Parse("0b5c4d1e-0000-4000-8000-00000000aaaa"), AzureStandIn.RoleId(AzureStandIn.Reader), principal.Id, "ServicePrincipal", null, DateTimeOffset.UnixEpoch));
        return true;
    });
}

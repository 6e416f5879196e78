using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests;

/// <summary>What a database that is away, a server that gives up, and answers that were lost do to the proof.</summary>
internal sealed class RevocationTests
{
    [Test]
    public async Task Is_not_proven_while_the_database_is_away_and_is_once_it_is_back()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var (request, credential) = await IssueAsync(target, provider);
        target.Database.Up = false;
        var failure = await Failure.OfAsync(() => provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None));
        Assert.That(failure.Fault, Is.EqualTo(ProviderFault.Credential), "the cluster is well: only this lease backs off");
        Assert.That(failure.Message, Does.Contain("connection refused"));
        target.Database.Up = true;
        Assert.That(target.Accepts(credential), "the login lived all the while");
        var gone = (RevokeOutcome.Gone)await provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None);
        Assert.That(gone.Evidence.Kind, Is.EqualTo("lease_and_token_absent"));
        Assert.That(target.Database.Logins, Is.Empty);
    }

    [Test]
    public async Task Shows_that_the_server_has_given_up_and_does_not_do_so_itself()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var (request, credential) = await IssueAsync(target, provider);
        target.Database.Up = false;
        target.RevokeLeases(sync: false);
        target.Clock.Broker.Advance(TimeSpan.FromMinutes(15));
        var failure = await Failure.OfAsync(() => provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None));
        Assert.That(failure.Message, Does.Contain("irrevocable").And.Contain("out of retries"));
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Findings, Has.Some.Matches<HealthFinding>(finding => finding!.Subject == "irrevocable leases" && finding.Level == FindingLevel.Warning));
        target.Database.Up = true;
        Assert.That(await provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(target.Database.Logins, Is.Empty);
    }

    [Test]
    public async Task A_token_that_is_gone_proves_nothing_while_its_lease_is_still_queued()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var recorder = Recorder.Of();
        var request = target.NewRequest("dynamic-secret", Target.DynamicSecret);
        var credential = await provider.IssueAsync(request, recorder, CancellationToken.None);
        target.Database.Up = false;

        // The answer of the read was lost: only the token is on record.
        var outcome = await provider.RevokeAsync(Target.Revoking(request, recorder.Handles[0]), CancellationToken.None);
        Assert.That(outcome, Is.InstanceOf<RevokeOutcome.Settling>());
        target.Database.Up = true;
        Assert.That(target.Accepts(credential), "the database was away when the server tried");
        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, recorder.Handles[0])), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(target.Database.Logins, Is.Empty);
    }

    [Test]
    public async Task Without_the_right_to_list_a_lost_lease_counts_as_alive_until_its_time_is_over()
    {
        await using var target = await Target.CreateAsync(Administrator.BrokerPolicy);
        await using var provider = target.Connect(target.Configure(listing: false));
        Assert.That(provider, Is.Not.InstanceOf<IListingProvider>());
        var recorder = Recorder.Of();
        var request = target.NewRequest("dynamic-secret", Target.DynamicSecret);
        var credential = await provider.IssueAsync(request, recorder, CancellationToken.None);
        var first = await provider.RevokeAsync(Target.Revoking(request, recorder.Handles[0]), CancellationToken.None);
        Assert.That(first, Is.InstanceOf<RevokeOutcome.ExpiresAt>(), "honest: it is gone in truth, and that cannot be seen");
        target.Clock.Broker.Advance(TimeSpan.FromSeconds(1));
        target.Lives(request.ExternalName);
        Assert.That(target.Accepts(credential), Is.False);
        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, recorder.Handles[0])), Is.InstanceOf<RevokeOutcome.Expired>());
    }

    [Test]
    public async Task Without_the_right_to_list_a_token_that_is_not_on_record_ends_by_itself()
    {
        await using var target = await Target.CreateAsync(Administrator.BrokerPolicy);
        await using var provider = target.Connect(target.Configure(listing: false));
        var request = target.NewRequest("scoped-token", Target.ScopedToken);
        target.Host.Faults.Next(new StandInFault.LosesAnswer(), Target.Creates);
        var lost = await Failure.OfAsync(() => provider.IssueAsync(request, Recorder.Of(), CancellationToken.None));
        Assert.That(lost.Effect, Is.EqualTo(ProviderEffect.Unknown));
        Assert.That(target.Lives(request.ExternalName));
        var bound = request.Deadline + target.Type.LateEffect;
        Assert.That(await provider.RevokeAsync(Target.Revoking(request, null, bound), CancellationToken.None), Is.InstanceOf<RevokeOutcome.ExpiresAt>());
        target.Clock.Broker.Advance(TimeSpan.FromSeconds(121));
        Assert.That(target.Lives(request.ExternalName), Is.False, "two minutes");
        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, null, bound)), Is.InstanceOf<RevokeOutcome.Expired>());
    }

    [Test]
    public async Task Every_half_way_state_of_an_issue_is_ended_by_another_process()
    {
        foreach (var template in new[] { Target.DynamicSecret, Target.LeasedCertificate })
        {
            for (var step = 0; step < 2; step++)
            {
                await using var target = await Target.CreateAsync();
                await using var dying = target.Connect();
                var recorder = Recorder.Of();
                var request = target.NewRequest("dynamic-secret", template);
                await dying.IssueAsync(request, recorder, CancellationToken.None);
                await using var another = target.Connect();
                Assert.That(await target.RevokeUntilDeadAsync(another, Target.Revoking(request, recorder.Handles[step], request.Deadline + target.Type.LateEffect)), Is.InstanceOf<RevokeOutcome.Gone>());
                Assert.That(target.Lives(request.ExternalName), Is.False);
                Assert.That(target.Database.Logins, Is.Empty);
            }
        }
    }

    [Test]
    public async Task Always_asks_for_a_revocation_in_step_and_never_forces_one()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var (request, credential) = await IssueAsync(target, provider);
        await provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None);
        var revokes = target.Host.Log.All.Where(asked => asked.Path.StartsWith("/v1/sys/leases/revoke", StringComparison.Ordinal)).ToList();
        Assert.That(revokes.Select(asked => asked.Path), Is.EqualTo(new[] { "/v1/sys/leases/revoke" }));
        Assert.That(JsonNode.Parse(revokes[0].Text)!["sync"]!.GetValue<bool>());
    }

    [Test]
    public async Task A_lease_id_that_does_not_belong_to_the_path_is_not_believed()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var foreign = Answers.Json(200, Answers.Envelope(data: new JsonObject { ["username"] = "u", ["password"] = "p" }, leaseId: "aws/creds/admin/someone-elses", renewable: true, duration: 600));
        target.Host.Faults.Next(new StandInFault.Answers(foreign), asked => asked.Path == "/v1/database/creds/app");
        var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("dynamic-secret", Target.DynamicSecret), Recorder.Of(), CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.Unknown)));
    }

    private static async Task<(IssueRequest Request, IssuedCredential Credential)> IssueAsync(Target target, IProvider provider)
    {
        var request = target.NewRequest("dynamic-secret", Target.DynamicSecret);
        var credential = await provider.IssueAsync(request, Recorder.Of(), CancellationToken.None);
        Assert.That(target.Accepts(credential));
        return (request, credential);
    }
}

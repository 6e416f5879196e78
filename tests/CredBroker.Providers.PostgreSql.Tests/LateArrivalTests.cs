using CredBroker.Abstractions;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Tests;

/// <summary>Calls whose answer is lost, and which act afterwards or in between.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class LateArrivalTests
{
    [TestCase(true)]
    [TestCase(false)]
    public async Task A_tombstone_waits_for_a_transaction_in_flight(bool commits)
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        await using var flight = new NpgsqlConnection(target.Database.ConnectionString);
        await flight.OpenAsync();
        await Target.ExecuteAsync(flight, $"BEGIN; CREATE ROLE {request.ExternalName} LOGIN; COMMENT ON ROLE {request.ExternalName} IS '{request.Mark}'");

        var revoking = Target.Revoking(request, null, TimeProvider.System.GetUtcNow().AddSeconds(6));
        var revocation = provider.RevokeAsync(revoking, CancellationToken.None);
        await WaitUntilBlockedAsync(target);
        await Target.ExecuteAsync(flight, commits ? "COMMIT" : "ROLLBACK");

        Assert.That(await revocation, Is.InstanceOf<RevokeOutcome.Settling>());
        Assert.That(await target.Database.ScalarAsync<bool>($"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{request.ExternalName}'"), Is.False);
        var gone = (RevokeOutcome.Gone)await target.RevokeUntilDeadAsync(provider, revoking);
        Assert.That(gone.Evidence.Kind, Is.EqualTo("role_absent"));
        Assert.That(await target.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname = '{request.ExternalName}'"), Is.Zero);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Nothing_is_proven_absent_while_a_transaction_in_flight_holds_its_name_and_a_late_tombstone_is_not_left_behind(bool commits)
    {
        await using var target = await Target.CreateAsync();
        await using var frozen = target.Connect();
        await using var other = target.Connect();
        var request = target.NewRequest();
        await using var flight = new NpgsqlConnection(target.Database.ConnectionString);
        await flight.OpenAsync();
        await Target.ExecuteAsync(flight, $"BEGIN; CREATE ROLE {request.ExternalName} LOGIN; COMMENT ON ROLE {request.ExternalName} IS '{request.Mark}'");
        var arrival = TimeProvider.System.GetUtcNow().AddSeconds(2);
        var revoking = Target.Revoking(request, null, arrival);

        var first = frozen.RevokeAsync(revoking, CancellationToken.None);
        await WaitUntilBlockedAsync(target);
        await target.PassTimeAsync(arrival);
        var second = other.RevokeAsync(revoking, CancellationToken.None);
        await WaitUntilBlockedAsync(target, 2);
        await Target.ExecuteAsync(flight, commits ? "COMMIT" : "ROLLBACK");

        await Task.WhenAll(first, second);
        if (commits) Assert.That(await second, Is.InstanceOf<RevokeOutcome.Settling>(), "it came after all");
        Assert.That(await target.RevokeUntilDeadAsync(other, revoking), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(await target.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname = '{request.ExternalName}'"), Is.Zero);
    }

    [Test]
    public async Task An_attempt_that_was_given_up_leaves_no_tombstone()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        await using var blocker = await BlockAsync(target, request);
        var now = TimeProvider.System.GetUtcNow();
        var revoking = Target.Revoking(request, null, now.AddSeconds(30)) with { Deadline = now.AddSeconds(2) };
        var attempt = provider.RevokeAsync(revoking, CancellationToken.None);
        await WaitUntilBlockedAsync(target);
        await target.PassTimeAsync(revoking.Deadline);
        await Target.ExecuteAsync(blocker, "ROLLBACK");
        Assert.That(await attempt, Is.InstanceOf<RevokeOutcome.Settling>().With.Property(nameof(RevokeOutcome.Settling.Until)).EqualTo(revoking.MayStillArriveUntil), "the call may still arrive");
        Assert.That(await target.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname = '{request.ExternalName}'"), Is.Zero);
    }

    [Test]
    public async Task A_call_that_is_held_up_past_its_deadline_makes_nothing()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        request = request with { Deadline = TimeProvider.System.GetUtcNow().AddSeconds(2) };
        await using var blocker = await BlockAsync(target, request);
        var issue = IssueAsync(provider, request);
        await WaitUntilBlockedAsync(target);
        await target.PassTimeAsync(request.Deadline);
        await Target.ExecuteAsync(blocker, "ROLLBACK");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => issue);
        Assert.That(failure!.Effect, Is.EqualTo(ProviderEffect.None));
        Assert.That(failure.Message, Does.Contain("CB001"));
        Assert.That(await target.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname = '{request.ExternalName}'"), Is.Zero);
    }

    [Test]
    public async Task A_cancelled_call_that_the_server_undid_is_definite()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        await using var blocker = await BlockAsync(target, request);
        using var cancel = new CancellationTokenSource();
        var issue = IssueAsync(provider, request, cancel.Token);
        await WaitUntilBlockedAsync(target);
        await cancel.CancelAsync();
        var failure = await Assert.ThrowsAsync<ProviderException>(() => issue);
        Assert.That(failure!.Effect, Is.EqualTo(ProviderEffect.None));
    }

    [Test]
    public async Task A_call_whose_backend_was_killed_is_not()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        await using var blocker = await BlockAsync(target, request);
        var issue = IssueAsync(provider, request);
        await WaitUntilBlockedAsync(target);
        await target.Database.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{target.Broker.Username}' AND wait_event_type = 'Lock'");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => issue);
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Unreachable, ProviderEffect.Unknown)));
    }

    [Test]
    public async Task A_call_that_takes_longer_than_a_statement_may_is_undone_by_the_server()
    {
        await using var target = await Target.CreateAsync();
        var configuration = System.Text.Json.Nodes.JsonNode.Parse(target.Configuration.GetRawText())!;
        configuration["commandTimeout"] = "1s";
        await using var provider = target.Connect(System.Text.Json.JsonElement.Parse(configuration.ToJsonString()));
        var request = target.NewRequest();
        await using var blocker = await BlockAsync(target, request);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => IssueAsync(provider, request));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Throttled, ProviderEffect.None)));
        Assert.That(
            await provider.RevokeAsync(Target.Revoking(request, null, TimeProvider.System.GetUtcNow().AddSeconds(30)), CancellationToken.None),
            Is.InstanceOf<RevokeOutcome.Settling>(), "the name is still held by somebody else's transaction");
    }

    [Test]
    public async Task A_renewal_does_not_revive_what_was_switched_off()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        var credential = await IssueAsync(provider, request);
        await provider.RevokeAsync(Target.Revoking(request), CancellationToken.None);
        var now = TimeProvider.System.GetUtcNow();
        var renewal = new RenewRequest(request.LeaseId, request.ExternalName, credential.Handle, "login", now.AddHours(1), now.AddSeconds(30));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => ((IRenewingProvider)provider).RenewAsync(renewal, CancellationToken.None));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Credential, ProviderEffect.None)));
        Assert.That(await target.IsAcceptedAsync(credential), Is.False);
    }

    [Test]
    public async Task A_renewal_past_its_deadline_moves_nothing()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        var credential = await IssueAsync(provider, request);
        var now = TimeProvider.System.GetUtcNow();
        var renewal = new RenewRequest(request.LeaseId, request.ExternalName, credential.Handle, "login", now.AddHours(1), now.AddMinutes(-1));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => ((IRenewingProvider)provider).RenewAsync(renewal, CancellationToken.None));
        Assert.That(failure!.Effect, Is.EqualTo(ProviderEffect.None));
        var until = await target.Database.ScalarAsync<DateTime>($"SELECT rolvaliduntil FROM pg_roles WHERE rolname = '{request.ExternalName}'");
        Assert.That(until, Is.EqualTo(credential.ExpiresAt.UtcDateTime));
    }

    private static Task<IssuedCredential> IssueAsync(IProvider provider, IssueRequest request, CancellationToken cancellationToken = default) =>
        provider.IssueAsync(request, NoJournal.Instance, cancellationToken);

    // Somebody else's open transaction on the same name holds up whoever wants it.
    private static async Task<NpgsqlConnection> BlockAsync(Target target, IssueRequest request)
    {
        var connection = new NpgsqlConnection(target.Database.ConnectionString);
        await connection.OpenAsync();
        await Target.ExecuteAsync(connection, $"BEGIN; CREATE ROLE {request.ExternalName} NOLOGIN");
        return connection;
    }

    private static async Task WaitUntilBlockedAsync(Target target, long sessions = 1)
    {
        for (var look = 0; look < 200; look++)
        {
            var sql = $"SELECT count(*) FROM pg_stat_activity, pg_sleep(0.02) WHERE usename = '{target.Broker.Username}' AND wait_event_type = 'Lock'";
            if (await target.Database.ScalarAsync<long>(sql) >= sessions) return;
        }

        Assert.Fail("The broker's statement does not wait.");
    }
}

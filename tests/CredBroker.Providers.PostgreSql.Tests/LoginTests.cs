using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Logins;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Tests;

[Parallelizable(ParallelScope.All)]
public sealed class LoginTests
{
    [Test]
    public void Makes_the_verifier_that_the_rfc_shows()
    {
        // RFC 7677, section 3: user "user", password "pencil".
        var verifier = ScramVerifier.Of("pencil", 4096, Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="));
        Assert.That(verifier, Is.EqualTo(
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="));
    }

    [Test]
    public async Task Makes_a_login_as_the_template_says()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest($$"""{"groups":["{{target.Group}}"],"connectionLimit":1,"scramIterations":777}""");
        var credential = await provider.IssueAsync(request, NoJournal.Instance, CancellationToken.None);
        Assert.That(await target.Database.ScalarAsync<string>($"SELECT rolpassword FROM pg_authid WHERE rolname = '{request.ExternalName}'"), Does.StartWith("SCRAM-SHA-256$777:"));
        Assert.That(await target.Database.ScalarAsync<string>($"SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{request.ExternalName}'"), Is.EqualTo(request.Mark));
        await using var session = await target.OpenAsync(credential);
        Assert.That(await Target.ReadsAsync(session));
        var second = await Assert.ThrowsAsync<PostgresException>(() => target.OpenAsync(credential));
        Assert.That(second!.SqlState, Is.EqualTo(PostgresErrorCodes.TooManyConnections));
        var destination = new LoginRoleKind().DestinationOf(request.Template);
        Assert.That(destination, Is.Empty);
    }

    [Test]
    public async Task Lets_nobody_in_after_its_end()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest() with { ExpiresAt = TimeProvider.System.GetUtcNow().AddSeconds(1) };
        var credential = await provider.IssueAsync(request, NoJournal.Instance, CancellationToken.None);
        await target.PassTimeAsync(credential.ExpiresAt);
        Assert.That(await target.IsAcceptedAsync(credential), Is.False);
    }

    [Test]
    public async Task Reports_a_login_that_was_renamed()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        var credential = await provider.IssueAsync(request, NoJournal.Instance, CancellationToken.None);
        await target.Database.ExecuteAsync($"ALTER ROLE {request.ExternalName} RENAME TO renamed_{target.Context.InstallationId}");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None));
        Assert.That(failure!.Fault, Is.EqualTo(ProviderFault.Credential));
        await target.Database.ExecuteAsync($"DROP ROLE renamed_{target.Context.InstallationId}");
    }

    [Test]
    public async Task Keeps_its_evidence_with_the_targets_clock()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        var credential = await provider.IssueAsync(request, NoJournal.Instance, CancellationToken.None);
        var gone = (RevokeOutcome.Gone)await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, credential.Handle));
        var now = await target.Database.ScalarAsync<DateTime>("SELECT clock_timestamp()");
        Assert.That(gone.Evidence.Kind, Is.EqualTo("role_absent"));
        Assert.That(gone.Evidence.ObservedAt.UtcDateTime, Is.InRange(now.AddMinutes(-1), now));
        Assert.That(gone.TargetIdentity, Does.StartWith("postgresql:").And.EndsWith($"/{target.Database.Name}"));
    }

    [Test]
    public async Task Says_when_it_has_settled_and_holds_the_name_until_then()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest();
        var credential = await provider.IssueAsync(request, NoJournal.Instance, CancellationToken.None);
        var settling = (RevokeOutcome.Settling)await provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None);
        var again = (RevokeOutcome.Settling)await provider.RevokeAsync(Target.Revoking(request), CancellationToken.None);
        Assert.That(again.Until, Is.EqualTo(settling.Until), "the server remembers when it was switched off");
        Assert.That(await target.IsAcceptedAsync(credential), Is.False);
    }
}

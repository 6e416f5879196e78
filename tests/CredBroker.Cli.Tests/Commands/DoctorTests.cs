using CredBroker.Contracts.V1;

namespace CredBroker.Cli.Tests.Commands;

public sealed class DoctorTests : CommandTestBase
{
    [Test]
    public async Task The_doctor_says_what_is_wrong_and_what_to_do_and_escapes_what_others_wrote()
    {
        Assert.That(await ErrorAsync(0, "doctor"), Does.Contain("Nothing is wrong."));
        Broker.State.Diagnosis = new() { Ailments = { new Ailment { Severity = Ailment.Types.Severity.Notice, Code = "review-soon", Subject = "providers/books", What = "Its review is due.", Remedy = "Look at it." } } };
        await OutAsync(0, "doctor");
        Broker.State.Diagnosis.Ailments.Insert(0, new Ailment { Severity = Ailment.Types.Severity.Critical, Code = "revocation-failing", Subject = "providers/books", What = "It fails\u001b[2J.", Remedy = "credbroker provider check books" });
        Assert.That(await OutAsync(8, "doctor"), Is.EqualTo(Lines(
            "critical: providers/books (revocation-failing)", @"  It fails\u001b[2J.", "  -> credbroker provider check books", "notice: providers/books (review-soon)", "  Its review is due.", "  -> Look at it.")));
        Assert.That(await OutAsync(8, "doctor", "-o", "json"), Does.Contain("\"code\": \"revocation-failing\""));
    }

    [Test]
    public async Task A_release_shows_first_what_happens_and_asks()
    {
        Assert.That(await ErrorAsync(0, "quarantine", "show"), Does.Contain("Nothing is in quarantine."));
        Broker.State.Quarantined.Add(new() { Provider = "providers/books", Reason = QuarantinedProvider.Types.Reason.Restored, UnprovenLeases = 5, OverdueLeases = 2 });
        await OutAsync(8, "quarantine", "show");
        string[] args = ["quarantine", "release", "books", "--reason", "looked at"];
        Assert.That(await ErrorAsync(2, args), Does.Contain("2 of them are over by stored time, and are revoked at the target"));
        Assert.That(Broker.State.Quarantined, Has.Count.EqualTo(1));
        await OutAsync(0, [.. args, "--yes"]);
        Assert.That(Broker.State.Quarantined, Is.Empty);
        Assert.That(Broker.State.Requests<ReleaseProviderRequest>().Select(request => request.ValidateOnly), Is.EqualTo(new[] { true, true, false }));
    }

    [Test]
    public async Task Reconciling_says_where_target_and_database_differ()
    {
        Assert.That(await ErrorAsync(0, "reconcile", "books"), Does.Contain("providers/books was never reconciled."));
        Broker.State.Reconciliation = new() { StartTime = new() { Seconds = 1_900_000_000 }, Complete = true, ListedCount = 3 };
        Assert.That(await ErrorAsync(0, "reconcile", "books"), Does.Contain("listed 3 things"));
        Broker.State.Reconciliation.UnknownCount = 1;
        Assert.That(await ErrorAsync(8, "reconcile", "books"), Does.Contain("1 with our mark that no lease knows: was a backup restored? They are never revoked."));
    }
}

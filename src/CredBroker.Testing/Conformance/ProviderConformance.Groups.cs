using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

public abstract partial class ProviderConformance
{
    /// <summary>Several are revoked in one call, and everything that was revoked before stays dead.</summary>
    [Test]
    public async Task Revokes_in_groups_and_keeps_dead_what_was() => await ForEachGroupAsync(async run =>
    {
        var (requests, credentials) = await run.IssueSeveralAsync(5);
        await run.RevokeUntilDeadAsync([requests[0], requests[1]]);
        await AssertAcceptedAsync(run, credentials, [false, false, true, true, true]);
        await run.RevokeUntilDeadAsync([requests[2], requests[3]]);
        await AssertAcceptedAsync(run, credentials, [false, false, false, false, true]);
        await run.RevokeUntilDeadAsync([requests[2], requests[3]]);
        await AssertAcceptedAsync(run, credentials, [false, false, false, false, true]);
    });

    /// <summary>What somebody overwrote, or a write that came late undid, is mended by the next call, whomever that is about.</summary>
    [Test]
    public async Task Mends_a_shared_document_that_was_overwritten() => await ForEachGroupAsync(async run =>
    {
        var (requests, credentials) = await run.IssueSeveralAsync(4);
        await run.RevokeUntilDeadAsync([requests[0], requests[1]]);
        if (!await run.Subject.EmptyGroupAsync(requests[0].Group!)) return;
        await run.RevokeUntilDeadAsync([requests[2]]);
        await AssertAcceptedAsync(run, credentials, [false, false, false, true]);
    });

    /// <summary>What is dead by itself need not stand in the document, and does not.</summary>
    [Test]
    public async Task Forgets_what_is_dead_by_itself() => await ForEachGroupAsync(async run =>
    {
        var (requests, credentials) = await run.IssueSeveralAsync(3);
        await run.RevokeUntilDeadAsync([requests[0], requests[1]]);
        run.Forget(requests[0]);
        await run.RevokeUntilDeadAsync([requests[2]]);
        if (await run.Subject.DeniedInGroupAsync(requests[0].Group!) is { } denied)
            Assert.That(denied, Is.EquivalentTo(requests.Skip(1).Select(request => request.ExternalName)));
        await AssertAcceptedAsync(run, credentials.Skip(1).ToList(), [false, false]);
    });

    /// <summary>One is revoked alone, by its handle: nothing that was denied before is forgotten over it. The broker does so when its store is away.</summary>
    [Test]
    public async Task Revokes_one_of_a_group_alone() => await ForEachGroupAsync(async run =>
    {
        var (requests, credentials) = await run.IssueSeveralAsync(3);
        await run.RevokeUntilDeadAsync([requests[0]]);
        var outcome = await run.Provider.RevokeAsync(requests[1], CancellationToken.None);
        if (outcome is RevokeOutcome.Settling settling) await run.Subject.PassTimeAsync(settling.Until);
        await AssertAcceptedAsync(run, credentials, [false, false, true]);
    });

    /// <summary>There is room for as many as the role kind says.</summary>
    [Test]
    public async Task Has_room_for_as_many_as_it_declares() => await ForEachGroupAsync(async run =>
    {
        var requests = run.Requests(run.Group.Capacity);
        await run.RevokeUntilDeadAsync(requests);
        await run.RevokeUntilDeadAsync([requests[^1]]);
        if (await run.Subject.DeniedInGroupAsync(run.Group.Name) is { } denied)
            Assert.That(denied, Is.EquivalentTo(requests.Select(request => request.ExternalName)));
    });

    private async Task ForEachGroupAsync(Func<GroupRun, Task> act)
    {
        await using var subject = await CreateAsync();
        foreach (var role in subject.Roles)
        {
            if (KindOf(subject, role).ExclusiveGroupOf(role.Template) is not { } group) continue;
            await using var run = new GroupRun(subject, role, group);
            await act(run);
        }
    }

    private static async Task AssertAcceptedAsync(GroupRun run, IReadOnlyList<IssuedCredential> credentials, IReadOnlyList<bool> expected)
    {
        var accepted = new List<bool>();
        foreach (var credential in credentials) accepted.Add(await run.Subject.IsAcceptedAsync(credential));
        Assert.That(accepted, Is.EqualTo(expected));
    }
}

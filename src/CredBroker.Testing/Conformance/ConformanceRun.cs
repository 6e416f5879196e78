using System.Globalization;
using System.Security.Cryptography;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>One provider with the requests of a test, and all that it was told in answer.</summary>
internal sealed class ConformanceRun(ProviderUnderTest subject) : IAsyncDisposable
{
    // Whatever settles must do so within this many looks, each at the instant that was named.
    public const int MostLooks = 20;

    // What must stay in a group's document, as the broker's store knows it.
    private readonly Dictionary<string, Dictionary<Uid, DeniedCredential>> _denied = new(StringComparer.Ordinal);

    public ProviderUnderTest Subject { get; } = subject;

    public IProvider Provider { get; } = subject.Connect();

    public IssueRequest NewRequest(RoleExample role, TimeSpan? life = null)
    {
        var lease = Uid.New(Subject.Context.Time);
        var now = Subject.Context.Time.GetUtcNow();
        var separator = Subject.Type.NameSeparator;
        return new IssueRequest
        {
            LeaseId = lease,
            TaskId = Uid.New(Subject.Context.Time),
            ExternalName = $"cb{separator}{Subject.Context.InstallationId}{separator}{lease}",
            Mark = MarkOf(lease),
            RoleKind = role.Kind,
            Template = role.Template,
            Workload = "source/subject",
            Deadline = now.AddSeconds(30),
            ExpiresAt = now + (life ?? TimeSpan.FromMinutes(10)),
        };
    }

    public Task<IssuedCredential> IssueAsync(IssueRequest request, CancellationToken cancellationToken = default) =>
        IssueAsync(request, new TestJournal(), cancellationToken);

    public Task<IssuedCredential> IssueAsync(IssueRequest request, TestJournal journal, CancellationToken cancellationToken = default) =>
        Provider.IssueAsync(request, journal, cancellationToken);

    /// <summary>The failure of a call that must fail.</summary>
    public static async Task<Exception> FailureOfAsync(Func<Task> call)
    {
        try
        {
            await call().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            return e;
        }

        throw new AssertionException("The call should have failed.");
    }

    public RevokeRequest Revoking(IssueRequest request, Handle? handle, DateTimeOffset? mayStillArriveUntil = null) => new()
    {
        LeaseId = request.LeaseId,
        ExternalName = request.ExternalName,
        Handle = handle,
        RoleKind = request.RoleKind,
        Mark = request.Mark,
        Group = GroupOf(request)?.Name,
        IssuedBy = Subject.Context.Time.GetUtcNow(),
        PossibleDeathAt = request.ExpiresAt,
        MayStillArriveUntil = mayStillArriveUntil,
    };

    public ExclusiveGroup? GroupOf(IssueRequest request) => Subject.Type.RoleKinds.Single(kind => kind.Name == request.RoleKind).ExclusiveGroupOf(request.Template);

    public Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken = default) => RevokeAsync(Provider, request, cancellationToken);

    /// <summary>Asks once, in a group of its own where the lease has one, with everything that was revoked in it before.</summary>
    public async Task<RevokeOutcome> RevokeAsync(IProvider provider, RevokeRequest request, CancellationToken cancellationToken = default)
    {
        Subject.BeginRevoking(request);
        if (request.Group is null || provider is not IGroupRevokingProvider) return await provider.RevokeAsync(request, cancellationToken).ConfigureAwait(false);
        return (await RevokeGroupAsync(provider, [request], cancellationToken).ConfigureAwait(false))[request.LeaseId];
    }

    /// <summary>Asks once for several of one group.</summary>
    public async Task<IReadOnlyDictionary<Uid, RevokeOutcome>> RevokeGroupAsync(
        IProvider provider, IReadOnlyList<RevokeRequest> due, CancellationToken cancellationToken = default)
    {
        var group = due[0].Group!;
        if (!_denied.TryGetValue(group, out var denied)) _denied[group] = denied = [];
        foreach (var request in due) denied[request.LeaseId] = new DeniedCredential(request.ExternalName, request.PossibleDeathAt) { IssuedBy = request.IssuedBy };
        var answer = await ((IGroupRevokingProvider)provider).RevokeGroupAsync(
            new GroupRevokeRequest { Group = group, Due = due, StillDenied = [.. denied.Where(entry => due.All(one => one.LeaseId != entry.Key)).Select(entry => entry.Value)] },
            cancellationToken).ConfigureAwait(false);
        foreach (var request in due)
            if (answer.Failures.TryGetValue(request.LeaseId, out var failure)) throw failure;
        Assert.That(answer.Outcomes.Keys, Is.EquivalentTo(due.Select(request => request.LeaseId)), "an outcome for each that was due, and for no other");
        return answer.Outcomes;
    }

    /// <summary>What the broker leaves out of the document, because it is dead by itself.</summary>
    public void Forget(RevokeRequest request)
    {
        if (request.Group is { } group) _denied.GetValueOrDefault(group)?.Remove(request.LeaseId);
    }

    /// <summary>Asks until it is dead, as the broker does: no earlier than it is told to, and with the newest handle.</summary>
    public async Task<RevokeOutcome> RevokeUntilDeadAsync(RevokeRequest request)
    {
        for (var look = 0; look < MostLooks; look++)
        {
            var outcome = await RevokeAsync(request).ConfigureAwait(false);
            switch (outcome)
            {
                case RevokeOutcome.Settling settling:
                    request = request with { Handle = settling.Handle ?? request.Handle };
                    await Subject.PassTimeAsync(settling.Until).ConfigureAwait(false);
                    break;
                case RevokeOutcome.ExpiresAt expires:
                    await Subject.PassTimeAsync(expires.At).ConfigureAwait(false);
                    break;
                default:
                    return outcome;
            }
        }

        throw new AssertionException($"The revocation of {request.ExternalName} has not settled in {MostLooks} looks.");
    }

    public ValueTask DisposeAsync() => Provider.DisposeAsync();

    // As long as a real one and of the same alphabet.
    private string MarkOf(Uid lease)
    {
        var mac = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return string.Create(CultureInfo.InvariantCulture, $"cb1:{Subject.Context.InstallationId}:{lease}:0123abcd:{mac}");
    }
}

using System.Globalization;
using System.Security.Cryptography;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>One provider with the requests of a test, and all that it was told in answer.</summary>
internal sealed class ConformanceRun(ProviderUnderTest subject) : IAsyncDisposable
{
    // Whatever settles must do so within this many looks, each at the instant that was named.
    private const int MostLooks = 20;

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
        Provider.IssueAsync(request, new GoOn(), cancellationToken);

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

    public static RevokeRequest Revoking(IssueRequest request, Handle? handle, DateTimeOffset? mayStillArriveUntil = null) => new()
    {
        LeaseId = request.LeaseId,
        ExternalName = request.ExternalName,
        Handle = handle,
        RoleKind = request.RoleKind,
        Mark = request.Mark,
        PossibleDeathAt = request.ExpiresAt,
        MayStillArriveUntil = mayStillArriveUntil,
    };

    /// <summary>Asks until it is dead, as the broker does: no earlier than it is told to, and with the newest handle.</summary>
    public async Task<RevokeOutcome> RevokeUntilDeadAsync(RevokeRequest request)
    {
        for (var look = 0; look < MostLooks; look++)
        {
            Subject.BeginRevoking(request);
            var outcome = await Provider.RevokeAsync(request, CancellationToken.None).ConfigureAwait(false);
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

    private sealed class GoOn : IIssueJournal
    {
        public Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}

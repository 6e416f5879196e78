using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>One group of a provider, revoked as the broker does it.</summary>
internal sealed class GroupRun(ProviderUnderTest subject, RoleExample role, ExclusiveGroup group) : IAsyncDisposable
{
    private readonly ConformanceRun _run = new(subject);

    public ProviderUnderTest Subject { get; } = subject;

    public ExclusiveGroup Group { get; } = group;

    public IProvider Provider => _run.Provider;

    /// <summary>What would revoke as many credentials that were never made.</summary>
    public IReadOnlyList<RevokeRequest> Requests(int count) => [.. Enumerable.Range(0, count).Select(_ => _run.Revoking(_run.NewRequest(role), null))];

    public async Task<(IReadOnlyList<RevokeRequest> Requests, IReadOnlyList<IssuedCredential> Credentials)> IssueSeveralAsync(int count)
    {
        var requests = new List<RevokeRequest>();
        var credentials = new List<IssuedCredential>();
        for (var i = 0; i < count; i++)
        {
            // What is left must not die of its age while the others settle.
            var request = _run.NewRequest(role, TimeSpan.FromMinutes(10) + (4 * Subject.Type.RoleKinds.Single(kind => kind.Name == role.Kind).RevocabilityOf(role.Template).SettlesWithin));
            credentials.Add(await _run.IssueAsync(request).ConfigureAwait(false));
            requests.Add(_run.Revoking(request, credentials[i].Handle));
        }

        foreach (var credential in credentials) Assert.That(await Subject.IsAcceptedAsync(credential).ConfigureAwait(false));
        return (requests, credentials);
    }

    /// <summary>Asks for all of them at once until the last is dead.</summary>
    public async Task RevokeUntilDeadAsync(IReadOnlyList<RevokeRequest> due)
    {
        for (var look = 0; due.Count > 0; look++)
        {
            Assert.That(look, Is.LessThan(ConformanceRun.MostLooks), "the revocation of a group settles");
            foreach (var request in due) Subject.BeginRevoking(request);
            var left = new List<RevokeRequest>();
            foreach (var (lease, outcome) in await _run.RevokeGroupAsync(Provider, due).ConfigureAwait(false))
            {
                var request = due.Single(one => one.LeaseId == lease);
                var until = outcome switch
                {
                    RevokeOutcome.Settling settling => settling.Until,
                    RevokeOutcome.ExpiresAt expires => expires.At,
                    _ => default(DateTimeOffset?),
                };
                if (until is null) continue;
                left.Add(request with { Handle = (outcome as RevokeOutcome.Settling)?.Handle ?? request.Handle });
                await Subject.PassTimeAsync(until.Value).ConfigureAwait(false);
            }

            due = left;
        }
    }

    public void Forget(RevokeRequest request) => _run.Forget(request);

    public ValueTask DisposeAsync() => _run.DisposeAsync();
}

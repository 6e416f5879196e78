using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;

namespace CredBroker.Providers.AwsSts.Canaries;

/// <summary>That a version of a document is in force where the canary asks.</summary>
/// <param name="WrittenAt">When that version was written, by AWS's clock.</param>
/// <param name="Text">What was seen, in one sentence.</param>
internal sealed record CanaryProof(DateTimeOffset WrittenAt, string Text);

/// <summary>What a role's canary says of one name.</summary>
/// <param name="Proof">Set where the canary was refused.</param>
/// <param name="LetIn">The canary is denied by the same version as the name, and is let in still.</param>
/// <param name="Pending">The canary that will tell has not told yet.</param>
/// <param name="WhyNot">Why the canary says nothing; null where it does.</param>
internal sealed record CanaryWord(CanaryProof? Proof, bool LetIn, bool Pending, string? WhyNot);

/// <summary>
/// The canaries of one role, one at a time. A canary's name stands in one version of the document and those that follow, never before: whoever sees it refused has seen that version, or a later
/// one, in force. Its keys are in this process's memory alone; where they are lost, the settle time decides. Whoever calls holds the role's lock.
/// </summary>
internal sealed class CanaryWatch(CanaryProbe probe, RoleArn role, CanaryConfiguration canary, TimeProvider time)
{
    // Where no canary can be opened, the writes that follow do not wait for one again.
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, CanaryProof> _proven = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private Flight? _flight;
    private (DateTimeOffset At, string Why)? _failed;

    /// <summary>The name of the canary that is on its way; null where there is none.</summary>
    public string? Name => _flight?.Session.Name;

    /// <summary>Canaries that may still stand in the document, and are nobody's lease.</summary>
    public bool IsCanary(string name) => _names.Contains(name);

    /// <summary>Lets the canary ask, if the document that it waits for still stands.</summary>
    public async Task LookAsync(IReadOnlySet<string>? denied, DateTimeOffset since, CancellationToken cancellationToken)
    {
        // What does not stand there any more has a gap, and what was proven of it is void.
        foreach (var name in _proven.Where(entry => denied?.Contains(entry.Key) != true || since > entry.Value.WrittenAt).Select(entry => entry.Key).ToList()) _proven.Remove(name);
        _names.RemoveWhere(name => denied?.Contains(name) != true);
        if (_flight is not { } flight) return;
        if (flight.WrittenAt == DateTimeOffset.MaxValue || denied?.Contains(flight.Session.Name) != true || since > flight.WrittenAt || time.GetUtcNow().AddSeconds(10) >= flight.Session.EndsAt)
        {
            _flight = null;
            return;
        }

        var look = await probe.LookAsync(flight.Session, canary, cancellationToken).ConfigureAwait(false);
        _flight = flight with { Last = look };
        if (look.Refused != true) return;
        var at = PolicyText.Instant(time.GetUtcNow());
        var proof = new CanaryProof(flight.WrittenAt, $"The broker's own session {flight.Session.Name}, denied in the same version of the document, was let in before ({flight.Before.Words}) and was refused at {at} ({look.Words}).");
        foreach (var name in flight.Covers) _proven[name] = proof;
        _flight = null;
    }

    /// <summary>Opens another canary if one of these names has none, and none is on its way. It must be let in now, or its being refused later would say nothing.</summary>
    public async Task<bool> OpenForAsync(IEnumerable<string> names, CancellationToken cancellationToken)
    {
        if (_flight is not null || names.All(_proven.ContainsKey) || (_failed is { } failed && time.GetUtcNow() < failed.At + Pause)) return false;
        _failed = null;
        try
        {
            var session = await probe.OpenAsync(role, canary, cancellationToken).ConfigureAwait(false);
            var before = await probe.LookAsync(session, canary, cancellationToken).ConfigureAwait(false);
            if (before.Refused == false)
            {
                _flight = new Flight(session, before, DateTimeOffset.MaxValue, new HashSet<string>(), before);
                return true;
            }

            Fail($"before anything was denied, {before.Words}");
        }
        catch (ProviderException e) when (!cancellationToken.IsCancellationRequested)
        {
            Fail($"no session could be opened for it ({e.Message})");
        }

        return false;
    }

    /// <summary>Tells what was written: the canary speaks for what stands beside its name.</summary>
    public void Written(IReadOnlySet<string> denied, DateTimeOffset at)
    {
        if (_flight is not { } flight || flight.WrittenAt != DateTimeOffset.MaxValue) return;
        if (!denied.Contains(flight.Session.Name))
        {
            _flight = null;
            Fail("the document has no room for its name");
            return;
        }

        _names.Add(flight.Session.Name);
        _flight = flight with { WrittenAt = at, Covers = denied };
    }

    public CanaryWord Of(string name)
    {
        if (_proven.TryGetValue(name, out var proof)) return new CanaryWord(proof, LetIn: false, Pending: false, null);
        if (_flight is not { } flight) return new CanaryWord(null, LetIn: false, Pending: false, _failed?.Why ?? "it was not asked");
        // Another's canary goes first: this name's is opened after it.
        if (!flight.Covers.Contains(name)) return new CanaryWord(null, LetIn: false, Pending: true, null);
        var unclear = flight.Last.Refused is null;
        return new CanaryWord(null, LetIn: !unclear, Pending: true, unclear ? flight.Last.Words : null);
    }

    private void Fail(string why) => _failed = (time.GetUtcNow(), why);

    private sealed record Flight(CanarySession Session, CanaryLook Before, DateTimeOffset WrittenAt, IReadOnlySet<string> Covers, CanaryLook Last);
}

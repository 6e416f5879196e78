using CredBroker.Abstractions;

namespace CredBroker.Testing.Scripted;

/// <summary>
/// The documents of a scripted target, one for each group: each can only be written as a whole, and the last writer wins. What is named in one is
/// denied from then on, for as long as it is named.
/// </summary>
public sealed class ScriptedDocuments
{
    private readonly Lock _lock = new();
    private readonly ScriptedTarget _target;
    private readonly Dictionary<string, IReadOnlyDictionary<string, DateTimeOffset>> _denied = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _deniedBefore = new(StringComparer.Ordinal);
    private static readonly TimeSpan ClockMargin = TimeSpan.FromSeconds(30);
    private int _writers;

    internal ScriptedDocuments(ScriptedTarget target) => _target = target;

    /// <summary>How many names a document has room for. One with more denies everything that was issued before it was written.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>How many calls that may write a document were on their way at once, at most.</summary>
    public int MostWritersAtOnce { get; private set; }

    /// <summary>The names in a group's document.</summary>
    public IReadOnlyCollection<string> NamesIn(string group)
    {
        lock (_lock) return [.. In(group).Keys];
    }

    /// <summary>Somebody empties a group's document.</summary>
    public void Empty(string group)
    {
        lock (_lock)
        {
            _denied.Remove(group);
            _deniedBefore.Remove(group);
        }
    }

    internal bool Deny(ScriptedCredential credential)
    {
        if (credential.Group is not { } group) return false;
        lock (_lock) return In(group).ContainsKey(credential.Name) || (_deniedBefore.TryGetValue(group, out var before) && credential.IssuedAt < before);
    }

    /// <summary>Adds one name to what stands there.</summary>
    internal RevokeOutcome Add(string group, RevokeRequest request)
    {
        lock (_lock)
        {
            _denied[group] = new Dictionary<string, DateTimeOffset>(In(group), StringComparer.Ordinal) { [request.ExternalName] = DeniedAt(group, request.ExternalName) };
            return OutcomeOf(group, request);
        }
    }

    /// <summary>Writes the whole document anew.</summary>
    internal GroupRevokeOutcome Write(GroupRevokeRequest request)
    {
        var failures = new Dictionary<Uid, ProviderException>();
        foreach (var due in request.Due)
            if (FailureOf(due) is { } failure) failures[due.LeaseId] = failure;
        var ours = request.Due.Where(due => !failures.ContainsKey(due.LeaseId)).ToList();
        lock (_lock)
        {
            // What a former overflow denies anyway need not be named.
            var named = ours.Select(due => (due.ExternalName, due.IssuedBy)).Concat(request.StillDenied.Select(denied => (denied.ExternalName, denied.IssuedBy)));
            var names = named.Where(one => !(_deniedBefore.TryGetValue(request.Group, out var cut) && one.IssuedBy + ClockMargin <= cut)).Select(one => one.ExternalName).ToList();
            DateTimeOffset? before = names.Count > Room ? _target.Now : null;
            _denied[request.Group] = names.Take(Room).ToDictionary(name => name, name => DeniedAt(request.Group, name), StringComparer.Ordinal);
            if (before is { } cut) _deniedBefore[request.Group] = cut;
            return new GroupRevokeOutcome(ours.ToDictionary(due => due.LeaseId, due => OutcomeOf(request.Group, due)))
            {
                Failures = failures,
                // Told for as long as it stands, as a target's document says it.
                KilledAllIssuedBefore = _deniedBefore.TryGetValue(request.Group, out var standing) ? standing : null,
            };
        }
    }

    internal async Task<T> WritingAsync<T>(Func<Task<T>> call)
    {
        lock (_lock) MostWritersAtOnce = Math.Max(MostWritersAtOnce, ++_writers);
        try
        {
            return await call().ConfigureAwait(false);
        }
        finally
        {
            lock (_lock) _writers--;
        }
    }

    private ProviderException? FailureOf(RevokeRequest due)
    {
        if (due.Handle is { } handle && handle.Value != $"{_target.Identity}|{due.ExternalName}")
            return new ProviderException(ProviderFault.TargetMismatch, "The handle is from another target.");
        return _target.Find(due.ExternalName) is { } found && found.Mark != due.Mark
            ? new ProviderException(ProviderFault.Credential, "What has this name does not carry our mark.")
            : null;
    }

    private RevokeOutcome OutcomeOf(string group, RevokeRequest request)
    {
        var settled = DeniedAt(group, request.ExternalName) + _target.SettlesWithin;
        if (request.MayStillArriveUntil is { } until && until > settled) settled = until;
        return _target.Now < settled
            ? new RevokeOutcome.Settling(_target.Identity, settled, "The document settles.")
            : new RevokeOutcome.Gone(_target.Identity, new Evidence("denied", $"The document of {group} at {_target.Identity} denies {request.ExternalName}.", _target.Now));
    }

    private DateTimeOffset DeniedAt(string group, string name) => In(group).TryGetValue(name, out var at) ? at : _target.Now;

    private IReadOnlyDictionary<string, DateTimeOffset> In(string group) => _denied.TryGetValue(group, out var names) ? names : EmptyDocument;

    private static readonly Dictionary<string, DateTimeOffset> EmptyDocument = [];
}

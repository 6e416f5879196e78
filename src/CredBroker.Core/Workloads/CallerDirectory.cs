using System.Collections.Concurrent;
using System.Net;
using CredBroker.Abstractions;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Workloads;

/// <summary>Finds out which workload an attested identity is. A subject whose stable ids have changed is another one, and gets nothing until a person says so.</summary>
public sealed class CallerDirectory(IWorkloadStore workloads, OperatorRoot? root, TimeProvider time)
{
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(60);
    private readonly ConcurrentDictionary<string, (Workload Workload, DateTimeOffset Until)> _seen = new(StringComparer.Ordinal);

    /// <summary>The caller, or why it is refused.</summary>
    public async Task<Result<Caller>> IdentifyAsync(AttestedIdentity identity, IPAddress sourceIp, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(identity);
        var workload = await SeeAsync(identity, cancellationToken);
        if (!Same(workload.StableIds, identity.StableIds))
            return new BrokerError(Reasons.SubjectRecycled, "This subject is known with other stable ids: the name was used again. An administrator can accept it as a new workload.");
        var isRoot = root is not null && identity.OperatorOwned && identity.SourceName == root.IdentitySource && identity.Subject == root.Subject;
        return new Caller(identity, workload, sourceIp, isRoot);
    }

    /// <summary>Forgets what is remembered of a workload.</summary>
    public void Forget() => _seen.Clear();

    private async Task<Workload> SeeAsync(AttestedIdentity identity, CancellationToken cancellationToken)
    {
        var now = time.Now();
        // The token names everything that the row would: the same token is the same workload for a minute.
        if (_seen.TryGetValue(identity.TokenHash, out var known) && known.Until > now) return known.Workload;
        var workload = await workloads.SeeAsync(RowOf(identity, now), cancellationToken);
        if (_seen.Count >= MostRemembered) _seen.Clear();
        if (Same(workload.StableIds, identity.StableIds)) _seen[identity.TokenHash] = (workload, now + Remembered);
        return workload;
    }

    private Workload RowOf(AttestedIdentity identity, DateTimeOffset now) => new()
    {
        Uid = Uid.New(time),
        SourceUid = identity.SourceUid,
        SourceName = identity.SourceName,
        Subject = identity.Subject,
        StableIds = identity.StableIds,
        Attributes = identity.Attributes,
        Teams = [.. identity.Teams],
        Instance = identity.Instance,
        FirstSeenAt = now,
        LastSeenAt = now,
    };

    private static bool Same(IReadOnlyDictionary<string, string> left, IReadOnlyDictionary<string, string> right) =>
        left.Count == right.Count && left.All(pair => right.TryGetValue(pair.Key, out var value) && value == pair.Value);
}

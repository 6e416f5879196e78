using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Reevaluation;

/// <summary>A live lease with what policies say of it.</summary>
internal sealed record JudgedLease(Lease Lease, Holding Holding, Decision Decision);

/// <summary>
/// Asks policy about live leases, on what was true of their requests and what is true now: time, counts, the role, and the attributes of the workload where
/// its last token speaks of the same instance. A token of another run says nothing about what this one holds.
/// </summary>
public sealed class LeaseJudge(ITaskStore tasks, IWorkloadStore workloads, IRegistryStore registry, Decider decider, TimeProvider time)
{
    private const int MostAtOnce = 500;

    /// <summary>Judges a page under these policies. What is dead in effect, or was issued before requests were kept, is passed over.</summary>
    internal async Task<IReadOnlyList<JudgedLease>> JudgeAsync(RegistrySnapshot snapshot, PolicyBook policies, IReadOnlyList<LeaseView> page, CancellationToken cancellationToken)
    {
        var live = page.Where(view => view.Effective.Live && view.Lease.Asked.IsKnown).Select(view => view.Lease).ToList();
        if (live.Count == 0) return [];
        var owners = await TasksAsync([.. live.SelectMany(lease => lease.TaskPath.Split('/')).Distinct().Select(Uid.Parse)], cancellationToken);
        var performers = owners.Values.Select(task => task.Performer.Workload ?? task.Opener.Workload).OfType<Uid>();
        var known = await workloads.FindAllAsync([.. live.Select(lease => lease.Gates.Workload.Uid).Concat(performers).Distinct()], cancellationToken);
        var counters = policies.ReadsCounters ? await CountersAsync(live, cancellationToken) : [];
        var roles = snapshot.Roles.ToDictionary(role => role.Uid);
        var judged = new List<JudgedLease>();
        foreach (var lease in live)
        {
            if (QuestionOf(lease, snapshot, roles, owners, known, counters) is not { } asked) continue;
            var (holding, decision) = decider.Holds(asked, lease.Asked.PermittedBy, policies);
            judged.Add(new JudgedLease(lease, holding, decision));
        }

        return judged;
    }

    /// <summary>The question of its issue, as it would be put now; null when it is about to die for want of its role or task.</summary>
    private IssueQuestion? QuestionOf(
        Lease lease, RegistrySnapshot snapshot, Dictionary<Uid, Registered<RoleSpec>> roles, Dictionary<Uid, AgentTask> owners, IReadOnlyDictionary<Uid, Workload> known, Dictionary<string, long> counters)
    {
        var path = lease.TaskPath.Split('/').Select(Uid.Parse).ToList();
        if (!roles.TryGetValue(lease.Gates.Role.Uid, out var role) || !snapshot.TryFindProvider(lease.Gates.Provider.Uid, out var provider)
            || !known.TryGetValue(lease.Gates.Workload.Uid, out var workload) || path.Any(id => !owners.ContainsKey(id)))
        {
            return null;
        }

        var above = new List<(AgentTask, Workload)>();
        foreach (var ancestor in path.SkipLast(1).Select(id => owners[id]))
        {
            if (known.GetValueOrDefault(ancestor.Performer.Workload ?? ancestor.Opener.Workload!.Value) is not { } performer) return null;
            above.Add((ancestor, OfRun(performer, ancestor.Performer.Instance, ancestor.PerformerAttributes, performer.Teams)));
        }

        var asked = lease.Asked;
        return new IssueQuestion
        {
            Action = "issue",
            Caller = CallerOf(snapshot, OfRun(workload, asked.Instance, asked.Attributes, asked.Teams), asked),
            Task = owners[lease.TaskId],
            Ancestors = above,
            Provider = provider,
            Role = role,
            Parameters = JsonSerializer.Deserialize<SortedDictionary<string, string>>(lease.ParametersJson)!,
            Destination = asked.Destination,
            DeclaredDestination = asked.DeclaredDestination,
            Revocability = lease.Revocability,
            CanMint = lease.CanMint,
            Ttl = asked.Ttl,
            RequestedTtl = asked.RequestedTtl,
            ParentDeadline = time.Now() + asked.ParentExpiresIn,
            Counters = new LeaseCounts(Others($"task:{lease.TaskId}"), Others($"workload:{lease.Gates.Workload.Uid}"), Others($"role:{lease.Gates.Role.Uid}"), Others($"provider:{lease.Gates.Provider.Uid}")),
        };

        // The lease itself is among those that are counted.
        long Others(string key) => Math.Max(0, counters.GetValueOrDefault(key) - 1);
    }

    /// <summary>The workload with what is attested of one run: its last token, if that is of the same instance; else what was proven then.</summary>
    private static Workload OfRun(Workload workload, string? instance, IReadOnlyDictionary<string, string> attributes, IReadOnlyList<string> teams) =>
        workload.Instance == instance ? workload : workload with { Instance = instance, Attributes = attributes, Teams = teams };

    private static Caller CallerOf(RegistrySnapshot snapshot, Workload workload, LeaseAsked asked)
    {
        var source = snapshot.FindSource(workload.SourceName);
        var identity = new AttestedIdentity
        {
            SourceUid = workload.SourceUid,
            SourceName = workload.SourceName,
            OperatorOwned = source?.OperatorOwned ?? false,
            People = source?.Spec.People ?? false,
            Environment = source?.Spec.Environment ?? "",
            Subject = workload.Subject,
            StableIds = workload.StableIds.ToImmutableSortedDictionary(StringComparer.Ordinal),
            Instance = workload.Instance,
            Attributes = workload.Attributes.ToImmutableSortedDictionary(StringComparer.Ordinal),
            Teams = [.. workload.Teams],
            IssuedAt = workload.LastSeenAt,
            ExpiresAt = workload.LastSeenAt,
            TokenHash = "",
        };
        return new Caller(identity, workload, IPAddress.Parse(asked.SourceIp), IsRoot: false);
    }

    private async Task<Dictionary<Uid, AgentTask>> TasksAsync(IReadOnlyList<Uid> ids, CancellationToken cancellationToken)
    {
        var found = new Dictionary<Uid, AgentTask>();
        foreach (var some in ids.Chunk(MostAtOnce))
            foreach (var task in (await tasks.ListAsync(new TaskQuery { Among = some }, new PageRequest(some.Length, null), cancellationToken)).Items) found[task.Id] = task;
        return found;
    }

    private async Task<Dictionary<string, long>> CountersAsync(IReadOnlyList<Lease> leases, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var keys in leases.SelectMany(lease => lease.QuotaKeys).Distinct().Chunk(MostAtOnce))
            foreach (var (key, value) in keys.Zip(await registry.CountersAsync(keys, cancellationToken))) found[key] = value;
        return found;
    }
}

using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Audit;

/// <summary>
/// Records what policy denied. The same denial of the same workload again within a minute is counted, not written once more: else whoever asks in a loop fills
/// the trail. The refusal then names the decision that was written. What was counted is told when the minute is over; a crash loses no more than a minute's
/// counts. Which policies decided is no part of being the same: a caller could tell from two ids what it may not know.
/// </summary>
public sealed class DenialLog(IAuditLog audit, TimeProvider time)
{
    /// <summary>How many different denials of one workload are written in a minute; what is beyond counts as one more.</summary>
    public const int MostTold = 30;

    private const int MostKept = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, Repeats> _repeats = [];
    private readonly Dictionary<Uid, (DateTimeOffset Until, int Told)> _told = [];

    /// <summary>Records a denial, or counts it. Answers the decision that stands for it in the trail.</summary>
    public async Task<Decision> RecordAsync(Caller caller, Decision denied, Uid? task, Uid? lease, string resource, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(denied);
        var now = time.Now();
        Key key;
        Repeats? over;
        lock (_gate)
        {
            key = KeyOf(caller.Workload.Uid, denied, task, resource, now);
            if (_repeats.TryGetValue(key, out over) && over.Until > now)
            {
                over.Count++;
                over.LastAt = now;
                return denied with { Id = over.Draft.DecisionId!.Value };
            }

            _repeats.Remove(key);
        }

        if (over is not null) await TellAsync(over, cancellationToken);
        var draft = denied.ToAudit(caller.Actor, task, lease, resource);
        await audit.AppendAsync(draft, cancellationToken);
        // Only now may others be told to look there.
        lock (_gate)
        {
            if (_repeats.Count < MostKept) _repeats[key] = new Repeats(draft, denied, now);
            var (until, told) = _told.GetValueOrDefault(caller.Workload.Uid);
            if (_told.Count < MostKept || until > now) _told[caller.Workload.Uid] = until > now ? (until, told + 1) : (now + Window, 1);
        }

        return denied;
    }

    /// <summary>Tells what was counted in the minutes that are over. Answers when to look next.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        await TellAsync(time.Now(), cancellationToken);
        return time.Now() + Every;
    }

    /// <summary>Tells all that was counted: for shutting down.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => TellAsync(DateTimeOffset.MaxValue, cancellationToken);

    private async Task TellAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        List<Repeats> over = [];
        lock (_gate)
        {
            foreach (var (key, repeats) in _repeats.Where(pair => pair.Value.Until <= before).ToList())
            {
                over.Add(repeats);
                _repeats.Remove(key);
            }

            foreach (var (workload, _) in _told.Where(pair => pair.Value.Until <= before).ToList()) _told.Remove(workload);
        }

        foreach (var repeats in over) await TellAsync(repeats, cancellationToken);
    }

    private async Task TellAsync(Repeats repeats, CancellationToken cancellationToken)
    {
        if (repeats.Count == 0) return;
        await audit.AppendAsync(
            new AuditDraft(AuditTypes.DecisionRepeated, repeats.Draft.By)
            {
                TaskId = repeats.Draft.TaskId,
                DecisionId = repeats.Draft.DecisionId,
                Resource = repeats.Draft.Resource,
                Detail = new() { ["action"] = repeats.Action, ["count"] = repeats.Count, ["first_at"] = Text(repeats.FirstAt), ["last_at"] = Text(repeats.LastAt) },
            },
            cancellationToken);
    }

    private Key KeyOf(Uid workload, Decision denied, Uid? task, string resource, DateTimeOffset now)
    {
        var key = new Key(workload, denied.Action, resource, task, denied.ApprovalRequired, denied.PolicyHash);
        if (_repeats.ContainsKey(key)) return key;
        var (until, told) = _told.GetValueOrDefault(workload);
        return until > now && told >= MostTold ? new Key(workload, "", "", null, false, "") : key;
    }

    private static string Text(DateTimeOffset instant) => instant.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private sealed record Key(Uid Workload, string Action, string Resource, Uid? Task, bool ApprovalRequired, string PolicyHash);

    private sealed class Repeats(AuditDraft draft, Decision decision, DateTimeOffset firstAt)
    {
        public AuditDraft Draft { get; } = draft with { Detail = [] };
        public string Action { get; } = decision.Action;
        public DateTimeOffset FirstAt { get; } = firstAt;
        public DateTimeOffset Until { get; } = firstAt + Window;
        public DateTimeOffset LastAt { get; set; } = firstAt;
        public long Count { get; set; }
    }
}

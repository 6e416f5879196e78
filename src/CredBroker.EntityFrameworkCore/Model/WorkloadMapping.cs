using System.Text.Json;
using CredBroker.Core.Workloads;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>Between a workload and its row. Maps are written in the order of their keys, so that equal ones are equal texts.</summary>
internal static class WorkloadMapping
{
    public static WorkloadRow ToRow(Workload workload) => new()
    {
        Uid = workload.Uid,
        SourceUid = workload.SourceUid,
        SourceName = workload.SourceName,
        Subject = workload.Subject,
        StableIds = Write(workload.StableIds),
        Attributes = Write(workload.Attributes),
        Teams = JsonSerializer.Serialize(workload.Teams.Order(StringComparer.Ordinal)),
        Instance = workload.Instance,
        RefusedStableIds = workload.RefusedStableIds is { } refused ? Write(refused) : null,
        FirstSeenAt = workload.FirstSeenAt,
        LastSeenAt = workload.LastSeenAt,
    };

    public static Workload ToWorkload(WorkloadRow row) => new()
    {
        Uid = row.Uid,
        SourceUid = row.SourceUid,
        SourceName = row.SourceName,
        Subject = row.Subject,
        StableIds = Read(row.StableIds),
        Attributes = Read(row.Attributes),
        Teams = JsonSerializer.Deserialize<List<string>>(row.Teams) ?? [],
        Instance = row.Instance,
        RefusedStableIds = row.RefusedStableIds is { } refused ? Read(refused) : null,
        FirstSeenAt = row.FirstSeenAt,
        LastSeenAt = row.LastSeenAt,
    };

    private static string Write(IReadOnlyDictionary<string, string> map) =>
        JsonSerializer.Serialize(new SortedDictionary<string, string>(map.ToDictionary(pair => pair.Key, pair => pair.Value), StringComparer.Ordinal));

    private static Dictionary<string, string> Read(string json) => JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];
}

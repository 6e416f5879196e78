using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Registry;

/// <summary>Whether what a decision was made under still holds.</summary>
internal abstract record GateVerdict
{
    private GateVerdict()
    {
    }

    public sealed record Holds : GateVerdict;

    public sealed record Changed : GateVerdict;

    public sealed record Suspended(Uid Gate) : GateVerdict;

    public sealed record Quarantined : GateVerdict;

    /// <summary>Re-reads the gates, which the transaction holds locked.</summary>
    public static async Task<GateVerdict> OfAsync(WriteSession session, GenerationCheck generations, IReadOnlyList<Gate> gates) =>
        Of((await Effective.GatesAsync(session, UidsOf(generations, gates))).Values, generations, gates);

    /// <summary>The same, of gates that were read under their locks.</summary>
    public static GateVerdict Of(IEnumerable<GateRow> read, GenerationCheck generations, IReadOnlyList<Gate> gates)
    {
        var rows = read.ToDictionary(row => row.Uid);
        foreach (var gate in gates)
        {
            var row = rows.GetValueOrDefault(gate.Uid);
            if (row?.Suspended == true) return new Suspended(gate.Uid);
            if (row?.QuarantinedAt is not null) return new Quarantined();
            if ((row?.Suspension ?? 0) != gate.Suspension) return new Changed();
        }

        var same = (rows.GetValueOrDefault(Gates.Policies)?.Version ?? 0) == generations.PolicyVersion
            && generations.Versions.All(noted => (rows.GetValueOrDefault(noted.Key)?.Version ?? 0) == noted.Value);
        return same ? new Holds() : new Changed();
    }

    /// <summary>The gates that have to be locked for it.</summary>
    public static IEnumerable<Uid> UidsOf(GenerationCheck generations, IEnumerable<Gate> gates) =>
        gates.Select(gate => gate.Uid).Concat(generations.Versions.Keys).Append(Gates.Policies).Distinct();
}

/// <summary>What guards decisions made elsewhere.</summary>
internal static class Gates
{
    /// <summary>The policies as a whole.</summary>
    public static readonly Uid Policies = default;

    /// <summary>Sets a resource's configuration generation.</summary>
    public static Task SetVersionAsync(WriteSession session, Uid gate, long version) => session.ExecuteAsync(
        $"INSERT INTO {session.Tables.Gates.Name} AS x (uid, version, suspension, suspended) VALUES ({gate}, {version}, 0, {false}) ON CONFLICT (uid) DO UPDATE SET version = excluded.version");

    /// <summary>The policies have changed.</summary>
    public static Task BumpPoliciesAsync(WriteSession session) => session.ExecuteAsync(
        $"INSERT INTO {session.Tables.Gates.Name} AS x (uid, version, suspension, suspended) VALUES ({Policies}, 1, 0, {false}) ON CONFLICT (uid) DO UPDATE SET version = x.version + 1");

    /// <summary>Registry or suspensions have changed: whoever keeps a copy reads again.</summary>
    public static Task BumpGenerationAsync(WriteSession session) =>
        session.ExecuteAsync($"UPDATE {session.Tables.Generations.Name} SET generation = generation + 1 WHERE id = 1");
}

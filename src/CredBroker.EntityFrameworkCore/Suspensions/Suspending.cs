using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Suspensions;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Suspensions;

/// <summary>Suspends and lifts, under the gate's exclusive lock.</summary>
internal static class Suspending
{
    public static async Task<Suspension?> SuspendAsync(WriteSession session, Suspension suspension, RequestKey? request)
    {
        if (request is not null && await Requests.FindAsync(session, request) is { } earlier)
            return earlier.Body.AsSpan().SequenceEqual(request.Body) ? await ReadAsync(session, earlier.Made) : null;
        if (request is not null) await Requests.WriteAsync(session, request, null, suspension.Id);
        var gates = session.Tables.Gates;
        await session.ExecuteAsync($"""
            INSERT INTO {gates.Name} AS x (uid, version, suspension, suspended) VALUES ({suspension.Target}, 0, 1, {true})
            ON CONFLICT (uid) DO UPDATE SET suspension = x.suspension + 1, suspended = excluded.suspended
            """);
        var gate = (await session.FindAsync(gates, $"WHERE x.uid = {suspension.Target}"))!;
        var made = suspension with { Generation = gate.Suspension, LiftedAt = null };
        var reason = TaskMapping.Text(made.Id, made.Reason);
        await session.InsertAsync(session.Tables.Suspensions, ToRow(made));
        await session.InsertAsync(session.Tables.Texts, reason);
        await session.InsertAsync(session.Tables.FanOuts, new FanOutRow { Id = made.Id, Gate = made.Target, Generation = made.Generation, CreatedAt = session.Now });
        await Gates.BumpGenerationAsync(session);
        session.Audit(new AuditDraft(AuditTypes.Suspended, made.By)
        {
            Resource = made.TargetName,
            Detail = new() { ["suspension"] = made.Id.ToString(), ["generation"] = made.Generation, ["reason_sha256"] = Convert.ToHexStringLower(reason.Hash) },
        });
        session.MadeWork = true;
        return made;
    }

    /// <summary>Lifts one; what was lifted before stays as it was.</summary>
    public static async Task<Suspension?> LiftAsync(WriteSession session, Uid id, Actor by)
    {
        if (await session.FindAsync(session.Tables.Suspensions, $"WHERE x.id = {id} {session.Dialect.ForUpdate}") is not { } row) return null;
        if (row.LiftedAt is null)
        {
            row.LiftedAt = session.Now;
            await session.UpdateAsync(session.Tables.Suspensions, row, [nameof(row.LiftedAt)], $"id = {id}");
            await session.ExecuteAsync($"""
                UPDATE {session.Tables.Gates.Name} SET suspended = EXISTS (SELECT 1 FROM {session.Tables.Suspensions.Name} s WHERE s.target = {row.Target} AND s.lifted_at IS NULL)
                WHERE uid = {row.Target}
                """);
            await Gates.BumpGenerationAsync(session);
            session.Audit(new AuditDraft(AuditTypes.SuspensionLifted, by)
            {
                Resource = row.TargetName,
                Detail = new() { ["suspension"] = id.ToString(), ["generation"] = row.Generation },
            });
        }

        return await ReadAsync(session, id);
    }

    private static async Task<Suspension> ReadAsync(WriteSession session, Uid id)
    {
        var row = await session.FindAsync(session.Tables.Suspensions, $"WHERE x.id = {id}");
        var reason = await session.FindAsync(session.Tables.Texts, $"WHERE x.owner_uid = {id}");
        return new FullSuspension { Row = row!, Reason = reason?.Body }.ToSuspension();
    }

    private static SuspensionRow ToRow(Suspension suspension) => new()
    {
        Id = suspension.Id,
        Target = suspension.Target,
        TargetName = suspension.TargetName,
        ByKind = suspension.By.Kind,
        ByName = suspension.By.Name,
        CreatedAt = suspension.CreatedAt,
        Until = suspension.Until,
        Generation = suspension.Generation,
        LiftedAt = suspension.LiftedAt,
    };
}

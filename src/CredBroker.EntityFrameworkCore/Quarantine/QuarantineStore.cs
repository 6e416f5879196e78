using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Registry;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Quarantine;

/// <summary>Quarantine, in the database: on the gate of its provider, which whoever issues or claims reads anyway.</summary>
internal sealed class QuarantineStore(BrokerWriter writer, WriterConnection connection, RestoreGuard restores, ReadContexts contexts, StoreTime clock, TimeProvider time) : IQuarantineStore
{
    public Task<IReadOnlyList<Quarantined>> ListAsync(CancellationToken cancellationToken)
    {
        var now = clock.Now();
        return contexts.ReadAsync<IReadOnlyList<Quarantined>>(async context =>
        {
            var found = await context.Gates.Where(gate => gate.QuarantinedAt != null).Join(context.Registry, gate => gate.Uid, row => row.Uid, (gate, row) => new { gate, row.Name }).Select(one => new
            {
                one.gate.Uid,
                one.Name,
                Since = one.gate.QuarantinedAt!.Value,
                one.gate.QuarantineReason,
                Unproven = context.Leases.LongCount(lease => lease.ProviderUid == one.gate.Uid && lease.State <= LeaseState.Revoking && lease.ReservedAt <= one.gate.QuarantinedAt),
                Overdue = context.Leases.LongCount(lease => lease.ProviderUid == one.gate.Uid && lease.State <= LeaseState.Active && lease.ReservedAt <= one.gate.QuarantinedAt && lease.DueAt <= now && !lease.Local),
                Local = context.Leases.LongCount(lease => lease.ProviderUid == one.gate.Uid && lease.State <= LeaseState.Active && lease.ReservedAt <= one.gate.QuarantinedAt && lease.Local),
            }).ToListAsync(cancellationToken);
            return [.. found.OrderBy(one => one.Name, StringComparer.Ordinal).Select(one => new Quarantined
            {
                Provider = one.Uid,
                ProviderName = one.Name,
                Since = one.Since,
                Reason = one.QuarantineReason ?? QuarantineReason.ByHand,
                Unproven = one.Unproven,
                Overdue = one.Overdue,
                Local = one.Local,
            })];
        });
    }

    public Task<bool> StartAsync(Uid provider, QuarantineReason reason, Actor by, string words, CancellationToken cancellationToken) =>
        writer.WriteAsync(Urgency.End, LocksOf(provider), session => Quarantining.StartAsync(session, provider, reason, by, words), cancellationToken);

    public Task<bool> ReleaseAsync(Uid provider, DateTimeOffset since, Actor by, string words, CancellationToken cancellationToken)
    {
        var id = Uid.New(time);
        return writer.WriteAsync(Urgency.End, LocksOf(provider), session => Quarantining.ReleaseAsync(session, provider, since, id, by, words), cancellationToken);
    }

    public Task<CommitNote?> ReadLatestAsync(CancellationToken cancellationToken) => contexts.ReadAsync(async context =>
    {
        // Whoever found a restore began the epoch, and this writer goes on in it.
        var present = await context.Epochs.OrderByDescending(row => row.Id).Select(row => (Uid?)row.Epoch).FirstOrDefaultAsync(cancellationToken);
        if (connection.Latest is not { } latest || present is not { } epoch) return null;
        // A database that was replaced behind this node lacks it, and nothing is noted of that.
        return await context.Writers.AnyAsync(row => row.Uid == latest.Writer && row.Commits >= latest.Commits, cancellationToken) ? latest with { Epoch = epoch } : null;
    });

    public Task<NoteStanding> WeighAsync(CommitNote seen, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        return contexts.ReadAsync(async context =>
        {
            var present = await context.Epochs.OrderByDescending(row => row.Id).Select(row => (Uid?)row.Epoch).FirstOrDefaultAsync(cancellationToken);
            if (present != seen.Epoch) return await context.Epochs.AnyAsync(row => row.Epoch == seen.Epoch, cancellationToken) ? NoteStanding.Known : NoteStanding.Strange;
            var commits = await context.Writers.Where(row => row.Uid == seen.Writer).Select(row => (long?)row.Commits).FirstOrDefaultAsync(cancellationToken);
            return commits is not { } has ? NoteStanding.Strange : has < seen.Commits ? NoteStanding.Lacking : NoteStanding.Known;
        });
    }

    public async Task<bool> StartIfLackingAsync(CommitNote seen, string who, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        var next = Uid.New(time);
        var providers = await contexts.ReadAsync(context => context.Registry.Where(row => row.Kind == ResourceKind.Provider).Select(row => row.Uid).ToListAsync(cancellationToken));
        return await writer.WriteAsync(
            Urgency.End, new LockSet { Gates = providers, Exclusive = true },
            async session =>
            {
                var present = (await session.FindAsync(session.Tables.Epochs, $"ORDER BY x.id DESC LIMIT 1"))!;
                if (await RestoreGuard.SuspicionAsync(session, present, seen.Epoch, seen.Writer, seen.Commits, who) is not { } suspicion) return false;
                await restores.BeginAsync(session, present, next, suspicion);
                session.NewEpoch = next;
                return true;
            },
            cancellationToken);
    }

    private static LockSet LocksOf(Uid provider) => new() { Gates = [provider], Exclusive = true };
}

/// <summary>Puts providers into quarantine and releases them, under their gates' locks.</summary>
internal static class Quarantining
{
    public static async Task<bool> StartAsync(WriteSession session, Uid provider, QuarantineReason reason, Actor by, string words)
    {
        var begun = await session.ExecuteAsync($"UPDATE {session.Tables.Gates.Name} SET quarantined_at = {session.Now}, quarantine_reason = {reason} WHERE uid = {provider} AND quarantined_at IS NULL");
        if (begun == 0) return false;
        // A listing shows soonest what is true.
        await session.ExecuteAsync($"UPDATE {session.Tables.Reconciliations.Name} SET due_at = {session.Now} WHERE provider_uid = {provider}");
        session.Audit(Draft(AuditTypes.ProviderQuarantined, await NameOfAsync(session, provider), by, reason, words));
        await Gates.BumpGenerationAsync(session);
        return true;
    }

    /// <summary>All providers, in the transaction that finds the database to be older than it was.</summary>
    public static async Task StartAllAsync(WriteSession session, string words)
    {
        foreach (var provider in await session.UidsAsync($"SELECT x.uid FROM {session.Tables.Registry.Name} x WHERE x.kind = {ResourceKind.Provider} ORDER BY x.uid"))
            await StartAsync(session, provider, QuarantineReason.Restored, Actor.Broker, words);
    }

    public static async Task<bool> ReleaseAsync(WriteSession session, Uid provider, DateTimeOffset since, Uid id, Actor by, string words)
    {
        var gate = await session.FindAsync(session.Tables.Gates, $"WHERE x.uid = {provider}");
        if (gate?.QuarantinedAt != since) return false;
        await session.ExecuteAsync($"UPDATE {session.Tables.Gates.Name} SET quarantined_at = NULL, quarantine_reason = NULL WHERE uid = {provider}");
        if (by != Actor.Broker)
        {
            await session.UpsertAsync(
                session.Tables.Reconciliations, [new ReconciliationRow { ProviderUid = provider, DueAt = session.Now, AcceptedAt = session.Now }], "(provider_uid) DO UPDATE SET accepted_at = excluded.accepted_at");
        }

        var local = await session.CountAsync($"SELECT 1 FROM {session.Tables.Leases.Name} x WHERE x.provider_uid = {provider} AND x.state <= {LeaseState.Active} AND x.local LIMIT 1");
        if (local > 0)
        {
            // As by a suspension that is lifted at once: nobody can know which of them had been revoked since the backup, so none of them lives again.
            await session.ExecuteAsync($"UPDATE {session.Tables.Gates.Name} SET suspension = suspension + 1 WHERE uid = {provider}");
            await session.InsertAsync(session.Tables.FanOuts, new FanOutRow { Id = id, Gate = provider, Generation = gate.Suspension + 1, CreatedAt = session.Now });
        }

        session.Audit(Draft(AuditTypes.ProviderReleased, await NameOfAsync(session, provider), by, gate.QuarantineReason ?? QuarantineReason.ByHand, words));
        await Gates.BumpGenerationAsync(session);
        session.MadeWork = true;
        return true;
    }

    private static async Task<string> NameOfAsync(WriteSession session, Uid provider) => (await session.FindAsync(session.Tables.Registry, $"WHERE x.uid = {provider}"))?.Name ?? provider.ToString();

    private static AuditDraft Draft(string type, string provider, Actor by, QuarantineReason reason, string words) => new(type, by)
    {
        Resource = $"providers/{provider}",
        Detail = new JsonObject { ["reason"] = reason.ToString() },
        Texts = words.Length > 0 ? new Dictionary<string, string> { ["words"] = words } : new Dictionary<string, string>(),
    };
}

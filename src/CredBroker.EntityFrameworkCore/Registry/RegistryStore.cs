using System.Data;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Registry;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Reevaluation;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Registry;

/// <summary>The registry, in the database.</summary>
internal sealed class RegistryStore(BrokerWriter writer, ReadContexts contexts, ReadSessions sessions) : IRegistryStore
{
    public Task<RegistryOutcome> PutAsync(RegistryChange change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        var gates = change.Entry.Kind == ResourceKind.PolicySet ? new[] { change.Entry.Uid, Gates.Policies } : [change.Entry.Uid];
        return writer.WriteAsync(new LockSet { Gates = gates, Exclusive = true }, session => PutAsync(session, change), cancellationToken);
    }

    public Task<RegistryContent> LoadAsync(CancellationToken cancellationToken) => contexts.ReadAsync(async context =>
    {
        // One snapshot: the generation must be that of the rows.
        await using var transaction = await context.Database.BeginTransactionAsync(
            context.Database.IsNpgsql() ? IsolationLevel.RepeatableRead : IsolationLevel.Serializable, cancellationToken);
        var generation = await context.Generations.Select(row => row.Generation).SingleAsync(cancellationToken);
        var gates = await context.Gates.Where(row => row.Suspension > 0 || row.Uid == Gates.Policies).ToListAsync(cancellationToken);
        var rows = await context.Registry
            .Where(row => row.DeletedAt == null || ((row.Kind == ResourceKind.Provider || row.Kind == ResourceKind.Role)
                && (context.Leases.Any(lease => lease.ProviderUid == row.Uid && lease.State <= LeaseState.Revoking)
                    || context.Leases.Any(lease => lease.RoleUid == row.Uid && lease.State <= LeaseState.Revoking))))
            .OrderBy(row => row.Uid).ToListAsync(cancellationToken);
        return new RegistryContent(
            generation,
            gates.Find(row => row.Uid == Gates.Policies)?.Version ?? 0,
            [.. rows.Select(RegistryMapping.ToEntry)],
            gates.Where(row => row.Suspension > 0).ToDictionary(row => row.Uid, row => new GateState(row.Suspension, row.Suspended)));
    });

    public Task<bool> BoundElsewhereAsync(Uid uid, IReadOnlyList<SecretBinding> secrets, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(secrets);
        return secrets.Count == 0 ? Task.FromResult(false) : contexts.ReadAsync(context => SecretBindings.BoundElsewhereAsync(context, uid, secrets, cancellationToken));
    }

    public Task<bool> WasUsedAsync(ResourceKind kind, string name, Uid? parent, CancellationToken cancellationToken) =>
        contexts.ReadAsync(context => context.Registry.AnyAsync(row => row.Kind == kind && row.Name == name && row.ParentUid == parent && row.DeletedAt != null, cancellationToken));

    public Task<long> GenerationAsync(CancellationToken cancellationToken) =>
        sessions.ReadAsync(async session => (await session.FindAsync(session.Tables.Generations, $"WHERE x.id = 1"))!.Generation, cancellationToken);

    public async Task<IReadOnlyList<long>> CountersAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        var rows = await sessions.ReadAsync(session => Counters.CommittedAsync(session, keys), cancellationToken);
        return [.. keys.Select(key => rows.GetValueOrDefault(key))];
    }

    private static async Task<RegistryOutcome> PutAsync(WriteSession session, RegistryChange change)
    {
        // Bound with what uses it, or not at all: whatever refuses the change below throws nothing away but this.
        if (change.Secrets.Count > 0 && !await SecretBindings.BindableAsync(session, change.Entry.Uid, change.Secrets)) return new RegistryOutcome.SecretBoundElsewhere();
        var outcome = change.ExpectedVersion is { } expected ? await ReplaceAsync(session, change, expected) : await AddAsync(session, change);
        if (outcome is not RegistryOutcome.Changed { Entry: var entry }) return outcome;
        await SecretBindings.BindAsync(session, entry.Uid, change.Secrets);
        await Gates.SetVersionAsync(session, entry.Uid, entry.Version);
        if (entry.Kind == ResourceKind.PolicySet) await Gates.BumpPoliciesAsync(session);
        if (change.ReevaluateAfter is { } delay) await Reevaluating.RequestAsync(session, ReevaluationScope.Everything, delay);
        await Gates.BumpGenerationAsync(session);
        session.Audit(change.Audit);
        session.MadeWork = true;
        return outcome;
    }

    private static async Task<RegistryOutcome> AddAsync(WriteSession session, RegistryChange change)
    {
        var entry = change.Entry with { Version = 1 };
        var named = entry.ParentUid is { } parent
            ? await session.ListAsync(session.Tables.Registry, $"WHERE x.kind = {entry.Kind} AND x.name = {entry.Name} AND x.parent_uid = {parent} ORDER BY x.uid")
            : await session.ListAsync(session.Tables.Registry, $"WHERE x.kind = {entry.Kind} AND x.name = {entry.Name} AND x.parent_uid IS NULL ORDER BY x.uid");
        if (named.Find(row => row.DeletedAt is null) is { } taken) return new RegistryOutcome.NameTaken(taken.Uid);
        if (named.Count > 0 && !change.ReuseName) return new RegistryOutcome.NameIsTombstone(named[^1].Uid);
        // Another node may have taken the name since: the index decides, and the next run sees it.
        if (!await session.InsertIfNewAsync(session.Tables.Registry, RegistryMapping.ToRow(entry))) throw new LostRaceException();
        return new RegistryOutcome.Changed(entry);
    }

    private static async Task<RegistryOutcome> ReplaceAsync(WriteSession session, RegistryChange change, long expected)
    {
        var row = await session.FindAsync(session.Tables.Registry, $"WHERE x.uid = {change.Entry.Uid} {session.Dialect.ForUpdate}");
        if (row is null || row.DeletedAt is not null) return new RegistryOutcome.Unknown();
        if (row.Version != expected) return new RegistryOutcome.VersionMismatch(row.Version);
        if (change.RefuseWithUnprovenLeases && await UnprovenAsync(session, row) is > 0 and var count) return new RegistryOutcome.HasUnprovenLeases(count);
        var entry = change.Entry with { Version = expected + 1, Name = row.Name, Kind = row.Kind, ParentUid = row.ParentUid, CreatedAt = row.CreatedAt };
        string[] changed = [nameof(row.Version), nameof(row.SpecJson), nameof(row.ManagedBy), nameof(row.TargetIdentity), nameof(row.UpdatedAt), nameof(row.DeletedAt)];
        await session.UpdateAsync(session.Tables.Registry, RegistryMapping.ToRow(entry), changed, $"uid = {entry.Uid}");
        return new RegistryOutcome.Changed(entry);
    }

    // Exact under the gate's lock: Reserve holds it shared while it charges.
    private static Task<long> UnprovenAsync(WriteSession session, RegistryRow row) =>
        Counters.ValueAsync(session, (row.Kind == ResourceKind.Role ? "role:" : "provider:") + row.Uid);
}

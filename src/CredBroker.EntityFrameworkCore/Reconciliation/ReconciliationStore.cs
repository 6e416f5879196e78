using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Reconciliation;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Reconciliation;

/// <summary>Reconciliation, in the database.</summary>
internal sealed class ReconciliationStore(BrokerWriter writer, ReadContexts contexts) : IReconciliationStore
{
    // Read by nodes of the version before and after: what one does not know it passes over.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    public Task<IReadOnlyList<ReconciliationStatus>> ListAsync(CancellationToken cancellationToken) => contexts.ReadAsync<IReadOnlyList<ReconciliationStatus>>(async context =>
        [.. (await context.Reconciliations.ToListAsync(cancellationToken)).Select(row => new ReconciliationStatus(row.ProviderUid, row.DueAt, row.Until, row.CompleteAt, Read(row)))]);

    public Task<ReconciliationClaim?> ClaimAsync(Uid provider, TimeSpan holdFor, TimeSpan firstAfter, bool now, CancellationToken cancellationToken) =>
        writer.WriteAsync(Urgency.End, LockSet.None, session => ClaimAsync(session, provider, holdFor, firstAfter, now), cancellationToken);

    public async Task<IReadOnlyDictionary<Uid, ReconciledLease>> FindAsync(IReadOnlyCollection<Uid> leases, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(leases);
        var found = await contexts.ReadAsync(context => Select(context.Leases.Where(row => leases.Contains(row.Id))).ToListAsync(cancellationToken));
        return found.ToDictionary(lease => lease.Id);
    }

    public Task<IReadOnlyList<ReconciledLease>> LivingAsync(Uid provider, Uid after, int most, CancellationToken cancellationToken) => contexts.ReadAsync<IReadOnlyList<ReconciledLease>>(async context =>
        await Select(context.Leases.Where(row => row.ProviderUid == provider && row.State <= LeaseState.Active && row.Id > after).OrderBy(row => row.Id).Take(most)).ToListAsync(cancellationToken));

    public Task<bool> FinishAsync(ReconciliationClaim claim, ReconciliationReport report, DateTimeOffset nextAt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claim);
        ArgumentNullException.ThrowIfNull(report);
        return writer.WriteAsync(Urgency.End, LockSet.None, session => FinishAsync(session, claim, report, nextAt), cancellationToken);
    }

    private static async Task<ReconciliationClaim?> ClaimAsync(WriteSession session, Uid provider, TimeSpan holdFor, TimeSpan firstAfter, bool now)
    {
        var table = session.Tables.Reconciliations;
        await session.InsertIfNewAsync(table, new ReconciliationRow { ProviderUid = provider, DueAt = session.Now + firstAfter });
        var row = await session.FindAsync(table, $"WHERE x.provider_uid = {provider} {session.Dialect.ForUpdate}");
        if (row is null || row.Until > session.Now || (!now && row.DueAt > session.Now)) return null;
        row.Fence++;
        row.Until = session.Now + holdFor;
        await session.UpdateAsync(table, row, [nameof(row.Fence), nameof(row.Until)], $"provider_uid = {provider}");
        var gate = await session.FindAsync(session.Tables.Gates, $"WHERE x.uid = {provider}");
        return new ReconciliationClaim(provider, "", row.Fence) { QuarantinedAt = gate?.QuarantinedAt, AcceptedAt = row.AcceptedAt };
    }

    private static async Task<bool> FinishAsync(WriteSession session, ReconciliationClaim claim, ReconciliationReport report, DateTimeOffset nextAt)
    {
        var table = session.Tables.Reconciliations;
        var row = await session.FindAsync(table, $"WHERE x.provider_uid = {claim.Provider} {session.Dialect.ForUpdate}");
        if (row is null || row.Fence != claim.Fence) return false;
        var before = Read(row);
        (row.Until, row.DueAt, row.Report) = (null, nextAt, JsonSerializer.Serialize(report, Json));
        if (report.Complete) row.CompleteAt = report.StartedAt;
        await session.UpdateAsync(table, row, [nameof(row.Until), nameof(row.DueAt), nameof(row.Report), nameof(row.CompleteAt)], $"provider_uid = {claim.Provider}");
        // Told when it is another outcome than the last: every quarter of an hour the same is no event.
        if (report.Acted > 0 || before is null || Outcome(before) != Outcome(report)) session.Audit(Draft(claim, report));
        return true;
    }

    private static (bool, long, long, long, long, long) Outcome(ReconciliationReport report) =>
        (report.Complete, report.Reappeared, report.Missing, report.Unknown, report.Forged, report.Unmarked);

    private static AuditDraft Draft(ReconciliationClaim claim, ReconciliationReport report) => new(AuditTypes.ProviderReconciled, Actor.Broker)
    {
        Resource = $"providers/{claim.ProviderName}",
        Detail = new JsonObject
        {
            ["complete"] = report.Complete,
            ["listed"] = report.Listed,
            ["compared"] = report.Compared,
            ["reappeared"] = report.Reappeared,
            ["missing"] = report.Missing,
            ["unknown"] = report.Unknown,
            ["forged"] = report.Forged,
            ["unmarked"] = report.Unmarked,
            ["acted"] = report.Acted,
            ["doubted"] = report.TooManyMissing,
        },
        Texts = report.Error.Length > 0 ? new Dictionary<string, string> { ["error"] = report.Error } : new Dictionary<string, string>(),
    };

    private static ReconciliationReport? Read(ReconciliationRow row) => row.Report is null ? null : JsonSerializer.Deserialize<ReconciliationReport>(row.Report, Json);

    private static IQueryable<ReconciledLease> Select(IQueryable<LeaseRow> rows) => rows.Select(row => new ReconciledLease
    {
        Id = row.Id,
        ExternalName = row.ExternalName,
        TargetIdentity = row.TargetIdentity,
        RoleKind = row.RoleKind,
        State = row.State,
        Version = row.Version,
        ActivatedAt = row.ActivatedAt,
        ClosedAt = row.ClosedAt,
        ExpiresAt = row.ExpiresAt,
        ReservedAt = row.ReservedAt,
        PossibleDeathAt = row.PossibleDeathAt,
        Local = row.Local,
    });
}

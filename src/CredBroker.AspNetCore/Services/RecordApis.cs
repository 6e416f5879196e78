using CredBroker.Abstractions;
using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.Filters;
using CredBroker.AspNetCore.Mapping;
using CredBroker.AspNetCore.Paging;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Receipts;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Workloads;
using Grpc.Core;
using AuditEvent = CredBroker.Contracts.V1.AuditEvent;
using Receipt = CredBroker.Contracts.V1.Receipt;
using Suspension = CredBroker.Contracts.V1.Suspension;
using Workload = CredBroker.Contracts.V1.Workload;

namespace CredBroker.AspNetCore.Services;

/// <summary>The service of receipts.</summary>
internal sealed class ReceiptsApi(ReceiptService receipts, IAuditLog log, PageTokens pages) : Receipts.ReceiptsBase
{
    private const int Batch = 500;

    public override async Task<Receipt> GetReceipt(GetReceiptRequest request, ServerCallContext context)
    {
        var task = Calls.UidIn(request.Name, 1);
        var receipt = (await receipts.GetAsync(context.Caller(), task, null, context.CancellationToken)).OrThrow(context, request.Name);
        return receipt.ToProto(await DecisionsOfAsync(task, context.CancellationToken));
    }

    public override async Task<ListReceiptRevisionsResponse> ListReceiptRevisions(ListReceiptRevisionsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var task = Calls.UidIn(request.Name, 1);
        var list = $"{request.Name}|{caller.Workload.Uid}";
        var page = pages.Read(list, request.PageSize, request.PageToken);
        var latest = (await receipts.GetAsync(caller, task, null, context.CancellationToken)).OrThrow(context, request.Name);
        var decisions = await DecisionsOfAsync(task, context.CancellationToken);
        var response = new ListReceiptRevisionsResponse();
        var revision = page.After is { } after ? int.Parse(after, System.Globalization.CultureInfo.InvariantCulture) + 1 : 1;
        for (; revision <= latest.Revision && response.Receipts.Count < page.Size; revision++)
        {
            // A revision that was only ever open isn't kept: it is made of the leases when it is read.
            var found = await receipts.GetAsync(caller, task, revision, context.CancellationToken);
            if (found.Match<Core.Receipts.Receipt?>(value => value, _ => null) is { } receipt) response.Receipts.Add(receipt.ToProto(decisions));
        }

        response.NextPageToken = pages.Write(list, revision <= latest.Revision ? (revision - 1).ToString(System.Globalization.CultureInfo.InvariantCulture) : null);
        return response;
    }

    private async Task<Dictionary<Uid, Core.Audit.AuditEvent>> DecisionsOfAsync(Uid task, CancellationToken cancellationToken)
    {
        var decisions = new Dictionary<Uid, Core.Audit.AuditEvent>();
        string? after = null;
        do
        {
            var page = await log.ListAsync(new AuditQuery { Task = task, Types = [AuditTypes.Decision] }, new PageRequest(Batch, after), cancellationToken);
            foreach (var found in page.Items)
                if (found.Draft.DecisionId is { } id) decisions[id] = found;
            after = page.Next;
        }
        while (after is not null);
        return decisions;
    }
}

/// <summary>The service of workloads.</summary>
internal sealed class WorkloadsApi(WorkloadService workloads, Catalog catalog, PageTokens pages) : Workloads.WorkloadsBase
{
    private static readonly FilterField[] Filters = [FilterField.Resource("identity_source", "identitySources")];

    public override async Task<Workload> GetWorkload(GetWorkloadRequest request, ServerCallContext context) =>
        (await workloads.GetAsync(context.Caller(), Calls.UidIn(request.Name, 1), context.CancellationToken)).OrThrow(context, request.Name).ToProto();

    public override async Task<ListWorkloadsResponse> ListWorkloads(ListWorkloadsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var list = $"workloads|{request.Filter}|{caller.Workload.Uid}";
        var page = pages.Read(list, request.PageSize, request.PageToken);
        Uid? source = null;
        if (FilterParser.Parse(request.Filter, Filters) is [var term, ..])
        {
            source = catalog.Current.FindSource(term.Values[0].Split('/')[1])?.Uid;
            if (source is null) return new ListWorkloadsResponse();
        }

        var found = (await workloads.ListAsync(caller, source, page, context.CancellationToken)).OrThrow(context);
        return new ListWorkloadsResponse { NextPageToken = pages.Write(list, found.Next), Workloads = { found.Items.Select(shown => shown.ToProto()) } };
    }

    public override async Task<Workload> AcceptWorkloadIdentity(AcceptWorkloadIdentityRequest request, ServerCallContext context)
    {
        var id = Calls.UidIn(request.Name, 1);
        var shown = (await workloads.GetAsync(context.Caller(), id, context.CancellationToken)).OrThrow(context, request.Name);
        var seen = shown.Workload.RefusedStableIds ?? new Dictionary<string, string>();
        // What the person has looked at is what is accepted, not what somebody showed meanwhile.
        if (seen.Count != request.StableIds.Count || request.StableIds.Any(pair => seen.GetValueOrDefault(pair.Key) != pair.Value))
            throw ErrorStatus.Exception(ErrorStatus.Error(ErrorReason.StateConflict, "These aren't the stable ids that were refused last. Read the workload again."));
        return (await workloads.AcceptAsync(context.Caller(), id, context.CancellationToken)).OrThrow(context, request.Name).ToProto();
    }
}

/// <summary>The service of suspensions.</summary>
internal sealed class SuspensionsApi(SuspensionService suspensions, PageTokens pages, TimeProvider time) : Contracts.V1.Suspensions.SuspensionsBase
{
    private static readonly FilterField[] Filters = [FilterField.Flag("active")];

    public override async Task<Suspension> CreateSuspension(CreateSuspensionRequest request, ServerCallContext context)
    {
        var asked = request.Suspension;
        var command = new SuspendCommand(asked.Target, asked.Reason, asked.ExpireTime.ToDomain(), request.ValidateOnly, request.RequestId, request.HasMostLeases ? request.MostLeases : null);
        var counted = await suspensions.SuspendAsync(context.Caller(), command, context.CancellationToken);
        return counted.OrThrow(context, asked.Target).ToProto(time.GetUtcNow());
    }

    public override async Task<Suspension> GetSuspension(GetSuspensionRequest request, ServerCallContext context) =>
        (await suspensions.GetAsync(context.Caller(), Calls.UidIn(request.Name, 1), context.CancellationToken)).OrThrow(context, request.Name).ToProto(time.GetUtcNow());

    public override async Task<ListSuspensionsResponse> ListSuspensions(ListSuspensionsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var list = $"suspensions|{request.Filter}|{caller.Workload.Uid}";
        var page = pages.Read(list, request.PageSize, request.PageToken);
        var active = FilterParser.Parse(request.Filter, Filters) is [var term, ..] ? term.Values[0] : "";
        if (active == "false") throw FilterFault.At(0, "active can be compared with true alone.");
        var found = (await suspensions.ListAsync(caller, active == "true", page, context.CancellationToken)).OrThrow(context);
        return new ListSuspensionsResponse { NextPageToken = pages.Write(list, found.Next), Suspensions = { found.Items.Select(counted => counted.ToProto(time.GetUtcNow())) } };
    }

    public override async Task<Suspension> LiftSuspension(LiftSuspensionRequest request, ServerCallContext context) =>
        (await suspensions.LiftAsync(context.Caller(), Calls.UidIn(request.Name, 1), context.CancellationToken)).OrThrow(context, request.Name).ToProto(time.GetUtcNow());
}

/// <summary>The service of audit events.</summary>
internal sealed class AuditEventsApi(AuditService audit, PageTokens pages) : AuditEvents.AuditEventsBase
{
    public override async Task<AuditEvent> GetAuditEvent(GetAuditEventRequest request, ServerCallContext context)
    {
        var parts = request.Name.Split('/')[1].Split('-');
        if (!Uid.TryParse(parts[0], out var writer) || !long.TryParse(parts[1], System.Globalization.CultureInfo.InvariantCulture, out var sequence))
            throw ErrorStatus.Exception(ErrorStatus.Missing(request.Name));
        return (await audit.GetAsync(context.Caller(), writer, sequence, context.CancellationToken)).OrThrow(context, request.Name).ToProto();
    }

    public override async Task<ListAuditEventsResponse> ListAuditEvents(ListAuditEventsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var list = $"auditEvents|{request.Filter}|{caller.Workload.Uid}";
        var page = pages.Read(list, request.PageSize, request.PageToken);
        var found = (await audit.ListAsync(caller, AuditFilter.Events(request.Filter), page, context.CancellationToken)).OrThrow(context);
        return new ListAuditEventsResponse { AuditEvents = { found.Items.Select(item => item.ToProto()) }, NextPageToken = pages.Write(list, found.Next) };
    }
}

/// <summary>The service of decisions: each is kept in its audit event.</summary>
internal sealed class DecisionsApi(AuditService audit, PageTokens pages) : Decisions.DecisionsBase
{
    private const int MostWithQuestions = 50;

    public override async Task<Decision> GetDecision(GetDecisionRequest request, ServerCallContext context) =>
        (await audit.GetDecisionAsync(context.Caller(), Calls.UidIn(request.Name, 1), context.CancellationToken)).OrThrow(context, request.Name).ToDecision(withQuestion: true);

    public override async Task<ListDecisionsResponse> ListDecisions(ListDecisionsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var list = $"decisions|{request.Filter}|{caller.Workload.Uid}";
        var page = pages.Read(list, request.PageSize, request.PageToken);
        // What was asked is large: so many of the largest still fit into one message.
        if (request.WithQuestions) page = page with { Size = Math.Min(page.Size, MostWithQuestions) };
        var found = (await audit.ListAsync(caller, AuditFilter.Decisions(request.Filter), page, context.CancellationToken)).OrThrow(context);
        return new ListDecisionsResponse { Decisions = { found.Items.Select(item => item.ToDecision(request.WithQuestions)) }, NextPageToken = pages.Write(list, found.Next) };
    }
}

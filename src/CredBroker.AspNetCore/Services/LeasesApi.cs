using CredBroker.Abstractions;
using CredBroker.AspNetCore.Filters;
using CredBroker.AspNetCore.Mapping;
using CredBroker.AspNetCore.Paging;
using CredBroker.Contracts.V1;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using Grpc.Core;
using Lease = CredBroker.Contracts.V1.Lease;

namespace CredBroker.AspNetCore.Services;

/// <summary>The service of leases.</summary>
internal sealed class LeasesApi(LeaseService leases, Issuance issuance, Renewal renewal, TaskAccess access, Catalog catalog, PageTokens pages, TimeProvider time) : Leases.LeasesBase
{
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private static readonly FilterField[] Filters =
    [
        FilterField.OneOf<Lease.Types.State>("state"), FilterField.OneOf<Lease.Types.EffectiveState>("effective_state"),
        FilterField.Resource("task", "tasks"), FilterField.Resource("provider", "providers"), FilterField.Resource("role", "providers"),
        FilterField.Resource("workload", "workloads"), FilterField.Resource("identity_source", "identitySources"),
        FilterField.Time("expire_time"), FilterField.Flag("failing"),
    ];

    public override async Task<IssueLeaseResponse> IssueLease(IssueLeaseRequest request, ServerCallContext context)
    {
        // A secret must not stay in any cache between here and the caller.
        context.GetHttpContext().Response.Headers.CacheControl = "no-store";
        var role = request.Role.Split('/');
        var command = new IssueCommand
        {
            Caller = context.Caller(),
            Task = Calls.UidIn(request.Parent, 1),
            Provider = role[1],
            Role = role[3],
            Parameters = new Dictionary<string, string>(request.Parameters),
            DeclaredDestination = request.Declared?.Destination ?? "",
            Ttl = request.Ttl.ToDomain(),
            RequestId = request.RequestId,
            Attempt = request.Attempt,
        };
        return (await issuance.IssueAsync(command, context.CancellationToken)).OrThrow(context, request.Parent).ToProto();
    }

    public override async Task<Lease> GetLease(GetLeaseRequest request, ServerCallContext context)
    {
        var (task, lease) = IdsIn(request.Name);
        return Show((await leases.GetAsync(context.Caller(), task, lease, context.CancellationToken)).OrThrow(context, request.Name), context);
    }

    public override async Task<ListLeasesResponse> ListLeases(ListLeasesRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var list = $"leases|{request.Parent}|{request.Filter}|{caller.Workload.Uid}";
        var page = pages.Read(list, request.PageSize, request.PageToken);
        var query = QueryOf(FilterParser.Parse(request.Filter, Filters));
        if (query is null) return new ListLeasesResponse();
        if (request.Parent != "tasks/-")
        {
            var parent = Calls.UidIn(request.Parent, 1);
            if (query.Task is { } other && other != parent) return new ListLeasesResponse();
            query = query with { Task = parent };
        }

        var found = (await leases.ListAsync(caller, query, page, context.CancellationToken)).OrThrow(context, request.Parent);
        var withWords = found.Items.Any(view => view.Lease.LastError is not null) && access.MaySeeAll(caller);
        return new ListLeasesResponse { Leases = { found.Items.Select(view => view.ToProto(withWords)) }, NextPageToken = pages.Write(list, found.Next) };
    }

    public override async Task<RenewLeaseResponse> RenewLease(RenewLeaseRequest request, ServerCallContext context)
    {
        var (task, lease) = IdsIn(request.Name);
        var renewed = (await renewal.RenewAsync(context.Caller(), task, lease, request.Ttl.ToDomain(), request.Declared?.Destination ?? "", context.CancellationToken)).OrThrow(context, request.Name);
        return new RenewLeaseResponse { Lease = Show(renewed, context), ExpireTime = renewed.Lease.ExpiresAt.ToProto() };
    }

    public override async Task<Lease> RevokeLease(RevokeLeaseRequest request, ServerCallContext context)
    {
        var (task, id) = IdsIn(request.Name);
        var revoked = (await leases.RevokeAsync(context.Caller(), task, id, context.CancellationToken)).OrThrow(context, request.Name);
        return Show(request.WaitUntilRevoked ? await WaitAsync(revoked, context) : revoked, context);
    }

    public override async Task<Lease> WriteOffLease(WriteOffLeaseRequest request, ServerCallContext context) =>
        Show((await leases.WriteOffAsync(context.Caller(), IdsIn(request.Name).Lease, request.Reason, context.CancellationToken)).OrThrow(context, request.Name), context);

    private async Task<LeaseView> WaitAsync(LeaseView view, ServerCallContext context)
    {
        var until = context.Deadline == DateTime.MaxValue ? time.GetUtcNow() + DefaultWait : new DateTimeOffset(context.Deadline) - TimeSpan.FromMilliseconds(250);
        while (view.Lease.Unproven && time.GetUtcNow() < until)
        {
            await Task.Delay(Look, time, context.CancellationToken);
            var looked = await leases.GetAsync(context.Caller(), view.Lease.TaskId, view.Lease.Id, context.CancellationToken);
            // Whoever may end it needn't be one who may see it: then the first answer is all there is.
            if (looked.Match<LeaseView?>(now => now, _ => null) is not { } now) return view;
            view = now;
        }

        return view;
    }

    private Lease Show(LeaseView view, ServerCallContext context) =>
        view.ToProto(withWords: view.Lease.LastError is not null && access.MaySeeAll(context.Caller()));

    private static (Uid? Task, Uid Lease) IdsIn(string name) => (name.StartsWith("tasks/-/", StringComparison.Ordinal) ? null : Calls.UidIn(name, 1), Calls.UidIn(name, 3));

    /// <summary>The query; null when nothing can match.</summary>
    private LeaseQuery? QueryOf(IReadOnlyList<FilterTerm> terms)
    {
        var query = new LeaseQuery();
        foreach (var term in terms)
        {
            if (term is { Field: not ("state" or "expire_time"), Values.Count: > 1 }) throw FilterFault.At(0, $"{term.Field} takes one value.");
            var value = term.Values[0];
            if (term.Field is "provider" or "role" or "identity_source" && FindUid(term.Field, value) is null) return null;
            query = term switch
            {
                { Field: "state" } => query with { States = [.. term.Values.Select(name => ProtoEnum.ValueOf<Lease.Types.State>(name).ToDomain())] },
                { Field: "effective_state" } => query with { Live = value == "LIVE" },
                { Field: "task" } => query with { Task = Calls.UidIn(value, 1) },
                { Field: "provider" } => query with { Provider = FindUid("provider", value) },
                { Field: "role" } => query with { Role = FindUid("role", value) },
                { Field: "workload" } => query with { Workload = Calls.UidIn(value, 1) },
                { Field: "identity_source" } => query with { Source = FindUid("identity_source", value) },
                { Field: "failing" } => query with { Failing = value == "true" },
                { Operator: "<" } => query with { ExpiresBefore = TimeOf(value) },
                _ => query with { ExpiresAfter = TimeOf(value) },
            };
        }

        return query;
    }

    private Uid? FindUid(string kind, string name)
    {
        var parts = name.Split('/');
        var registry = catalog.Current;
        return kind switch
        {
            "provider" when parts.Length == 2 => registry.Providers.GetValueOrDefault(parts[1])?.Uid,
            "role" when parts.Length == 4 && registry.TryFindRole(parts[1], parts[3], out _, out var role) => role.Uid,
            "identity_source" when parts.Length == 2 => registry.FindSource(parts[1])?.Uid,
            _ => null,
        };
    }

    private static DateTimeOffset TimeOf(string value) => FilterField.TryTime(value, out var time) ? time : throw new FormatException("The parser let a wrong time through.");
}

using CredBroker.AspNetCore.Filters;
using CredBroker.AspNetCore.Mapping;
using CredBroker.AspNetCore.Paging;
using CredBroker.Contracts.V1;
using CredBroker.Core.Erasure;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using Grpc.Core;
using AgentTask = CredBroker.Contracts.V1.AgentTask;

namespace CredBroker.AspNetCore.Services;

/// <summary>The service of tasks.</summary>
internal sealed class TasksApi(TaskService tasks, LeaseService leases, ErasureService erasure, Catalog catalog, KeepAliveLine line, PageTokens pages, TimeProvider time) : Tasks.TasksBase
{
    private const int MostUnproven = 100;
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(30);

    private static readonly FilterField[] Filters =
    [
        FilterField.OneOf<AgentTask.Types.State>("state"), FilterField.Resource("parent", "tasks"),
        FilterField.Resource("performer_source", "identitySources"), FilterField.Text("performer_subject"), FilterField.Text("labels.*"),
    ];

    public override async Task<AgentTask> CreateTask(CreateTaskRequest request, ServerCallContext context) =>
        (await tasks.CreateAsync(request.ToCommand(context.Caller()), context.CancellationToken)).OrThrow(context, request.Task.Parent).ToProto();

    public override async Task<AgentTask> GetTask(GetTaskRequest request, ServerCallContext context) =>
        (await tasks.GetAsync(context.Caller(), Calls.UidIn(request.Name, 1), context.CancellationToken)).OrThrow(context, request.Name).ToProto();

    public override async Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var list = $"tasks|{request.Filter}|{caller.Workload.Uid}";
        var page = pages.Read(list, request.PageSize, request.PageToken);
        var query = await QueryAsync(FilterParser.Parse(request.Filter, Filters), context);
        if (query is null) return new ListTasksResponse();
        var found = await tasks.ListAsync(caller, query, page, context.CancellationToken);
        return new ListTasksResponse { Tasks = { found.Items.Select(task => task.ToProto()) }, NextPageToken = pages.Write(list, found.Next) };
    }

    public override async Task<EndTaskResponse> EndTask(EndTaskRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var id = Calls.UidIn(request.Name, 1);
        var ended = (await tasks.EndAsync(caller, id, request.Outcome.ToDomain(), context.CancellationToken)).OrThrow(context, request.Name);
        using var patience = Patience(context, request.WaitUntilRevoked);
        var unproven = await leases.WaitUntilProvenAsync(id, patience.Token);
        var response = new EndTaskResponse { Task = ended.ToProto(), Unproven = (int)unproven };
        if (unproven == 0) return response;
        var query = new LeaseQuery { Task = id, States = [LeaseState.Pending, LeaseState.Active, LeaseState.Revoking] };
        // Whoever may end a task, as by policy, needn't be one who may see what it holds.
        var left = await leases.ListAsync(caller, query, new(MostUnproven, null), CancellationToken.None);
        response.UnprovenLeases.Add(left.Match(page => page.Items.Select(view => view.ToProto(withWords: false).Name), _ => []));
        return response;
    }

    public override async Task<HeartbeatResponse> Heartbeat(HeartbeatRequest request, ServerCallContext context)
    {
        var until = (await tasks.HeartbeatAsync(context.Caller(), Calls.UidIn(request.Name, 1), context.CancellationToken)).OrThrow(context, request.Name);
        return new HeartbeatResponse { AliveUntil = until.ToProto() };
    }

    public override async Task<EraseTaskTextsResponse> EraseTaskTexts(EraseTaskTextsRequest request, ServerCallContext context)
    {
        var erased = (await erasure.EraseAsync(context.Caller(), Calls.UidIn(request.Name, 1), context.CancellationToken)).OrThrow(context, request.Name);
        return new EraseTaskTextsResponse { Task = erased.Task.ToProto(), Tasks = erased.Tasks, Texts = erased.Texts };
    }

    public override Task KeepTaskAlive(KeepTaskAliveRequest request, IServerStreamWriter<KeepTaskAliveResponse> responseStream, ServerCallContext context) =>
        line.HoldAsync(request.Name, responseStream, context);

    private CancellationTokenSource Patience(ServerCallContext context, bool wait)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        if (!wait)
        {
            source.Cancel();
            return source;
        }

        // A little before the caller's own deadline, so that it still gets the answer.
        var left = context.Deadline == DateTime.MaxValue ? DefaultWait : context.Deadline - time.GetUtcNow().UtcDateTime - TimeSpan.FromMilliseconds(250);
        source.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        return source;
    }

    /// <summary>The query; null when nothing can match.</summary>
    private async Task<TaskQuery?> QueryAsync(IReadOnlyList<FilterTerm> terms, ServerCallContext context)
    {
        var query = new TaskQuery();
        var labels = new Dictionary<string, string>();
        foreach (var term in terms)
        {
            switch (term.Field)
            {
                case "state":
                    if (term.Values.Count == 1) query = query with { Running = term.Values[0] == "RUNNING" };
                    break;
                case "parent":
                    var parent = await tasks.GetAsync(context.Caller(), Calls.UidIn(One(term), 1), context.CancellationToken);
                    query = query with { UnderPath = parent.OrThrow(context, term.Values[0]).Path };
                    break;
                case "performer_source":
                    var sources = term.Values.Select(name => catalog.Current.FindSource(name.Split('/')[1])?.Uid).OfType<Abstractions.Uid>().ToList();
                    if (sources.Count == 0) return null;
                    query = query with { PerformerSources = sources };
                    break;
                case "performer_subject":
                    query = query with { PerformerSubject = One(term) };
                    break;
                default:
                    labels[term.Field["labels.".Length..]] = One(term);
                    break;
            }
        }

        return labels.Count == 0 ? query : query with { Labels = labels };
    }

    private static string One(FilterTerm term) => term.Values.Count == 1 ? term.Values[0] : throw FilterFault.At(0, $"{term.Field} takes one value.");
}

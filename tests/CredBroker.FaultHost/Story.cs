using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CredBroker.FaultHost;

/// <summary>The database that logins are made in.</summary>
/// <param name="Host">Its host.</param>
/// <param name="Port">Its port.</param>
/// <param name="Database">Its name.</param>
/// <param name="Username">The broker's own login there.</param>
/// <param name="Group">What logins are members of.</param>
internal sealed record Target(string Host, int Port, string Database, string Username, string Group);

/// <summary>Everything that can happen to a lease of this provider, in one story: each step of the seams is reached in it.</summary>
internal sealed class Story(IServiceProvider services, Mishaps mishaps, Target target)
{
    /// <summary>The exit code of a story that came to its end.</summary>
    public const int NotReached = 3;

    private const int NotProven = 4;
    private const string Provider = "reports-db";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private static readonly PageRequest Whole = new(1000, null);
    private Caller _agent = null!;
    private Caller _root = null!;

    private DateTimeOffset Now => Get<TimeProvider>().GetUtcNow();

    private T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    /// <summary>Registers what is missing, and lifts what an earlier story left suspended.</summary>
    public async Task PrepareAsync()
    {
        var registry = Get<RegistryService>();
        var known = Get<Catalog>().Current;
        if (!known.Providers.ContainsKey(Provider))
        {
            var config = JsonSerializer.SerializeToElement(new { host = target.Host, port = target.Port, database = target.Database, username = target.Username, password = new { source = Provider }, sslMode = "disable", groups = new[] { target.Group } });
            Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, Provider, null, new ProviderSpec { Type = "postgresql", Config = config, Reconciliation = ReconciliationMode.Sweep }, new ChangeOptions(), default));
            var template = JsonSerializer.SerializeToElement(new { groups = new[] { target.Group } });
            Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "reader", Provider, new RoleSpec { Kind = "login", Template = template }, new ChangeOptions(), default));
            Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = """@id("agents") permit (principal in IdentitySource::"ci", action, resource);""" }, new ChangeOptions(), default));
        }

        _agent = await CallerAsync("agent");
        var root = await CallerAsync("root");
        _root = root with { IsRoot = true, Identity = root.Identity with { OperatorOwned = true } };
        foreach (var left in (await Get<ISuspensionStore>().ListAsync(true, Whole, default)).Items) await Get<ISuspensionStore>().LiftAsync(left.Id, Actor.Broker, default);
        foreach (var left in await Get<IQuarantineStore>().ListAsync(default)) await Get<IQuarantineStore>().ReleaseAsync(left.Provider, left.Since, Actor.Broker, "", default);
        await Get<Catalog>().RefreshAsync(default);
    }

    /// <summary>Tells it to its end, if nobody is killed in it.</summary>
    public async Task<int> TellAsync()
    {
        var overdue = await OpenAsync(TimeSpan.FromSeconds(1));
        var task = await OpenAsync(TimeSpan.FromHours(1));
        var first = Ok(await IssueAsync(task)).Lease.Lease.Id;
        Ok(await Get<Renewal>().RenewAsync(_agent, null, first, null, "", default));
        mishaps.Next(nameof(IProvider.IssueAsync), Mishap.Refused);
        await IssueAsync(task);
        mishaps.Next(nameof(IProvider.IssueAsync), Mishap.AnswerLost);
        await IssueAsync(task);

        var second = Ok(await IssueAsync(task)).Lease.Lease.Id;
        mishaps.Next(nameof(IProvider.RevokeAsync), Mishap.Refused);
        Ok(await Get<LeaseService>().RevokeAsync(_agent, null, second, default));

        var other = await OpenAsync(TimeSpan.FromHours(1));
        Ok(await IssueAsync(other));
        Ok(await Get<TaskService>().EndAsync(_agent, other, TaskOutcome.Succeeded, default));
        var suspended = Ok(await SuspendAsync(null));
        Ok(await Get<SuspensionService>().LiftAsync(_root, suspended.Suspension.Id, default));
        Ok(await SuspendAsync(Now.AddSeconds(1)));
        Ok(await Get<TaskService>().EndAsync(_agent, task, TaskOutcome.Succeeded, default));
        await UntilAsync(async () =>
            Ok(await Get<TaskService>().GetAsync(_agent, overdue, default)).EndedAt is not null
            && (await Get<ISuspensionStore>().ListAsync(true, Whole, default)).Items.Count == 0
            && (await UnprovenAsync()).All(lease => lease.EndReason == EndReason.OutcomeUnknown));
        return NotReached;
    }

    /// <summary>Lets target and database differ in each way that a listing finds, outside quarantine and in it.</summary>
    public async Task<int> DifferAsync()
    {
        var task = await OpenAsync(TimeSpan.FromHours(1));
        var (gone, renewed) = (Ok(await IssueAsync(task)).Lease.Lease, Ok(await IssueAsync(task)).Lease.Lease);
        var revived = await DeadAsync(task);
        var mark = Get<LeaseMarks>().Make(revived.Id, revived.MarkKeyId);
        await AtTargetAsync($"DROP ROLE IF EXISTS {revived.ExternalName}; CREATE ROLE {revived.ExternalName} LOGIN; COMMENT ON ROLE {revived.ExternalName} IS '{mark}'; DROP ROLE {gone.ExternalName}");
        await ReconcileAsync();

        Ok(await Get<QuarantineService>().StartAsync(_root, Provider, "a drill", default));
        await AtTargetAsync($"ALTER ROLE {renewed.ExternalName} VALID UNTIL '{Now.AddMinutes(30):O}'");
        await ReconcileAsync();
        return NotReached;
    }

    /// <summary>Ends what still runs and what a target still shows, and waits until all is proven dead.</summary>
    public async Task<int> RecoverAsync()
    {
        await ReconcileAsync();
        var tasks = await Get<ITaskStore>().ListAsync(new TaskQuery { Running = true }, Whole, default);
        foreach (var task in tasks.Items) await Get<ITaskStore>().EndAsync(new TaskEnd(task.Id, TaskOutcome.Cancelled, TaskEndReason.Ended, Actor.Broker), default);
        if (await UntilAsync(async () => (await UnprovenAsync()).Count == 0)) return 0;
        foreach (var lease in await UnprovenAsync()) Console.Out.WriteLine($"{lease.ExternalName} is {lease.State} ({lease.EndReason}), {lease.Attempts} attempts, {lease.LastError}");
        return NotProven;
    }

    /// <summary>A lease that was proven dead, by an earlier story where there was one.</summary>
    private async Task<Lease> DeadAsync(Uid task)
    {
        if (await FindAsync() is { } known) return known;
        Ok(await Get<LeaseService>().RevokeAsync(_agent, null, Ok(await IssueAsync(task)).Lease.Lease.Id, default));
        await UntilAsync(async () => await FindAsync() is not null);
        return (await FindAsync())!;

        async Task<Lease?> FindAsync() => (await Get<ILeaseStore>().ListAsync(new LeaseQuery { States = [LeaseState.Revoked] }, Whole, default)).Items.Select(view => view.Lease).FirstOrDefault();
    }

    private async Task ReconcileAsync()
    {
        // The server may be at it by itself.
        if (!await UntilAsync(async () => await Get<ReconciliationService>().RunAsync(_root, Provider, default) is Result<ReconciliationStatus>.Ok)) throw new InvalidOperationException("It is not reconciled.");
    }

    private async Task AtTargetAsync(string sql)
    {
        var password = await Get<ISecretSources>().ReadAsync(Provider, new SecretConsumer("provider", Provider, target.Host), default);
        var settings = new NpgsqlConnectionStringBuilder { Host = target.Host, Port = target.Port, Database = target.Database, Username = target.Username, Password = password.Reveal(), Pooling = false };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<Caller> CallerAsync(string subject)
    {
        var source = Get<Catalog>().Current.FindSource("ci")!;
        var identity = new AttestedIdentity
        {
            SourceUid = source.Uid,
            SourceName = "ci",
            OperatorOwned = false,
            People = false,
            Environment = "",
            Subject = subject,
            StableIds = ImmutableSortedDictionary<string, string>.Empty.Add("id", subject),
            Instance = "run-1",
            Attributes = ImmutableSortedDictionary<string, string>.Empty,
            Teams = [],
            IssuedAt = Now,
            ExpiresAt = Now.AddHours(1),
            TokenHash = subject,
        };
        return Ok(await Get<CallerDirectory>().IdentifyAsync(identity, IPAddress.Loopback, default));
    }

    private async Task<Uid> OpenAsync(TimeSpan ttl) => Ok(await Get<TaskService>().CreateAsync(
        new CreateTaskCommand { Caller = _agent, Intent = new Intent("count the reports", "", "", new Dictionary<string, string>()), Ttl = ttl }, default)).Id;

    private Task<Result<IssuedLease>> IssueAsync(Uid task) =>
        Get<Issuance>().IssueAsync(new IssueCommand { Caller = _agent, Task = task, Provider = Provider, Role = "reader", Ttl = TimeSpan.FromMinutes(5) }, default);

    private Task<Result<SuspensionService.Counted>> SuspendAsync(DateTimeOffset? until) =>
        Get<SuspensionService>().SuspendAsync(_root, new SuspendCommand($"providers/{Provider}/roles/reader", "a drill", until), default);

    private async Task<IReadOnlyList<Lease>> UnprovenAsync() =>
        [.. (await Get<ILeaseStore>().ListAsync(new LeaseQuery { States = [LeaseState.Pending, LeaseState.Active, LeaseState.Revoking] }, Whole, default)).Items.Select(view => view.Lease)];

    private static async Task<bool> UntilAsync(Func<Task<bool>> holds)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var bound = new CancellationTokenSource(Bound);
        while (!await holds())
        {
            if (bound.IsCancellationRequested) return false;
            await timer.WaitForNextTickAsync();
        }

        return true;
    }

    private static T Ok<T>(Result<T> result) => result is Result<T>.Ok { Value: var value } ? value : throw new InvalidOperationException($"It was refused: {((Result<T>.Refused)result).Error}");
}

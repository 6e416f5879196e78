using System.Security.Cryptography;
using CredBroker.Client.Tasks;
using CredBroker.Client.Transport;
using CredBroker.Contracts.V1;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace CredBroker.Client;

/// <summary>
/// A broker, as one caller sees it. Every service of the contract is here as it is; <see cref="StartTaskAsync(Intent, TaskSettings?, CancellationToken)"/> is an agent's
/// usual way. All calls throw <see cref="BrokerException"/>. Safe for concurrent use; make one and keep it.
/// </summary>
public sealed partial class BrokerClient : IDisposable
{
    private readonly GrpcChannel _channel;

    /// <summary>Opens a connection when the first call needs it.</summary>
    /// <exception cref="ArgumentException">The address isn't https, or http on loopback.</exception>
    public BrokerClient(BrokerClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options.Checked();
        _channel = Channels.Open(Options);
        Repeat = new Repeat(Options.Time, Options.MaxAttempts);
        var calls = _channel.Intercept(new ErrorInterceptor(Options.CallTimeout));
        Tasks = new(calls);
        Leases = new(calls);
        Receipts = new(calls);
        ProviderTypes = new(calls);
        Providers = new(calls);
        Roles = new(calls);
        IdentitySources = new(calls);
        Hooks = new(calls);
        PolicySets = new(calls);
        Suspensions = new(calls);
        Workloads = new(calls);
        Decisions = new(calls);
        AuditEvents = new(calls);
        Operations = new(calls);
    }

    /// <summary>Bounded pieces of work.</summary>
    public Contracts.V1.Tasks.TasksClient Tasks { get; }

    /// <summary>Credentials. For issuing prefer <see cref="BrokerTask.IssueAsync"/>, which repeats lost answers safely.</summary>
    public Leases.LeasesClient Leases { get; }

    /// <summary>Statements of what tasks held and how it died.</summary>
    public Receipts.ReceiptsClient Receipts { get; }

    /// <summary>What kinds of providers the broker knows.</summary>
    public ProviderTypes.ProviderTypesClient ProviderTypes { get; }

    /// <summary>Connections to systems that make credentials.</summary>
    public Providers.ProvidersClient Providers { get; }

    /// <summary>What may be asked for.</summary>
    public Roles.RolesClient Roles { get; }

    /// <summary>Whom the broker trusts to vouch for workloads.</summary>
    public IdentitySources.IdentitySourcesClient IdentitySources { get; }

    /// <summary>Signed signals of orchestrators.</summary>
    public Hooks.HooksClient Hooks { get; }

    /// <summary>Policies.</summary>
    public PolicySets.PolicySetsClient PolicySets { get; }

    /// <summary>Who and what holds nothing for a while.</summary>
    public Suspensions.SuspensionsClient Suspensions { get; }

    /// <summary>Callers that were seen.</summary>
    public Workloads.WorkloadsClient Workloads { get; }

    /// <summary>What policy said.</summary>
    public Decisions.DecisionsClient Decisions { get; }

    /// <summary>What happened.</summary>
    public AuditEvents.AuditEventsClient AuditEvents { get; }

    /// <summary>What operators look at and do.</summary>
    public Operations.OperationsClient Operations { get; }

    internal BrokerClientOptions Options { get; }

    internal Repeat Repeat { get; }

    /// <summary>
    /// Opens a task, and keeps it alive by heartbeats where it expects them. Ended when what is returned is disposed.
    /// </summary>
    /// <param name="intent">What it is for, in the caller's own words.</param>
    /// <param name="settings">Its life, heartbeat, performer and parent.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    public async Task<BrokerTask> StartTaskAsync(Intent intent, TaskSettings? settings = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(intent);
        var task = await CreateTaskAsync((settings ?? new()).ToTask(intent), cancellationToken: cancellationToken).ConfigureAwait(false);
        return new BrokerTask(this, task);
    }

    /// <summary>Opens a task with nothing but a sentence about it.</summary>
    public Task<BrokerTask> StartTaskAsync(string what, TaskSettings? settings = null, CancellationToken cancellationToken = default) =>
        StartTaskAsync(new Intent { What = what }, settings, cancellationToken);

    /// <summary>
    /// Takes up a task that was opened elsewhere, such as by an orchestrator that named this caller as its performer.
    /// Heartbeats are sent where it expects them; disposing ends it.
    /// </summary>
    /// <param name="name"><c>tasks/{task}</c>.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    public async Task<BrokerTask> JoinTaskAsync(string name, CancellationToken cancellationToken = default)
    {
        var task = await Repeat.CallAsync(
            _ => Tasks.GetTaskAsync(new() { Name = name }, cancellationToken: cancellationToken).ResponseAsync, cancellationToken).ConfigureAwait(false);
        return new BrokerTask(this, task);
    }

    /// <summary>Closes the connection. Tasks that still run are not ended.</summary>
    public void Dispose() => _channel.Dispose();

    internal static string NewRequestId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}

using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Erasure;
using CredBroker.Core.Leases;
using CredBroker.Core.Receipts;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Registry;
using CredBroker.Core.Retention;
using CredBroker.Core.Revocation;
using CredBroker.Core.Signing;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.TestSupport.Stores;

/// <summary>One node's stores.</summary>
public sealed class StoreNode(ServiceProvider services, FakeTimeProvider time) : IAsyncDisposable
{
    /// <summary>The node's services.</summary>
    public IServiceProvider Services => services;

    /// <summary>The clock.</summary>
    public FakeTimeProvider Time => time;

    /// <summary>The leases.</summary>
    public ILeaseStore Leases { get; } = services.GetRequiredService<ILeaseStore>();

    /// <summary>The claims on groups.</summary>
    public ILeaseGroups Groups { get; } = services.GetRequiredService<ILeaseGroups>();

    /// <summary>The tasks.</summary>
    public ITaskStore Tasks { get; } = services.GetRequiredService<ITaskStore>();

    /// <summary>The registry.</summary>
    public IRegistryStore Registry { get; } = services.GetRequiredService<IRegistryStore>();

    /// <summary>The suspensions.</summary>
    public ISuspensionStore Suspensions { get; } = services.GetRequiredService<ISuspensionStore>();

    /// <summary>What is decided again.</summary>
    public IReevaluationStore Reevaluations { get; } = services.GetRequiredService<IReevaluationStore>();

    /// <summary>The workloads.</summary>
    public IWorkloadStore Workloads { get; } = services.GetRequiredService<IWorkloadStore>();

    /// <summary>The receipts.</summary>
    public IReceiptStore Receipts { get; } = services.GetRequiredService<IReceiptStore>();

    /// <summary>What is forgotten.</summary>
    public IRetentionStore Retention { get; } = services.GetRequiredService<IRetentionStore>();

    /// <summary>What is erased.</summary>
    public IErasureStore Erasure { get; } = services.GetRequiredService<IErasureStore>();

    /// <summary>What is measured.</summary>
    public IBacklogStore Backlog { get; } = services.GetRequiredService<IBacklogStore>();

    /// <summary>What targets list, held against the leases.</summary>
    public IReconciliationStore Reconciliation { get; } = services.GetRequiredService<IReconciliationStore>();

    /// <summary>The audit trail.</summary>
    public IAuditLog Audit { get; } = services.GetRequiredService<IAuditLog>();

    /// <summary>The signing keys.</summary>
    public ISigningKeyStore SigningKeys { get; } = services.GetRequiredService<ISigningKeyStore>();

    /// <summary>What wakes whoever revokes.</summary>
    public Signals Signals { get; } = services.GetRequiredService<Signals>();

    /// <summary>Stops the node: what waits is written, the connections are closed.</summary>
    public ValueTask DisposeAsync() => services.DisposeAsync();
}

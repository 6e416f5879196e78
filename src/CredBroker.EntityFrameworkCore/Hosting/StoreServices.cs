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
using CredBroker.EntityFrameworkCore.Audit;
using CredBroker.EntityFrameworkCore.Erasure;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Protection;
using CredBroker.EntityFrameworkCore.Receipts;
using CredBroker.EntityFrameworkCore.Reconciliation;
using CredBroker.EntityFrameworkCore.Reevaluation;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Retention;
using CredBroker.EntityFrameworkCore.Revocation;
using CredBroker.EntityFrameworkCore.Signing;
using CredBroker.EntityFrameworkCore.Suspensions;
using CredBroker.EntityFrameworkCore.Tasks;
using CredBroker.EntityFrameworkCore.Workloads;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace CredBroker.EntityFrameworkCore;

/// <summary>Registers the store.</summary>
public static class StoreServices
{
    /// <summary>
    /// Registers every store of Core on one database, and Data Protection's key ring in it. <see cref="BrokerDatabase.MigrateAsync"/> comes before the
    /// first use. <see cref="TimeProvider"/> and <see cref="Signals"/> are taken from the services where they are registered.
    /// </summary>
    /// <exception cref="InvalidOperationException">The options name no database, or no wrapping key.</exception>
    public static IServiceCollection AddCredBrokerStore(this IServiceCollection services, Action<StoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new StoreOptions();
        configure(options);
        options.Validate();
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Signals>();
        AddDatabase(services, options);
        AddKeyRing(services, options);
        services.AddSingleton<HandleProtection>();
        services.AddSingleton<ILeaseStore, LeaseStore>();
        services.AddSingleton<ILeaseGroups, LeaseGroups>();
        services.AddSingleton<ITaskStore, TaskStore>();
        services.AddSingleton<IRegistryStore, RegistryStore>();
        services.AddSingleton<ISuspensionStore, SuspensionStore>();
        services.AddSingleton<IReevaluationStore, ReevaluationStore>();
        services.AddSingleton<IWorkloadStore, WorkloadStore>();
        services.AddSingleton<IReceiptStore, ReceiptStore>();
        services.AddSingleton<IAuditLog, AuditLog>();
        services.AddSingleton<IRetentionStore, RetentionStore>();
        services.AddSingleton<IErasureStore, ErasureStore>();
        services.AddSingleton<IBacklogStore, BacklogStore>();
        services.AddSingleton<IReconciliationStore, ReconciliationStore>();
        services.AddSingleton<ISigningKeyStore, SigningKeyStore>();
        return services;
    }

    private static void AddDatabase(IServiceCollection services, StoreOptions options)
    {
        services.AddSingleton(_ => Backend.Of(options));
        services.AddSingleton(provider => provider.GetRequiredService<Backend>().Reads);
        services.AddSingleton(provider => provider.GetRequiredService<Backend>().Dialect);
        services.AddSingleton(provider =>
        {
            using var context = provider.GetRequiredService<Backend>().CreateForMigration();
            return new Tables(context.Model);
        });
        services.AddSingleton<StoreClock>();
        services.AddSingleton<WriterConnection>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<BrokerWriter>(provider, options.QueueLength));
        services.AddSingleton(provider => new BrokerDatabase(
            provider.GetRequiredService<Backend>(), provider.GetRequiredService<BrokerWriter>(), ActivatorUtilities.CreateInstance<KeyRingCheck>(provider)));
    }

    private static void AddKeyRing(IServiceCollection services, StoreOptions options)
    {
        services.AddDataProtection().SetApplicationName("credbroker");
        services.AddSingleton<KeyRingRepository>();
        if (options.WrappingKey is { } key) services.AddSingleton(new WrappingKeys([key, .. options.PreviousWrappingKeys]));
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider => new ConfigureOptions<KeyManagementOptions>(management =>
        {
            management.XmlRepository = provider.GetRequiredService<KeyRingRepository>();
            management.XmlEncryptor = provider.GetService<WrappingKeys>();
        }));
    }
}

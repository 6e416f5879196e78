using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Diagnosis;
using CredBroker.Core.Erasure;
using CredBroker.Core.Leases;
using CredBroker.Core.Pressure;
using CredBroker.Core.Quarantine;
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
using CredBroker.EntityFrameworkCore.Clocks;
using CredBroker.EntityFrameworkCore.Diagnosis;
using CredBroker.EntityFrameworkCore.Erasure;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Protection;
using CredBroker.EntityFrameworkCore.Quarantine;
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
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace CredBroker.EntityFrameworkCore;

/// <summary>Registers the store.</summary>
public static class StoreServices
{
    /// <summary>
    /// Registers every store of Core on one database, and Data Protection's key ring in it. <see cref="BrokerDatabase.MigrateAsync"/> comes before the
    /// first use. <see cref="Signals"/> are taken from the services where they are registered. A <see cref="TimeProvider"/> that was registered before is taken for this machine's clocks, and from then on
    /// stands for the store's time (<see cref="StoreTime"/>).
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
        AddTime(services, options);
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
        services.AddSingleton<IBrokerLife, LifeStore>();
        services.AddSingleton<IQuarantineStore, QuarantineStore>();
        services.AddSingleton<IDiagnosisStore, DiagnosisStore>();
        services.AddSingleton<ISigningKeyStore, SigningKeyStore>();
        return services;
    }

    // What the host registered are this machine's clocks. From here on everybody has the store's time, so that nothing is compared by two.
    private static void AddTime(IServiceCollection services, StoreOptions options)
    {
        var machine = services.LastOrDefault(service => service.ServiceType == typeof(TimeProvider) && !service.IsKeyedService);
        services.RemoveAll<TimeProvider>();
        // It may need no logger, nor anything that does: what logs asks it for the time.
        services.AddSingleton(provider => new StoreTime(
            machine is null ? TimeProvider.System : (TimeProvider)(machine.ImplementationInstance ?? machine.ImplementationFactory!(provider)),
            ownClock: options.Kind == DatabaseKind.Sqlite && options.DatabaseTime is null,
            LimitsOf(provider).ClockDoubt));
        services.AddSingleton<TimeProvider>(provider => provider.GetRequiredService<StoreTime>());
    }

    private static void AddDatabase(IServiceCollection services, StoreOptions options)
    {
        services.AddSingleton(_ => Backend.Of(options));
        services.AddSingleton(provider =>
        {
            using var context = provider.GetRequiredService<Backend>().CreateForMigration();
            return ActivatorUtilities.CreateInstance<SchemaFloor>(provider, [context.Database.GetMigrations().ToArray()]);
        });
        services.AddSingleton(provider => new ReadContexts(provider.GetRequiredService<Backend>().CreateForReading, provider.GetRequiredService<SchemaFloor>()));
        services.AddSingleton(provider => provider.GetRequiredService<Backend>().Dialect);
        services.AddSingleton(provider =>
        {
            using var context = provider.GetRequiredService<Backend>().CreateForMigration();
            return new Tables(context.Model);
        });
        services.AddSingleton<ReadSessions>();
        services.AddSingleton(provider => new ReferenceClock(provider.GetRequiredService<Backend>(), provider.GetRequiredService<StoreTime>(), options.DatabaseTime));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<Witness>(provider, [options.WitnessFile ?? ""]));
        services.AddSingleton<RestoreGuard>();
        services.AddSingleton<WriterConnection>();
        services.AddSingleton<StorePressure>();
        services.AddSingleton(provider =>
        {
            var (pressure, limits) = (provider.GetRequiredService<StorePressure>(), LimitsOf(provider));
            var queue = new WriteQueue(options.QueueLength, limits.LongestQueueAge, provider.GetRequiredService<TimeProvider>());
            (pressure.QueueAge, pressure.QueueLength, pressure.LongestAge) = (() => queue.Age, () => queue.Count, limits.LongestQueueAge);
            return queue;
        });
        services.AddSingleton<BrokerWriter>();
        services.AddSingleton(provider => new SpaceWatch(options, provider.GetRequiredService<StorePressure>()));
        services.AddSingleton(provider => new BrokerDatabase(
            provider.GetRequiredService<Backend>(), provider.GetRequiredService<BrokerWriter>(), ActivatorUtilities.CreateInstance<KeyRingCheck>(provider),
            provider.GetRequiredService<ReferenceClock>(), provider.GetRequiredService<SchemaFloor>()));
    }

    private static BrokerLimits LimitsOf(IServiceProvider provider) => provider.GetService<BrokerLimits>() ?? new BrokerLimits();

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

using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Diagnosis;
using CredBroker.Core.Erasure;
using CredBroker.Core.Hooks;
using CredBroker.Core.Identity;
using CredBroker.Core.Introspection;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Providers;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Quotas;
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

namespace CredBroker.Core.Hosting;

/// <summary>What the host knows and Core needs.</summary>
/// <param name="Limits">Limits and periods.</param>
/// <param name="Root">The operator's root; null when nobody administers by code.</param>
/// <param name="SchemaText">The Cedar schema that policies are checked against.</param>
public sealed record CoreOptions(BrokerLimits Limits, OperatorRoot? Root, string SchemaText);

/// <summary>Registers Core.</summary>
public static class CoreServices
{
    /// <summary>
    /// Adds Core with identity and signing. The host adds the stores, the provider types, <see cref="ISecretSources"/>, <see cref="InstallationOptions"/>,
    /// the egress policy and <see cref="TimeProvider"/>, and calls <see cref="Catalog.RefreshAsync"/> before it serves.
    /// </summary>
    public static IServiceCollection AddCredBrokerCore(this IServiceCollection services, CoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        return services
            .AddIdentityAndSigning()
            .AddSingleton(options.Limits)
            .AddSingleton(Random.Shared)
            .AddSingleton<Signals>()
            .AddSingleton<RevocationWatch>()
            .AddSingleton<BrokerLife>()
            .AddSingleton<KeyRotation>()
            .AddSingleton<BrokerMetrics>()
            .AddSingleton<ProviderTypes>()
            .AddSingleton<IProviderContexts, ProviderContexts>()
            .AddSingleton<ProviderPool>()
            .AddSingleton<TargetIdentities>()
            .AddSingleton<Breaker>()
            .AddSingleton<RateLimits>()
            .AddSingleton<PolicyCompiler>()
            .AddSingleton(_ => new PolicySchema(options.SchemaText))
            .AddSingleton<PolicySetCheck>()
            .AddSingleton<Catalog>()
            .AddSingleton<IIdentitySourceCatalog>(provider => provider.GetRequiredService<Catalog>())
            .AddSingleton<Decider>()
            .AddSingleton<SpecRules>()
            .AddSingleton<RegistryService>()
            .AddSingleton(provider => new CallerDirectory(provider.GetRequiredService<IWorkloadStore>(), options.Root, provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<WorkloadService>()
            .AddSingleton<TaskAccess>()
            .AddSingleton<HeldLines>()
            .AddSingleton<TaskService>()
            .AddSingleton<Admission>()
            .AddSingleton<IssueSlots>()
            .AddSingleton<IssuePlanner>()
            .AddSingleton<GroupTurns>()
            .AddSingleton<ProviderCall>()
            .AddSingleton<Issuance.Issuance>()
            .AddSingleton<Renewal>()
            .AddSingleton<LeaseService>()
            .AddSingleton<Attempts>()
            .AddSingleton<AttemptVerdicts>()
            .AddSingleton<RevocationAttempt>()
            .AddSingleton<GroupMending>()
            .AddSingleton<GroupAttempt>()
            .AddSingleton<GroupDispatcher>()
            .AddSingleton<RevocationDispatcher>()
            .AddSingleton<ReconciliationRun>()
            .AddSingleton<Reconciler>()
            .AddSingleton<ReconciliationService>()
            .AddSingleton<QuarantineService>()
            .AddSingleton<AnchorNotes>()
            .AddSingleton<Anchors>()
            .AddSingleton<IExamination, RevocationExamination>()
            .AddSingleton<IExamination, WorkExamination>()
            .AddSingleton<IExamination, TargetExamination>()
            .AddSingleton<IExamination, ReviewExamination>()
            .AddSingleton<IExamination, KeyExamination>()
            .AddSingleton<IExamination, ClockExamination>()
            .AddSingleton<IExamination, AnchorExamination>()
            .AddSingleton<IExamination, PressureExamination>()
            .AddSingleton<DiagnosisService>()
            .AddSingleton(provider => new SuspensionService(
                provider.GetRequiredService<ISuspensionStore>(), provider.GetRequiredService<IWorkloadStore>(), provider.GetRequiredService<Catalog>(),
                provider.GetRequiredService<Decider>(), options.Root, provider.GetRequiredService<Signals>(), provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<ObtainableRoles>()
            .AddSingleton<DenialLog>()
            .AddSingleton<LeaseJudge>()
            .AddSingleton<PolicyActivation>()
            .AddSingleton<Reevaluator>()
            .AddSingleton<Pruner>()
            .AddSingleton<ReceiptService>()
            .AddSingleton<AuditService>()
            .AddSingleton<ErasureService>()
            .AddSingleton<IntrospectionService>()
            .AddSingleton<HookService>();
    }
}

/// <summary>Gives each provider its own identity, its own secrets, and the way out.</summary>
internal sealed class ProviderContexts(
    ProviderTypes types, ISecretSources secrets, IEgress egress, KeyRing ring, ILeaseTokenSigner signer, InstallationOptions installation, TimeProvider time) : IProviderContexts
{
    public ProviderContext Of(Registered<ProviderSpec> provider, bool local) => new()
    {
        ProviderUid = provider.Uid,
        Name = provider.Name,
        InstallationId = installation.Id,
        Time = time,
        Egress = egress,
        Identity = new FederationIdentity(ring, installation, provider.Uid, time, types.Find(provider.Spec.Type)?.AssertionHostOf(provider.Spec.Config) ?? ""),
        TokenSigner = local ? signer : null,
        ResolveSecretAsync = (reference, cancellationToken) => ResolveAsync(provider, reference, cancellationToken),
    };

    private ValueTask<Secret> ResolveAsync(Registered<ProviderSpec> provider, SecretRef reference, CancellationToken cancellationToken)
    {
        // Only what the registered configuration refers to, and only towards the host that it names there.
        var use = types.Find(provider.Spec.Type)!.SecretsOf(provider.Spec.Config).FirstOrDefault(candidate => candidate.Reference == reference)
            ?? throw new ProviderException(ProviderFault.Misconfigured, "The provider asks for a secret that its configuration does not refer to.", ProviderEffect.None);
        return secrets.ReadAsync(reference.Source, new SecretConsumer("provider", provider.Name, use.Host), cancellationToken);
    }
}

using CredBroker.Abstractions;
using CredBroker.Cedar;
using CredBroker.Core.Identity;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Policies;

/// <summary>What the broker knows, as questions to policy are made of it.</summary>
internal static class Facts
{
    public static AskerFacts ToFacts(this Caller caller, DateTimeOffset now, RegisteredIdentitySource? source) => new()
    {
        Workload = caller.ToWorkloadFacts(),
        Source = source?.ToFacts(),
        OfOperator = caller.Identity.OperatorOwned,
        Now = now,
        SourceIp = caller.SourceIp,
        Attested = caller.Identity.Attributes,
    };

    public static WorkloadFacts ToWorkloadFacts(this Caller caller) =>
        ToFacts(caller.Workload, caller.Identity.Environment, caller.Identity.People, caller.Identity.Instance);

    /// <summary>A workload that is not the caller, with what its last token proved.</summary>
    public static WorkloadFacts ToFacts(this Workload workload, RegisteredIdentitySource? source) =>
        ToFacts(workload, source?.Spec.Environment ?? "", source?.Spec.People ?? false, workload.Instance);

    /// <summary>A performer that nobody has seen yet: it has a name and proves nothing.</summary>
    public static WorkloadFacts ToFacts(this TaskParty party, RegisteredIdentitySource? source) => new()
    {
        Source = party.SourceName,
        Subject = party.Subject,
        Environment = source?.Spec.Environment ?? "",
        People = source?.Spec.People ?? false,
        Instance = party.Instance,
    };

    public static SourceFacts ToFacts(this RegisteredIdentitySource source) =>
        new() { Name = source.Name, Environment = source.Spec.Environment, People = source.Spec.People, Owner = source.Spec.Owner };

    public static ProviderFacts ToFacts(this Registered<ProviderSpec> provider) => new()
    {
        Name = provider.Name,
        Type = provider.Spec.Type,
        Environment = provider.Spec.Environment,
        Owner = provider.Spec.Owner,
        TargetIdentity = provider.Entry.TargetIdentity,
    };

    public static RoleFacts ToFacts(this Registered<RoleSpec> role, Registered<ProviderSpec> provider, string revocability, bool canMint) => new()
    {
        Provider = provider.ToFacts(),
        Name = role.Name,
        Kind = role.Spec.Kind,
        Sensitivity = role.Spec.Sensitivity,
        Owner = role.Spec.Owner,
        Revocability = revocability,
        CanMint = canMint,
    };

    public static TaskFacts ToFacts(this AgentTask task) => new()
    {
        Id = task.Id.ToString(),
        Opener = task.Opener.Name,
        Performer = task.Performer.Name,
        Depth = task.Depth,
        Ancestors = [.. task.Ancestors.Select(ancestor => ancestor.ToString())],
        What = task.Intent.What,
        ForWhom = task.Intent.ForWhom,
        Data = task.Intent.Data,
        Labels = task.Intent.Labels,
    };

    public static HookFacts ToFacts(this Registered<HookSpec> hook) => new() { Name = hook.Name, Owner = hook.Spec.Owner };

    public static Entity ToEntity(this RegisteredIdentitySource source) => BrokerEntities.Of(source.ToFacts());

    public static Entity ToEntity(this Workload workload, RegisteredIdentitySource? source) => BrokerEntities.Of(workload.ToFacts(source));

    public static Entity ToEntity(this Registered<ProviderSpec> provider) => BrokerEntities.Of(provider.ToFacts());

    /// <summary>A role as an administrator speaks of it: what revoking means is not looked up.</summary>
    public static Entity ToEntity(this Registered<RoleSpec> role, Registered<ProviderSpec> provider) => BrokerEntities.Of(role.ToFacts(provider, "", canMint: false));

    public static Entity ToEntity(this AgentTask task) => BrokerEntities.Of(task.ToFacts());

    public static Entity ToEntity(this Registered<HookSpec> hook) => BrokerEntities.Of(hook.ToFacts());

    private static WorkloadFacts ToFacts(Workload workload, string environment, bool people, string? instance) => new()
    {
        Source = workload.SourceName,
        Subject = workload.Subject,
        Environment = environment,
        People = people,
        Instance = instance,
        Teams = workload.Teams,
        Attributes = workload.Attributes,
    };
}

/// <summary>Registered policy sets, as the policy library takes them.</summary>
public static class PolicySetSpecs
{
    /// <summary>The set as it takes part in decisions.</summary>
    public static PolicySetDefinition ToDefinition(this PolicySetSpec spec, string name)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return new()
        {
            Name = name,
            Kind = spec.Kind,
            Providers = spec.Providers,
            IdentitySources = spec.IdentitySources,
            Actions = spec.Actions,
            KeepLiveLeases = spec.KeepLiveLeases,
            Text = spec.Text,
            ReviewBy = spec.ReviewBy,
        };
    }

    /// <summary>Every error, each with file, line and column in its message.</summary>
    public static IReadOnlyList<ValidationError> Check(this PolicySetCheck check, string name, PolicySetSpec spec)
    {
        ArgumentNullException.ThrowIfNull(check);
        return [.. check.Check(spec.ToDefinition(name)).Select(fault => new ValidationError(fault.Field, fault.ToString()))];
    }
}

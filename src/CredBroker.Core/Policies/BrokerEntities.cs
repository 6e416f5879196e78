using CredBroker.Cedar;
using CredBroker.Core.Identity;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Policies;

/// <summary>The broker's things as Cedar entities, as <c>broker.cedarschema</c> declares them.</summary>
internal static class BrokerEntities
{
    public static readonly EntityUid Installation = new("Installation", "this");
    public static readonly EntityUid Params = new("Params", "this");
    public static readonly EntityUid Attested = new("Attested", "this");
    public static readonly EntityUid Labels = new("Labels", "this");

    public static EntityUid Action(string name) => new("Action", name);

    public static EntityUid Workload(string name) => new("Workload", name);

    public static EntityUid Source(string name) => new("IdentitySource", name);

    public static EntityUid Provider(string name) => new("Provider", name);

    public static EntityUid Role(string provider, string role) => new("Role", $"{provider}/{role}");

    public static EntityUid Task(AgentTask task) => new("Task", task.Id.ToString());

    public static EntityUid Hook(string name) => new("Hook", name);

    public static IEnumerable<Entity> Of(Caller caller) =>
        Of(caller.Workload, caller.Identity.Environment, caller.Identity.People, caller.Identity.Instance);

    /// <summary>A workload that is not the caller, with what its last token proved.</summary>
    public static IEnumerable<Entity> Of(Workload workload, RegisteredIdentitySource? source) =>
        Of(workload, source?.Spec.Environment ?? "", source?.Spec.People ?? false, workload.Instance);

    /// <summary>A performer that nobody has seen yet: it has a name and proves nothing.</summary>
    public static Entity Unseen(TaskParty party, RegisteredIdentitySource? source) => new(
        Workload(party.Name), WorkloadAttributes(party.SourceName, party.Subject, source?.Spec.Environment ?? "", source?.Spec.People ?? false, party.Instance), Source(party.SourceName));

    public static Entity Of(RegisteredIdentitySource source) => new(
        Source(source.Name), CedarRecord.Of(("environment", source.Spec.Environment), ("people", source.Spec.People), ("owner", source.Spec.Owner)));

    public static Entity Of(Registered<ProviderSpec> provider) => new(
        Provider(provider.Name), CedarRecord.Of(("type", provider.Spec.Type), ("environment", provider.Spec.Environment), ("owner", provider.Spec.Owner)));

    public static Entity Of(Registered<ProviderSpec> provider, Registered<RoleSpec> role, string revocability, bool canMint) => new(
        Role(provider.Name, role.Name),
        CedarRecord.Of(
            ("provider", Provider(provider.Name)), ("kind", role.Spec.Kind), ("sensitivity", role.Spec.Sensitivity), ("environment", provider.Spec.Environment),
            ("owner", role.Spec.Owner), ("revocability", revocability), ("canMint", canMint)),
        Provider(provider.Name));

    public static Entity Of(AgentTask task) => new(
        Task(task),
        CedarRecord.Of(("opener", Workload(task.Opener.Name)), ("performer", Workload(task.Performer.Name)), ("depth", (long)task.Depth)),
        [.. task.Ancestors.Select(ancestor => new EntityUid("Task", ancestor.ToString()))]);

    public static Entity Of(Registered<HookSpec> hook) => new(Hook(hook.Name), CedarRecord.Of(("owner", hook.Spec.Owner)));

    public static Entity PolicySet(string name, PolicySetSpec spec) => new(new EntityUid("PolicySet", name), CedarRecord.Of(("kind", spec.Kind), ("owner", spec.Owner)));

    public static Entity Tags(EntityUid uid, IEnumerable<KeyValuePair<string, string>> tags) =>
        new(uid, CedarRecord.Empty, [], CedarRecord.Create(tags.Select(tag => KeyValuePair.Create(tag.Key, (CedarValue)tag.Value))));

    private static IEnumerable<Entity> Of(Workload workload, string environment, bool people, string? instance)
    {
        yield return new Entity(
            Workload(workload.Name),
            WorkloadAttributes(workload.SourceName, workload.Subject, environment, people, instance),
            [Source(workload.SourceName), .. workload.Teams.Select(team => new EntityUid("Team", team))],
            CedarRecord.Create(workload.Attributes.Select(tag => KeyValuePair.Create(tag.Key, (CedarValue)tag.Value))));
    }

    private static CedarRecord WorkloadAttributes(string source, string subject, string environment, bool people, string? instance)
    {
        (string, CedarValue)[] always = [("source", Source(source)), ("subject", subject), ("environment", environment), ("people", people)];
        return instance is null ? CedarRecord.Of(always) : CedarRecord.Of([.. always, ("instance", instance)]);
    }
}

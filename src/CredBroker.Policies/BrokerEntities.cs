using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>The broker's things as Cedar entities, as <c>broker.cedarschema</c> declares them.</summary>
public static class BrokerEntities
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

    public static EntityUid Task(string id) => new("Task", id);

    public static EntityUid Hook(string name) => new("Hook", name);

    public static EntityUid PolicySet(string name) => new("PolicySet", name);

    public static Entity Of(WorkloadFacts workload)
    {
        ArgumentNullException.ThrowIfNull(workload);
        (string, CedarValue)[] always =
            [("source", Source(workload.Source)), ("subject", workload.Subject), ("environment", workload.Environment), ("people", workload.People)];
        return new Entity(
            Workload(workload.Name),
            workload.Instance is null ? CedarRecord.Of(always) : CedarRecord.Of([.. always, ("instance", workload.Instance)]),
            [Source(workload.Source), .. workload.Teams.Select(team => new EntityUid("Team", team))],
            TagsOf(workload.Attributes));
    }

    public static Entity Of(SourceFacts source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new Entity(Source(source.Name), CedarRecord.Of(("environment", source.Environment), ("people", source.People), ("owner", source.Owner)));
    }

    public static Entity Of(ProviderFacts provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        return new Entity(Provider(provider.Name), CedarRecord.Of(("type", provider.Type), ("environment", provider.Environment), ("owner", provider.Owner)));
    }

    public static Entity Of(RoleFacts role)
    {
        ArgumentNullException.ThrowIfNull(role);
        return new Entity(
            Role(role.Provider.Name, role.Name),
            CedarRecord.Of(
                ("provider", Provider(role.Provider.Name)), ("kind", role.Kind), ("sensitivity", role.Sensitivity), ("environment", role.Provider.Environment),
                ("owner", role.Owner), ("revocability", role.Revocability), ("canMint", role.CanMint)),
            Provider(role.Provider.Name));
    }

    public static Entity Of(TaskFacts task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return new Entity(
            Task(task.Id),
            CedarRecord.Of(("opener", Workload(task.Opener)), ("performer", Workload(task.Performer)), ("depth", (long)task.Depth)),
            [.. task.Ancestors.Select(Task)]);
    }

    public static Entity Of(HookFacts hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        return new Entity(Hook(hook.Name), CedarRecord.Of(("owner", hook.Owner)));
    }

    public static Entity OfPolicySet(string name, string kind, string owner) => new(PolicySet(name), CedarRecord.Of(("kind", kind), ("owner", owner)));

    /// <summary>A map of text: its entries are tags.</summary>
    public static Entity Tags(EntityUid uid, IEnumerable<KeyValuePair<string, string>> tags) => new(uid, CedarRecord.Empty, [], TagsOf(tags));

    private static CedarRecord TagsOf(IEnumerable<KeyValuePair<string, string>> tags) =>
        CedarRecord.Create(tags.Select(tag => KeyValuePair.Create(tag.Key, (CedarValue)tag.Value)));
}

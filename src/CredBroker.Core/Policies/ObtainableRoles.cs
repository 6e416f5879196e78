using System.Collections.Immutable;
using CredBroker.Cedar;
using CredBroker.Core.Issuance;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Policies;

/// <summary>A role that a caller could get.</summary>
/// <param name="Provider">Its provider.</param>
/// <param name="Role">The role.</param>
/// <param name="IsCertain">Whether policies permit it for every task; else it depends on the task, the parameters or the life asked for.</param>
/// <param name="Policies">The policies that decide, or on which it depends; empty for those who may not audit.</param>
public sealed record ObtainableRole(Registered<ProviderSpec> Provider, Registered<RoleSpec> Role, bool IsCertain, IReadOnlyList<string> Policies);

/// <summary>
/// Says which roles a caller could get, before it asks for one. What policies deny whatever the task, the parameters and the life are is not there for it: a
/// stranger learns no name of a role that it could never get.
/// </summary>
public sealed class ObtainableRoles(Catalog catalog, ProviderTypes types, PolicySchema schema, Decider decider, TimeProvider time)
{
    // Known before a task is: who calls, from where, and what the role is.
    private static readonly ImmutableHashSet<string> Known = ["now", "sourceIp", "attested", "target", "sensitivity"];
    private static readonly ImmutableHashSet<string> OfParameters = ["params", "destination", "revocability"];
    private static readonly ImmutableHashSet<string> Unknown = ["task", "declared", "ttl", "requestedTtl", "parentExpiresIn", "chain", "counters"];

    /// <summary>A page of roles in the order of their names.</summary>
    public Page<ObtainableRole> List(Caller caller, PageRequest page)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(page);
        // A person holds no task's credentials.
        if (caller.Identity.People) return new Page<ObtainableRole>([], null);
        var snapshot = catalog.Current;
        var mayAudit = decider.MaySeeAll(caller);
        var found = new List<ObtainableRole>();
        var roles = snapshot.Roles.Where(role => snapshot.TryFindProvider(role.Entry.ParentUid!.Value, out var above) && above.Entry.DeletedAt is null)
            .Select(role => (Name: NameOf(snapshot, role), Role: role))
            .Where(role => page.After is null || string.CompareOrdinal(role.Name, page.After) > 0)
            .OrderBy(role => role.Name, StringComparer.Ordinal);
        foreach (var (_, role) in roles)
        {
            if (Find(snapshot, caller, role, mayAudit) is not { } obtainable) continue;
            if (found.Count == page.Size) return new Page<ObtainableRole>(found, NameOf(snapshot, found[^1].Role));
            found.Add(obtainable);
        }

        return new Page<ObtainableRole>(found, null);
    }

    private ObtainableRole? Find(RegistrySnapshot snapshot, Caller caller, Registered<RoleSpec> role, bool mayAudit)
    {
        snapshot.TryFindProvider(role.Entry.ParentUid!.Value, out var provider);
        // Environments are not crossed, whatever policies say.
        if (provider!.Spec.Environment.Length > 0 && caller.Identity.Environment.Length > 0 && provider.Spec.Environment != caller.Identity.Environment) return null;
        var wanted = WantedRole.Find(snapshot, types, provider.Name, role.Name);
        var fitted = wanted.Fit(new Dictionary<string, string>());
        var chooses = role.Spec.Parameters.Count > 0 || fitted.Wrong.Count > 0;
        var now = time.Now();
        var question = Questions.Grant(caller.ToFacts(now, snapshot.FindSource(caller.Workload.SourceName)), new GrantFacts
        {
            Action = "issue",
            Task = new TaskFacts { Id = "", Opener = caller.Workload.Name, Performer = caller.Workload.Name },
            Role = role.ToFacts(provider, fitted.Revocability.PolicyName, fitted.CanMint),
            Parameters = fitted.Parameters,
            Destination = fitted.Destination,
            Ttl = role.Spec.MaxTtl,
        });
        var request = question.ToRequest();
        var known = chooses ? Known : Known.Union(OfParameters);
        var answer = snapshot.Policies.Partial.Ask(
            new PartialRequest
            {
                Principal = request.Principal,
                Action = request.Action,
                Resource = request.Resource,
                Context = CedarRecord.Create(request.Context.Attributes.Where(pair => known.Contains(pair.Key))),
                UnknownContext = chooses ? Unknown.Union(OfParameters) : Unknown,
            },
            question.ToStore(schema.Common), question.Scope, now, chooses);
        return answer.Verdict == PartialVerdict.Denied ? null : new ObtainableRole(provider, role, answer.Verdict == PartialVerdict.Allowed, mayAudit ? answer.Policies : []);
    }

    private static string NameOf(RegistrySnapshot snapshot, Registered<RoleSpec> role) =>
        snapshot.TryFindProvider(role.Entry.ParentUid!.Value, out var provider) ? $"{provider.Name}/{role.Name}" : "";
}

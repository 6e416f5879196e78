using System.Text.Json.Nodes;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Registry;
using CredBroker.Server.Configuration;

namespace CredBroker.Server.Startup;

/// <summary>
/// Makes the operator's identity sources what the file says. The file alone decides: a source that it no longer has is deleted, for what is not in
/// the file must not administer.
/// </summary>
internal sealed class OperatorSources(RegistryService registry, Catalog catalog, IAuditLog audit)
{
    public async Task ApplyAsync(ConfigurationResult.Valid valid, CancellationToken cancellationToken)
    {
        var snapshot = await catalog.RefreshAsync(cancellationToken);
        var changes = 0;
        var wanted = valid.Configuration.Operator.IdentitySources;
        foreach (var source in snapshot.IdentitySources.Where(source => source.OperatorOwned && wanted.All(other => other.Name != source.Name)))
        {
            Demand(await registry.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, source.Name, null, new ChangeOptions(), cancellationToken), source.Name);
            changes++;
        }

        foreach (var source in wanted)
        {
            if (await PutAsync(source, cancellationToken)) changes++;
        }

        if (changes == 0) return;
        var detail = new JsonObject { ["sha256"] = valid.FileHash, ["changes"] = changes };
        await audit.AppendAsync(new AuditDraft(AuditTypes.ManifestsApplied, RegistryAuthor.Operator.Actor) { Detail = detail }, cancellationToken);
    }

    private async Task<bool> PutAsync(OperatorIdentitySource source, CancellationToken cancellationToken)
    {
        var existing = catalog.Current.Find(ResourceKind.IdentitySource, source.Name);
        if (existing is null)
        {
            // Whoever writes the operator's file says by that that the name is to be used again, with what policies say of it; what had it before is not inherited.
            var created = await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, source.Name, null, source.Spec, new ChangeOptions { ReuseName = true, DespiteMentions = true }, cancellationToken);
            // Another node may have started at the same moment with the same file.
            if (created is Result<Registered<Core.Identity.IdentitySourceSpec>>.Refused { Error.Reason: Reasons.AlreadyExists })
            {
                await catalog.RefreshAsync(cancellationToken);
                if (catalog.Current.Find(ResourceKind.IdentitySource, source.Name) is { } theirs) return await UpdateAsync(source, theirs, cancellationToken);
            }

            Demand(created, source.Name);
            return true;
        }

        return await UpdateAsync(source, existing, cancellationToken);
    }

    private async Task<bool> UpdateAsync(OperatorIdentitySource source, RegistryEntry existing, CancellationToken cancellationToken)
    {
        if (existing.ManagedBy != ManagedBy.Operator)
            throw new StartupException($"operator.identitySources: the name {source.Name} belongs to a source that was registered by others. Choose another name, or delete that one.");
        if (existing.SpecJson == SpecJson.Write(source.Spec)) return false;
        Demand(await registry.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, source.Name, null, source.Spec, new ChangeOptions(), cancellationToken), source.Name);
        return true;
    }

    private static void Demand<T>(Result<T> result, string name)
    {
        if (result is Result<T>.Refused { Error: var error })
            throw new StartupException($"operator.identitySources: {name}: {error.Message} {string.Join(" ", error.Violations.Select(violation => $"{violation.Path}: {violation.Message}"))}".TrimEnd());
    }
}

/// <summary>The server cannot start, for a reason that the operator can mend.</summary>
internal sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);

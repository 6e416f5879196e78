using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Manifests;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>The policy sets that a broker has, and those of files put over them.</summary>
internal static class ServerSets
{
    /// <summary>The sets of the files; with those of the broker that no file replaces, unless they alone are wanted.</summary>
    public static async Task<PolicyBook> BookAsync(CliContext context, IReadOnlyList<string> paths, string? kind, bool only)
    {
        var errors = new List<ManifestError>();
        List<PolicySource> files = [.. paths.SelectMany(path => PolicySource.Load(path, kind, errors))];
        if (errors.Count > 0) throw new ManifestException(errors);
        if (only) return PolicyTests.ToBook(files.Select(source => source.Set));
        List<PolicySetDefinition> broker = [.. (await new BrokerTarget(context.Client).ListAsync(ResourceKind.PolicySet, context.Cancellation)).Select(set => PolicySource.Of((Contracts.V1.PolicySet)set))];
        return PolicyTests.ToBook([.. files.Select(source => Under(source, broker)), .. broker.Where(set => !files.Exists(source => source.Set.Name == set.Name))]);
    }

    // A Cedar file that is called as a set of the broker's is a new text for it: kind, scope and review stay.
    private static PolicySetDefinition Under(PolicySource source, List<PolicySetDefinition> broker) =>
        !source.KindIsKnown && broker.Find(set => set.Name == source.Set.Name) is { } known ? known with { Text = source.Set.Text, Label = source.Set.Label } : source.Set;
}

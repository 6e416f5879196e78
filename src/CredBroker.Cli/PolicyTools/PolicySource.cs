using CredBroker.Cedar;
using CredBroker.Cli.Hosting;
using CredBroker.Contracts;
using CredBroker.Manifests;
using CredBroker.Policies;
using WirePolicySet = CredBroker.Contracts.V1.PolicySet;

namespace CredBroker.Cli.PolicyTools;

/// <summary>A policy set, and where it comes from.</summary>
/// <param name="Set">The set.</param>
/// <param name="KindIsKnown">Whether its kind was said, by a manifest or an option; a Cedar file alone does not say it.</param>
internal sealed record PolicySource(PolicySetDefinition Set, bool KindIsKnown)
{
    private static readonly Lazy<PolicySchema> Broker = new(() => new PolicySchema(BrokerSchema.ReadText()));

    /// <summary>The broker's schema, as this command was built with it.</summary>
    public static PolicySchema Schema => Broker.Value;

    /// <summary>The set, ready to decide.</summary>
    /// <exception cref="CedarSyntaxException">The text is wrong.</exception>
    public CompiledPolicySet Compile() => new(Set, PolicySet.Parse(Set.Text, Set.Label).OrThrow());

    /// <summary>Everything that is wrong with it, and what is hardly meant.</summary>
    public IReadOnlyList<PolicyFault> Check(PolicySetCheck check)
    {
        // Without a kind, what only depends on the kind is not judged.
        var faults = check.Check(KindIsKnown ? Set : Set with { Kind = PolicySetKinds.Operator });
        return PolicySet.Parse(Set.Text, Set.Label) is { IsValid: true, Value: var policies } ? [.. faults, .. PolicyLint.Check(policies)] : faults;
    }

    /// <summary>A Cedar file, a manifest, or all manifests and Cedar files of a folder. A Cedar file that no manifest names is a set of its own, called as the file.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="kind">The kind of the sets that do not say theirs.</param>
    /// <param name="errors">What is wrong with manifests is added here.</param>
    public static IReadOnlyList<PolicySource> Load(string path, string? kind, List<ManifestError> errors)
    {
        var isFolder = Directory.Exists(path);
        if (!isFolder && !File.Exists(path)) throw new CliException(ExitCodes.Usage, $"There is no file or folder {path}.");
        if (!isFolder && Path.GetExtension(path) is not (".yaml" or ".yml")) return [OfFile(path, kind)];
        var manifests = ManifestReader.Load(path);
        errors.AddRange(manifests.Errors);
        var root = isFolder ? path : Path.GetDirectoryName(path) ?? "";
        List<PolicySource> sources = [];
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var manifest in manifests.Manifests.Where(manifest => manifest.Kind == ResourceKind.PolicySet))
        {
            var file = manifest.TextFile.Length == 0 ? null : Path.Combine(root, Path.GetDirectoryName(manifest.Source.File) ?? "", manifest.TextFile);
            if (file is not null) named.Add(Path.GetFullPath(file));
            sources.Add(new(Of((WirePolicySet)manifest.Resource, file), KindIsKnown: true));
        }

        if (!isFolder) return sources;
        var loose = Directory.EnumerateFiles(path, "*.cedar", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Where(file => !named.Contains(Path.GetFullPath(file)));
        return [.. sources, .. loose.Select(file => OfFile(file, kind))];
    }

    /// <summary>A set as the broker shows it.</summary>
    public static PolicySetDefinition Of(WirePolicySet set, string? file = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        return new()
        {
            Name = Last(set.Name),
            Label = file ?? set.Name,
            Kind = set.Kind == WirePolicySet.Types.Kind.Unspecified ? PolicySetKinds.Scoped : set.Kind.ToString().ToLowerInvariant(),
            Providers = [.. set.Scope?.Providers.Select(Last) ?? []],
            IdentitySources = [.. set.Scope?.IdentitySources.Select(Last) ?? []],
            Actions = [.. set.Scope?.Actions ?? []],
            Text = set.Text,
            ReviewBy = set.ReviewBy?.ToDateTimeOffset(),
            KeepLiveLeases = set.KeepLiveLeases,
        };
    }

    private static PolicySource OfFile(string file, string? kind) => new(
        new PolicySetDefinition { Name = Path.GetFileNameWithoutExtension(file), Label = file, Kind = kind ?? PolicySetKinds.Scoped, Text = File.ReadAllText(file) },
        KindIsKnown: kind is not null);

    private static string Last(string name) => name[(name.LastIndexOf('/') + 1)..];
}

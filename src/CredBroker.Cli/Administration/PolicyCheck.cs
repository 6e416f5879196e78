using CredBroker.Cedar;
using CredBroker.Cli.Hosting;
using CredBroker.Contracts;
using CredBroker.Manifests;

namespace CredBroker.Cli.Administration;

/// <summary>Checks policies without a broker: syntax, and types against the broker's schema.</summary>
internal static class PolicyCheck
{
    private static readonly Lazy<Validator> Validator = new(() => new(Schema.Parse(BrokerSchema.ReadText(), "broker.cedarschema").OrThrow()));

    /// <summary>What is wrong in a Cedar file, or in the policy sets of a manifest or folder, one line each.</summary>
    public static IEnumerable<string> OfPath(string path)
    {
        if (!File.Exists(path) && !Directory.Exists(path)) throw new CliException(ExitCodes.Usage, $"There is no file or folder {path}.");
        if (Directory.Exists(path) || Path.GetExtension(path) is ".yaml" or ".yml")
        {
            var set = ManifestReader.Load(path);
            var faults = set.Errors.Select(error => error.ToString());
            return faults.Concat(set.Manifests.Where(manifest => manifest.Kind == ResourceKind.PolicySet).SelectMany(OfManifest));
        }

        return OfText(File.ReadAllText(path), path);
    }

    private static IEnumerable<string> OfManifest(Manifest manifest) => OfText(((Contracts.V1.PolicySet)manifest.Resource).Text, manifest.Name);

    private static IEnumerable<string> OfText(string text, string name)
    {
        var parsed = PolicySet.Parse(text, name);
        return parsed.IsValid ? Validator.Value.Validate(parsed.Value).Select(issue => issue.ToString()) : parsed.Errors.Select(error => error.ToString());
    }
}

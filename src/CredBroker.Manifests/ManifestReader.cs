using System.Security.Cryptography;
using System.Text;
using CredBroker.Manifests.Reading;
using CredBroker.Manifests.Yaml;

namespace CredBroker.Manifests;

/// <summary>
/// Reads manifests. Strict, since they grant rights: unknown and duplicate keys, aliases, tags, links and anything too large or too deep
/// are errors, and all errors are reported at once.
/// </summary>
public static class ManifestReader
{
    /// <summary>A folder's <c>*.yaml</c> and <c>*.yml</c> with all folders below (but not those whose name begins with a dot), or one file.</summary>
    public static ManifestSet Load(string path, ManifestLimits? limits = null)
    {
        limits ??= ManifestLimits.Default;
        var single = !Directory.Exists(path);
        var root = single ? Path.GetDirectoryName(Path.GetFullPath(path))! : path;
        var errors = new List<ManifestError>();
        var manifests = new List<Manifest>();
        using var files = new ManifestFiles(root, limits);
        try
        {
            foreach (var file in single ? [Path.GetFullPath(path)] : files.List()) ReadFile(file, files, limits, manifests, errors);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            errors.Add(new(new(path, 0, 0), "", fault.Message));
        }

        return Finish(manifests, errors, files.Hash());
    }

    /// <summary>A text, such as what came by standard input. Nothing in it can name a file.</summary>
    public static ManifestSet Read(string text, string name, ManifestLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        limits ??= ManifestLimits.Default;
        var errors = new List<ManifestError>();
        var manifests = new List<Manifest>();
        if (Encoding.UTF8.GetByteCount(text) > limits.MaxFileBytes) errors.Add(new(new(name, 0, 0), "", $"It is larger than {limits.MaxFileBytes} bytes."));
        else ReadText(text, name, null, limits, manifests, errors);
        return Finish(manifests, errors, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }

    private static void ReadFile(string file, ManifestFiles files, ManifestLimits limits, List<Manifest> manifests, List<ManifestError> errors)
    {
        try
        {
            var text = files.Read(file);
            ReadText(text, files.Relative(file), new TextFiles(files, Path.GetDirectoryName(file)!), limits, manifests, errors);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            errors.Add(new(new(files.Relative(file), 0, 0), "", fault.Message));
        }
    }

    private static void ReadText(string text, string name, TextFiles? textFiles, ManifestLimits limits, List<Manifest> manifests, List<ManifestError> errors)
    {
        var own = new List<ManifestError>();
        var documents = YamlReader.Read(text, name, limits, own);
        var reader = new DocumentReader(textFiles, new ErrorList(own));
        foreach (var document in documents)
        {
            if (own.Count >= limits.MaxErrors) break;
            if (reader.Read(document) is { } manifest) manifests.Add(manifest);
        }

        errors.AddRange(own.OrderBy(error => error.Source.Line).ThenBy(error => error.Source.Column).Take(limits.MaxErrors));
    }

    private static ManifestSet Finish(List<Manifest> manifests, List<ManifestError> errors, string hash)
    {
        var seen = new Dictionary<string, SourceMark>(StringComparer.Ordinal);
        foreach (var manifest in manifests)
        {
            if (!seen.TryAdd(manifest.Name, manifest.Source)) errors.Add(new(manifest.Source, "name", $"{manifest.Name} is in {seen[manifest.Name]} already."));
        }

        var ordered = manifests.OrderBy(manifest => Order(manifest.Kind)).ThenBy(manifest => manifest.Name, StringComparer.Ordinal);
        return new([.. ordered], errors, hash);
    }

    private static int Order(ResourceKind kind) => ResourceKind.All.Index().First(pair => pair.Item == kind).Index;
}

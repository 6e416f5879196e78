using CredBroker.Manifests.Yaml;

namespace CredBroker.Manifests.Reading;

/// <summary>Reads files that manifests name, only from inside the folder that is loaded, and through no link.</summary>
internal sealed class TextFiles(ManifestFiles files, string manifestFolder)
{
    /// <summary>The text, or nothing and an error.</summary>
    public string Read(YamlScalar path, string key, ErrorList errors)
    {
        var parts = path.Text.Split('/');
        if (path.Text.Length > 512 || parts.Any(part => part is "" or "." or ".." || part.AsSpan().ContainsAny('\\', ':', '\0')))
        {
            errors.Add(path, key, "A file beside the manifest or in a folder below is expected, such as policies/base.cedar.");
            return "";
        }

        try
        {
            return files.Read(Path.Combine([manifestFolder, .. parts]));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            errors.Add(path, key, fault.Message);
            return "";
        }
    }
}

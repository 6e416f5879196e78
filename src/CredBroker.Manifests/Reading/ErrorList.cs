using CredBroker.Manifests.Yaml;

namespace CredBroker.Manifests.Reading;

/// <summary>Collects errors of one document.</summary>
internal sealed class ErrorList(List<ManifestError> errors)
{
    public int Count => errors.Count;

    public void Add(YamlNode at, string path, string message) => Add(at.Mark, path, message);

    public void Add(SourceMark at, string path, string message) => errors.Add(new(at, path, message));
}

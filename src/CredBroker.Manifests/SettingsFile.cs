using CredBroker.Manifests.Reading;
using CredBroker.Manifests.Yaml;

namespace CredBroker.Manifests;

/// <summary>Reads small configuration files, of one mapping with known keys, as strictly as manifests.</summary>
public static class SettingsFile
{
    /// <summary>The values of the keys; a single value is a list of one.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="name">How errors name it.</param>
    /// <param name="keys">The known keys.</param>
    /// <exception cref="ManifestException">It's not YAML, or has other keys or other than texts and lists of texts.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Read(string text, string name, IReadOnlyCollection<string> keys)
    {
        var errors = new List<ManifestError>();
        var values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var documents = YamlReader.Read(text, name, ManifestLimits.Default, errors);
        if (documents.Count > 1 || documents is [not YamlMap]) errors.Add(new(documents[^1].Mark, "", "One mapping is expected."));
        foreach (var entry in documents.OfType<YamlMap>().Take(1).SelectMany(map => map.Entries))
        {
            if (!keys.Contains(entry.Key)) errors.Add(new(entry.KeyMark, entry.Key, $"There is no such key.{Spelling.Suggest(entry.Key, keys)}"));
            else if (Texts(entry.Value) is { } texts) values[entry.Key] = texts;
            else errors.Add(new(entry.Value.Mark, entry.Key, "A text, or a list of texts, is expected."));
        }

        return errors.Count == 0 ? values : throw new ManifestException(errors);
    }

    private static string[]? Texts(YamlNode node) => node switch
    {
        YamlScalar { Text.Length: > 0 } scalar => [scalar.Text],
        YamlList { Items.Count: > 0 } list when list.Items.All(item => item is YamlScalar) => [.. list.Items.Cast<YamlScalar>().Select(item => item.Text)],
        _ => null,
    };
}

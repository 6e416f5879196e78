using System.Globalization;
using CredBroker.Manifests.Reading;

namespace CredBroker.Manifests.Yaml;

/// <summary>Reads files in YAML other than manifests as strictly as these: no aliases, anchors, tags, duplicate keys or hidden characters.</summary>
public static class StrictYaml
{
    /// <summary>The one mapping that a text holds; null, with errors, where it holds something else.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">How errors name it.</param>
    /// <param name="errors">What is wrong is added here.</param>
    public static YamlMap? ReadMap(string text, string file, List<ManifestError> errors)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(errors);
        var documents = YamlReader.Read(text, file, ManifestLimits.Default, errors);
        if (documents is [YamlMap map]) return map;
        if (errors.Count == 0) errors.Add(new(documents.Count > 0 ? documents[^1].Mark : new(file, 1, 1), "", "One mapping is expected."));
        return null;
    }

    /// <summary>" Did you mean 'x'?", or the known words when none is near; nothing where there are none.</summary>
    public static string Suggest(string given, IReadOnlyCollection<string> known) => Spelling.Suggest(given, known);

    /// <summary>A time with its offset, or a date, as <c>2030-01-31T12:00:00Z</c> or <c>2030-01-31</c>; null if it is none.</summary>
    public static DateTimeOffset? Time(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] formats = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd"];
        return DateTimeOffset.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            && (text.Length <= 10 || text.EndsWith('Z') || text[^6] is '+' or '-') ? time : null;
    }
}

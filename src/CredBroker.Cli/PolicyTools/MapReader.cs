using System.Globalization;
using System.Net;
using CredBroker.Manifests;
using CredBroker.Manifests.Yaml;

namespace CredBroker.Cli.PolicyTools;

/// <summary>Reads one mapping. What was never asked for is an unknown key: <see cref="Done"/> says so.</summary>
internal sealed class MapReader(YamlMap map, string path, List<ManifestError> errors)
{
    private readonly List<string> _known = [];

    public SourceMark Mark => map.Mark;

    public string Path => path;

    public bool Has(string key) => Find(key) is not null;

    /// <summary>Where a key's value stands, or else the mapping.</summary>
    public SourceMark MarkOf(string key) => map.Find(key)?.Value.Mark ?? map.Mark;

    public string? Text(string key) => Find(key) switch
    {
        null => null,
        YamlScalar scalar => scalar.Text,
        var other => Wrong<string>(other, key, "A text is expected."),
    };

    public string Required(string key)
    {
        if (Text(key) is { Length: > 0 } text) return text;
        Fault(MarkOf(key), key, "This is required.");
        return "";
    }

    public bool Flag(string key) => Find(key) switch
    {
        null => false,
        YamlScalar { Plain: true, Text: "true" or "false" } scalar => scalar.Text == "true",
        var other => Wrong<string>(other, key, "true or false is expected.") is not null,
    };

    public long Number(string key) => Find(key) switch
    {
        null => 0,
        YamlScalar { Plain: true } scalar when long.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        var other => Wrong<string>(other, key, "A whole number is expected.") is null ? 0 : 0,
    };

    public TimeSpan? Duration(string key)
    {
        if (Text(key) is not { } text) return null;
        if (DurationText.TryParse(text, out var span)) return span;
        Fault(MarkOf(key), key, $"'{text}' is no duration such as 90s, 15m or 1h30m.");
        return null;
    }

    public DateTimeOffset? Time(string key)
    {
        if (Text(key) is not { } text) return null;
        if (StrictYaml.Time(text) is { } time) return time;
        Fault(MarkOf(key), key, $"'{text}' is no date (2030-01-31) or time (2030-01-31T12:00:00Z).");
        return null;
    }

    public IPAddress? Address(string key)
    {
        if (Text(key) is not { } text) return null;
        if (IPAddress.TryParse(text, out var address)) return address;
        Fault(MarkOf(key), key, $"'{text}' is no IP address.");
        return null;
    }

    public IReadOnlyList<string>? Texts(string key) => Find(key) switch
    {
        null => null,
        YamlScalar { Text.Length: > 0 } scalar => [scalar.Text],
        YamlList list when list.Items.All(item => item is YamlScalar { Text.Length: > 0 }) => [.. list.Items.Cast<YamlScalar>().Select(item => item.Text)],
        var other => Wrong<IReadOnlyList<string>>(other, key, "A list of texts is expected."),
    };

    public IReadOnlyDictionary<string, string>? Pairs(string key) => Find(key) switch
    {
        null => null,
        YamlMap pairs when pairs.Entries.All(entry => entry.Value is YamlScalar) => pairs.Entries.ToDictionary(entry => entry.Key, entry => ((YamlScalar)entry.Value).Text, StringComparer.Ordinal),
        var other => Wrong<IReadOnlyDictionary<string, string>>(other, key, "A mapping of texts is expected."),
    };

    public MapReader? Map(string key) => Find(key) switch
    {
        null => null,
        YamlMap inner => new MapReader(inner, Below(key), errors),
        var other => Wrong<MapReader>(other, key, "A mapping is expected."),
    };

    /// <summary>The mappings under the keys of a mapping.</summary>
    public IEnumerable<(string Key, MapReader Value)> Maps(string key)
    {
        if (Map(key) is not { } inner) yield break;
        foreach (var name in inner.Keys())
            if (inner.Map(name) is { } value) yield return (name, value);
    }

    /// <summary>The mappings of a list.</summary>
    public IEnumerable<MapReader> List(string key)
    {
        if (Find(key) is not { } found) yield break;
        if (found is not YamlList list)
        {
            Fault(found.Mark, key, "A list is expected.");
            yield break;
        }

        foreach (var (index, item) in list.Items.Index())
        {
            if (item is YamlMap inner) yield return new MapReader(inner, $"{Below(key)}[{index}]", errors);
            else Fault(item.Mark, key, "A mapping is expected.");
        }
    }

    public void Fault(SourceMark at, string key, string message) => errors.Add(new(at, Below(key), message));

    /// <summary>Names the keys that nothing asked for.</summary>
    public void Done()
    {
        foreach (var entry in map.Entries.Where(entry => !_known.Contains(entry.Key)))
            errors.Add(new(entry.KeyMark, Below(entry.Key), $"There is no such key.{StrictYaml.Suggest(entry.Key, _known)}"));
    }

    private IEnumerable<string> Keys() => map.Entries.Select(entry => entry.Key);

    private YamlNode? Find(string key)
    {
        if (!_known.Contains(key)) _known.Add(key);
        return map.Find(key)?.Value;
    }

    private T? Wrong<T>(YamlNode node, string key, string message)
        where T : class
    {
        Fault(node.Mark, key, message);
        return null;
    }

    private string Below(string key) => path.Length == 0 ? key : $"{path}.{key}";
}

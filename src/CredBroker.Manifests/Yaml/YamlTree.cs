namespace CredBroker.Manifests.Yaml;

/// <summary>A node of a YAML document: no aliases, no tags, no anchors, no duplicate keys.</summary>
public abstract record YamlNode(SourceMark Mark);

/// <summary>A scalar. Only a plain one can be anything but text.</summary>
public sealed record YamlScalar(string Text, bool Plain, SourceMark Mark) : YamlNode(Mark);

/// <summary>A list.</summary>
public sealed record YamlList(IReadOnlyList<YamlNode> Items, SourceMark Mark) : YamlNode(Mark);

/// <summary>A mapping with text keys, each once.</summary>
public sealed record YamlMap(IReadOnlyList<YamlEntry> Entries, SourceMark Mark) : YamlNode(Mark)
{
    /// <summary>The entry of a key; null if there is none.</summary>
    public YamlEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);
}

/// <summary>One entry of a mapping.</summary>
public sealed record YamlEntry(string Key, SourceMark KeyMark, YamlNode Value);

namespace CredBroker.Manifests.Yaml;

/// <summary>A node of a YAML document: no aliases, no tags, no anchors, no duplicate keys.</summary>
internal abstract record YamlNode(SourceMark Mark);

/// <summary>A scalar. Only a plain one can be anything but text.</summary>
internal sealed record YamlScalar(string Text, bool Plain, SourceMark Mark) : YamlNode(Mark);

/// <summary>A list.</summary>
internal sealed record YamlList(IReadOnlyList<YamlNode> Items, SourceMark Mark) : YamlNode(Mark);

/// <summary>A mapping with text keys, each once.</summary>
internal sealed record YamlMap(IReadOnlyList<YamlEntry> Entries, SourceMark Mark) : YamlNode(Mark)
{
    public YamlEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);
}

/// <summary>One entry of a mapping.</summary>
internal sealed record YamlEntry(string Key, SourceMark KeyMark, YamlNode Value);

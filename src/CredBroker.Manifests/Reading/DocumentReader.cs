using CredBroker.Manifests.Yaml;
using Google.Protobuf;

namespace CredBroker.Manifests.Reading;

/// <summary>Reads one document: <c>kind</c>, <c>name</c>, <c>spec</c>, and <c>status</c>, which is ignored.</summary>
internal sealed class DocumentReader(TextFiles? textFiles, ErrorList errors)
{
    private const string TextFile = "textFile";
    private static readonly string[] Keys = ["kind", "name", "parent", "spec", "status"];

    /// <summary>The manifest, or null when there are errors in its head.</summary>
    public Manifest? Read(YamlNode node)
    {
        if (node is not YamlMap map)
        {
            errors.Add(node, "", "A mapping with kind, name and spec is expected.");
            return null;
        }

        foreach (var entry in map.Entries.Where(entry => !Keys.Contains(entry.Key)))
            errors.Add(entry.KeyMark, entry.Key, $"There is no such key.{Spelling.Suggest(entry.Key, Keys)}");

        var kind = ReadKind(map);
        if (kind is null) return null;
        var name = ReadName(map, kind);
        CheckStatus(map, kind);
        var resource = ReadSpec(map, kind);
        if (name is null || resource is null) return null;
        kind.Descriptor.FindFieldByName("name").Accessor.SetValue(resource, name);
        return new(kind, resource, map.Mark) { TextFile = ((map.Find("spec")?.Value as YamlMap)?.Find(TextFile)?.Value as YamlScalar)?.Text ?? "" };
    }

    private ResourceKind? ReadKind(YamlMap map)
    {
        if (Text(map, "kind") is not { } text) return null;
        var kind = ResourceKind.Find(text);
        if (kind is null) errors.Add(map.Find("kind")!.Value, "kind", $"'{text}' is no kind.{Spelling.Suggest(text, [.. ResourceKind.All.Select(k => k.Name)])}");
        return kind;
    }

    private string? ReadName(YamlMap map, ResourceKind kind)
    {
        if (Text(map, "name") is not { } name) return null;
        var full = kind.FullName(name);
        if (map.Find("parent") is { } parent)
        {
            if (kind.Child is null) errors.Add(parent.KeyMark, "parent", $"A {kind} has no parent.");
            else if (Text(map, "parent") is { } above) full = $"{(above.Contains('/', StringComparison.Ordinal) ? above : $"{kind.Collection}/{above}")}/{kind.Child}/{name}";
        }

        if (kind.IsName(full)) return full;
        var example = kind.Child is null ? "a name" : $"a name such as {kind.Collection}/x/{kind.Child}/y (or a short name and its parent)";
        errors.Add(map.Find("name")!.Value, "name", $"'{full}' is not {example}: 1 to 63 lower-case letters, digits and hyphens, the first a letter and the last no hyphen.");
        return null;
    }

    private IMessage? ReadSpec(YamlMap map, ResourceKind kind)
    {
        var entry = map.Find("spec");
        if (entry?.Value is not YamlMap spec)
        {
            errors.Add(entry?.Value ?? map, "spec", "A mapping with the resource's fields is expected.");
            return null;
        }

        var fields = MessageReader.Settable(kind.Descriptor);
        if (kind == ResourceKind.PolicySet) spec = WithText(spec);
        var resource = (IMessage)Activator.CreateInstance(kind.Descriptor.ClrType)!;
        MessageReader.Fill(resource, spec, "spec", fields, errors);
        return resource;
    }

    // `textFile: x.cedar` stands for `text`, so that policies can live in files of their own.
    private YamlMap WithText(YamlMap spec)
    {
        if (spec.Find(TextFile) is not { } entry) return spec;
        var others = spec.Entries.Where(other => other != entry).ToList();
        var text = "";
        if (spec.Find("text") is not null) errors.Add(entry.KeyMark, $"spec.{TextFile}", "Either text or textFile.");
        else if (entry.Value is not YamlScalar path) errors.Add(entry.Value, $"spec.{TextFile}", "A file's path is expected.");
        else if (textFiles is null) errors.Add(entry.Value, $"spec.{TextFile}", "There is no folder to read it from: write the policies under text.");
        else text = textFiles.Read(path, $"spec.{TextFile}", errors);
        // Where there is none, the error above is enough: it isn't also missing.
        others.RemoveAll(other => other.Key == "text");
        others.Add(new("text", entry.KeyMark, new YamlScalar(text.Length > 0 ? text : "-", Plain: false, entry.Value.Mark)));
        return spec with { Entries = others };
    }

    private void CheckStatus(YamlMap map, ResourceKind kind)
    {
        if (map.Find("status") is not { } status) return;
        var known = MessageReader.OutputOnly(kind.Descriptor).Select(field => field.JsonName).ToArray();
        if (status.Value is not YamlMap fields)
        {
            errors.Add(status.Value, "status", "A mapping is expected.");
            return;
        }

        foreach (var entry in fields.Entries.Where(entry => !known.Contains(entry.Key)))
            errors.Add(entry.KeyMark, $"status.{entry.Key}", $"There is no such key.{Spelling.Suggest(entry.Key, known)}");
    }

    private string? Text(YamlMap map, string key)
    {
        var entry = map.Find(key);
        if (entry?.Value is YamlScalar { Text.Length: > 0 } scalar) return scalar.Text;
        errors.Add(entry?.Value ?? map, key, entry is null ? "This is required." : "A text is expected.");
        return null;
    }
}

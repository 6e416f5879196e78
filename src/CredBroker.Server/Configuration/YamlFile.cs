using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace CredBroker.Server.Configuration;

/// <summary>
/// Reads one YAML document without YAML's surprises: no aliases, no tags, no duplicate or complex keys, bounded depth. Everything that is
/// wrong is reported; only what can't be read as YAML at all stops at its first error.
/// </summary>
internal sealed class YamlFile
{
    private const int MaxDepth = 16;
    private readonly ConfigurationErrors _errors;
    private readonly string _name;
    private readonly IParser _parser;

    private YamlFile(string name, string text, ConfigurationErrors errors)
    {
        (_name, _errors) = (name, errors);
        _parser = new Parser(new StringReader(text));
    }

    /// <summary>The document; an empty mapping where there is nothing to read.</summary>
    public static ConfigurationNode.Mapping Read(string name, string text, ConfigurationErrors errors)
    {
        var file = new YamlFile(name, text, errors);
        var nothing = new ConfigurationNode.Mapping(name, []);
        try
        {
            return file.ReadStream() ?? nothing;
        }
        catch (YamlException e)
        {
            errors.Form($"{name}:{e.Start.Line}", "", $"This is not YAML: {e.Message}");
            return nothing;
        }
    }

    private ConfigurationNode.Mapping? ReadStream()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _)) return null;
        var start = _parser.Consume<DocumentStart>();
        var root = ReadNode("", 0);
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out var second)) _errors.Form(At(second.Start), "", "There must be one document: this is a second one.");
        if (root is ConfigurationNode.Mapping mapping) return mapping;
        if (root is not ConfigurationNode.Scalar { Empty: true }) _errors.Form(At(start.Start), "", "The file must hold keys and values.");
        return null;
    }

    private ConfigurationNode ReadNode(string path, int depth)
    {
        if (depth > MaxDepth) throw new YamlException(_parser.Current!.Start, _parser.Current.End, $"Nested deeper than {MaxDepth}.");
        var origin = At(_parser.Current!.Start);
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            _errors.Form(origin, path, $"Aliases are not allowed: write out what *{alias.Value} stands for.");
            return new ConfigurationNode.Scalar(origin, "", Empty: true);
        }

        var node = _parser.Consume<NodeEvent>();
        if (!node.Anchor.IsEmpty) _errors.Form(origin, path, "Anchors are not allowed.");
        if (!node.Tag.IsEmpty) _errors.Form(origin, path, $"Tags are not allowed: leave out {node.Tag.Value}.");
        return node switch
        {
            Scalar scalar => new ConfigurationNode.Scalar(origin, scalar.Value, scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null"),
            SequenceStart => ReadSequence(origin, path, depth),
            _ => ReadMapping(origin, path, depth),
        };
    }

    private ConfigurationNode.Sequence ReadSequence(string origin, string path, int depth)
    {
        var items = new List<ConfigurationNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(ReadNode($"{path}[{items.Count}]", depth + 1));
        return new ConfigurationNode.Sequence(origin, items);
    }

    private ConfigurationNode.Mapping ReadMapping(string origin, string path, int depth)
    {
        var members = new Dictionary<string, ConfigurationNode>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = At(_parser.Current!.Start);
            if (ReadNode(path, depth + 1) is not ConfigurationNode.Scalar { Text: var key })
            {
                _errors.Form(at, path, "A key must be a plain word.");
                ReadNode(path, depth + 1);
                continue;
            }

            var name = path.Length == 0 ? key : $"{path}.{key}";
            var value = ReadNode(name, depth + 1);
            if (!members.TryAdd(key, value with { Origin = at })) _errors.Form(at, name, "This key appears twice.");
        }

        return new ConfigurationNode.Mapping(origin, members);
    }

    private string At(Mark mark) => $"{_name}:{mark.Line}";
}

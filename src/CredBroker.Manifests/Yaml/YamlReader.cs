using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace CredBroker.Manifests.Yaml;

/// <summary>
/// Reads YAML into trees, from the parser's events: an alias is refused where it stands and never expanded, so that no small file
/// becomes a large tree.
/// </summary>
internal sealed class YamlReader
{
    private readonly string _file;
    private readonly ManifestLimits _limits;
    private readonly List<ManifestError> _errors;
    private readonly IParser _parser;
    private int _nodes;

    private YamlReader(string text, string file, ManifestLimits limits, List<ManifestError> errors)
    {
        _file = file;
        _limits = limits;
        _errors = errors;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>The documents of a text; those after one that can't be parsed are missing, and an error says so.</summary>
    public static IReadOnlyList<YamlNode> Read(string text, string file, ManifestLimits limits, List<ManifestError> errors)
    {
        var documents = new List<YamlNode>();
        if (!HasPlainCharacters(text, file, errors)) return documents;
        var reader = new YamlReader(text, file, limits, errors);
        try
        {
            reader.ReadStream(documents);
        }
        catch (YamlException fault)
        {
            errors.Add(new(new(file, (int)fault.Start.Line, (int)fault.Start.Column), "", $"This is not YAML: {fault.Message}"));
        }
        catch (StopException)
        {
            // The limit that was passed is in the errors already.
        }

        return documents;
    }

    private void ReadStream(List<YamlNode> documents)
    {
        Next<StreamStart>();
        while (Peek() is not StreamEnd)
        {
            var start = Next<DocumentStart>();
            if (start.Version is not null || start.Tags is { Count: > 0 } tags && tags.Any(tag => tag.Handle is not ("!" or "!!")))
                Error(start.Start, "", "YAML directives are not used in manifests.");
            if (documents.Count == _limits.MaxDocuments) Stop(start.Start, $"A file has at most {_limits.MaxDocuments} documents.");
            var node = ReadNode("", 1);
            Next<DocumentEnd>();
            // An empty document, as after a closing `---`, is nothing.
            if (node is not YamlScalar { Plain: true, Text: "" }) documents.Add(node);
        }
    }

    private YamlNode ReadNode(string path, int depth)
    {
        var at = Peek();
        if (depth > _limits.MaxDepth) Stop(at.Start, $"Nested deeper than {_limits.MaxDepth}.");
        if (++_nodes > _limits.MaxNodes) Stop(at.Start, $"More than {_limits.MaxNodes} values in one file.");
        if (at is NodeEvent node)
        {
            if (!node.Anchor.IsEmpty) Error(at.Start, path, "Anchors and aliases are not used in manifests.");
            if (!node.Tag.IsEmpty) Error(at.Start, path, "Tags are not used in manifests.");
        }

        _parser.MoveNext();
        switch (at)
        {
            case Scalar scalar:
                return new YamlScalar(scalar.Value, scalar.Style == ScalarStyle.Plain, At(at.Start));
            case SequenceStart:
                return ReadList(at, path, depth);
            case MappingStart:
                return ReadMap(at, path, depth);
            default:
                Error(at.Start, path, "Anchors and aliases are not used in manifests.");
                return new YamlScalar("", Plain: false, At(at.Start));
        }
    }

    private YamlList ReadList(ParsingEvent start, string path, int depth)
    {
        var items = new List<YamlNode>();
        while (Peek() is not SequenceEnd) items.Add(ReadNode($"{path}[{items.Count}]", depth + 1));
        _parser.MoveNext();
        return new(items, At(start.Start));
    }

    private YamlMap ReadMap(ParsingEvent start, string path, int depth)
    {
        var entries = new List<YamlEntry>();
        var seen = new Dictionary<string, SourceMark>(StringComparer.Ordinal);
        while (Peek() is var at and not MappingEnd)
        {
            var key = ReadNode(path, depth + 1);
            var name = (key as YamlScalar)?.Text ?? "";
            var value = ReadNode(path.Length == 0 ? name : $"{path}.{name}", depth + 1);
            if (key is not YamlScalar { Text.Length: > 0 } scalar) Error(at.Start, path, "A key is a text.");
            else if (scalar is { Plain: true, Text: "<<" }) Error(at.Start, path, "Merge keys are not used in manifests.");
            else if (!seen.TryAdd(name, key.Mark)) Error(at.Start, Join(path, name), $"This key was given before, in line {seen[name].Line}.");
            else entries.Add(new(name, key.Mark, value));
        }

        _parser.MoveNext();
        return new(entries, At(start.Start));
    }

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private ParsingEvent Peek()
    {
        if (_parser.Current is null) _parser.MoveNext();
        return _parser.Current ?? throw new YamlException("It ends too early.");
    }

    private T Next<T>()
        where T : ParsingEvent
    {
        var current = Peek() as T ?? throw new YamlException(Peek().Start, Peek().End, "Something else was expected here.");
        _parser.MoveNext();
        return current;
    }

    private SourceMark At(Mark mark) => new(_file, (int)mark.Line, (int)mark.Column);

    private void Error(Mark mark, string path, string message)
    {
        _errors.Add(new(At(mark), path, message));
        if (_errors.Count >= _limits.MaxErrors) Stop(mark, "Too many errors: the rest is not read.");
    }

    private void Stop(Mark mark, string message)
    {
        _errors.Add(new(At(mark), "", message));
        throw new StopException();
    }

    // Characters that make a file read other than it is are refused as they are; an escape in double quotes shows them.
    private static bool HasPlainCharacters(string text, string file, List<ManifestError> errors)
    {
        var (line, column) = (1, 1);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is '\n')
            {
                (line, column) = (line + 1, 0);
            }
            else if (rune.Value is not ('\t' or '\r') && IsHidden(rune))
            {
                errors.Add(new(new(file, line, column), "", $"U+{rune.Value:X4} is a control or invisible character. Write it as an escape in double quotes if it is meant."));
                return false;
            }

            column++;
        }

        return true;
    }

    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format => true,
        System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator => true,
        _ => false,
    };

    private sealed class StopException : Exception;
}

using System.Text;

namespace CredBroker.Cedar.Formatting;

/// <summary>Lays a <see cref="Doc"/> out within a width.</summary>
internal sealed class DocPrinter(int width)
{
    private const int Indentation = 2;

    private readonly StringBuilder _text = new();
    private readonly Stack<(Doc Doc, int Indent, bool IsFlat)> _open = new();
    private int _column;
    private bool _mustBreak;

    public static string Print(Doc doc, int width)
    {
        var printer = new DocPrinter(width);
        printer._open.Push((doc, 0, false));
        while (printer._open.TryPop(out var next))
            printer.Write(next.Doc, next.Indent, next.IsFlat);
        return printer._text.ToString();
    }

    private void Write(Doc doc, int indent, bool isFlat)
    {
        switch (doc)
        {
            case Doc.Text { Value.Length: > 0 } text:
                Append(text.Value, indent);
                break;
            case Doc.Line line when isFlat && !_mustBreak:
                _text.Append(line.Flat);
                _column += line.Flat.Length;
                break;
            case Doc.Line or Doc.HardLine:
                NewLine();
                break;
            case Doc.Comment comment:
                WriteComment(comment, indent);
                break;
            case Doc.Sequence sequence:
                for (var i = sequence.Parts.Length - 1; i >= 0; i--)
                    _open.Push((sequence.Parts[i], indent, isFlat));
                break;
            case Doc.Nested nested:
                _open.Push((nested.Body, indent + Indentation, isFlat));
                break;
            case Doc.Group group:
                _open.Push((group.Body, indent, isFlat || Fits(group.Body, width - _column)));
                break;
        }
    }

    private void Append(string text, int indent)
    {
        if (_mustBreak)
            NewLine();
        if (_column == 0)
        {
            _text.Append(' ', indent);
            _column = indent;
        }
        _text.Append(text);
        _column += text.Length;
    }

    private void WriteComment(Doc.Comment comment, int indent)
    {
        if (comment.IsOwnLine && _column > 0)
            NewLine();
        if (comment.IsApart && _text.Length > 0 && !EndsWithEmptyLine())
            _text.Append('\n');
        if (!comment.IsOwnLine && _column > 0 && !_mustBreak)
            Append(" ", indent);
        Append(comment.Value, indent);
        _mustBreak = true;
    }

    private void NewLine()
    {
        while (_text.Length > 0 && _text[^1] == ' ')
            _text.Length--;
        _text.Append('\n');
        (_column, _mustBreak) = (0, false);
    }

    private bool EndsWithEmptyLine() => _text.Length >= 2 && _text[^1] == '\n' && _text[^2] == '\n';

    private static bool Fits(Doc doc, int room)
    {
        var open = new Stack<Doc>();
        open.Push(doc);
        while (room >= 0 && open.TryPop(out var next))
        {
            switch (next)
            {
                case Doc.Text text:
                    room -= text.Value.Length;
                    break;
                case Doc.Line line:
                    room -= line.Flat.Length;
                    break;
                case Doc.HardLine or Doc.Comment:
                    return false;
                case Doc.Sequence sequence:
                    for (var i = sequence.Parts.Length - 1; i >= 0; i--)
                        open.Push(sequence.Parts[i]);
                    break;
                case Doc.Nested nested:
                    open.Push(nested.Body);
                    break;
                case Doc.Group group:
                    open.Push(group.Body);
                    break;
            }
        }
        return room >= 0;
    }
}

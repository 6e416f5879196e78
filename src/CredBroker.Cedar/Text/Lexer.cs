using System.Collections.Immutable;

namespace CredBroker.Cedar.Text;

/// <summary>Cuts a text (policies or schema: they share their tokens) into tokens. What is no token becomes an error and is skipped.</summary>
internal sealed class Lexer
{
    private readonly string _text;
    private readonly DiagnosticBag _diagnostics;
    private readonly List<Token>? _comments;
    private readonly List<Token> _tokens = [];
    private int _position;
    private int _line = 1;
    private int _lineStart;

    private Lexer(string text, DiagnosticBag diagnostics, List<Token>? comments) => (_text, _diagnostics, _comments) = (text, diagnostics, comments);

    /// <summary>The tokens, the last of which is the end. Comments are no tokens; whoever wants them gives a list for them.</summary>
    public static List<Token> Tokenize(string text, DiagnosticBag diagnostics, List<Token>? comments = null)
    {
        var lexer = new Lexer(text, diagnostics, comments);
        if (text.Length > TextLimits.MaxLength)
            diagnostics.Add(1, 1, $"the text has {text.Length} characters; at most {TextLimits.MaxLength} are accepted");
        else if (!Names.IsUnicode(text))
            diagnostics.Add(1, 1, "the text is not valid Unicode");
        else
            lexer.ReadAll();
        lexer.Push(TokenKind.End, lexer._position);
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (SkipBlank() && !_diagnostics.IsFull)
        {
            var start = _position;
            var kind = Next();
            if (kind == TokenKind.String)
                ReadString(start);
            else
                Push(kind, start);
        }
    }

    private char Peek(int ahead = 0) => _position + ahead < _text.Length ? _text[_position + ahead] : '\0';

    private bool SkipBlank()
    {
        while (_position < _text.Length)
        {
            var c = _text[_position];
            if (c == '\n')
                NewLine();
            else if (c == '/' && Peek(1) == '/')
                SkipComment();
            else if (char.IsWhiteSpace(c))
                _position++;
            else
                return true;
        }
        return false;
    }

    private void SkipComment()
    {
        var start = _position;
        while (_position < _text.Length && _text[_position] is not ('\n' or '\r'))
            _position++;
        _comments?.Add(new Token(TokenKind.Comment, start, _position - start, _line, Column(start)));
    }

    private void NewLine()
    {
        _position++;
        _line++;
        _lineStart = _position;
    }

    private TokenKind Next()
    {
        var c = _text[_position];
        if (IsIdentifierStart(c))
            return Run(TokenKind.Identifier, IsIdentifierPart);
        if (char.IsAsciiDigit(c))
            return Run(TokenKind.Number, char.IsAsciiDigit);
        if (c == '"')
            return TokenKind.String;
        if (c == '?' && IsIdentifierStart(Peek(1)))
        {
            _position++;
            return Run(TokenKind.Slot, IsIdentifierPart);
        }
        return Symbol(c);
    }

    private TokenKind Run(TokenKind kind, Func<char, bool> belongs)
    {
        while (_position < _text.Length && belongs(_text[_position]))
            _position++;
        return kind;
    }

    private TokenKind Symbol(char c)
    {
        var (kind, length) = (c, Peek(1)) switch
        {
            (':', ':') => (TokenKind.PathSeparator, 2),
            ('=', '=') => (TokenKind.Equal, 2),
            ('!', '=') => (TokenKind.NotEqual, 2),
            ('<', '=') => (TokenKind.LessOrEqual, 2),
            ('>', '=') => (TokenKind.GreaterOrEqual, 2),
            ('|', '|') => (TokenKind.Or, 2),
            ('&', '&') => (TokenKind.And, 2),
            ('@', _) => (TokenKind.At, 1),
            ('.', _) => (TokenKind.Dot, 1),
            (',', _) => (TokenKind.Comma, 1),
            (';', _) => (TokenKind.Semicolon, 1),
            (':', _) => (TokenKind.Colon, 1),
            ('?', _) => (TokenKind.Question, 1),
            ('(', _) => (TokenKind.OpenParen, 1),
            (')', _) => (TokenKind.CloseParen, 1),
            ('{', _) => (TokenKind.OpenBrace, 1),
            ('}', _) => (TokenKind.CloseBrace, 1),
            ('[', _) => (TokenKind.OpenBracket, 1),
            (']', _) => (TokenKind.CloseBracket, 1),
            ('<', _) => (TokenKind.Less, 1),
            ('>', _) => (TokenKind.Greater, 1),
            ('=', _) => (TokenKind.Assign, 1),
            ('+', _) => (TokenKind.Plus, 1),
            ('-', _) => (TokenKind.Minus, 1),
            ('*', _) => (TokenKind.Star, 1),
            ('/', _) => (TokenKind.Slash, 1),
            ('%', _) => (TokenKind.Percent, 1),
            ('!', _) => (TokenKind.Not, 1),
            _ => (TokenKind.Invalid, 1),
        };
        if (kind == TokenKind.Invalid)
            _diagnostics.Add(_line, Column(_position), $"unexpected character {Quoting.Quote(c.ToString())}");
        _position += length;
        return kind;
    }

    // A string may span lines, so its position is taken before the lines are counted.
    private void ReadString(int start)
    {
        var (line, column) = (_line, Column(start));
        _position++;
        while (_position < _text.Length && _text[_position] != '"')
        {
            if (_text[_position] == '\\' && Peek(1) is not ('\n' or '\r' or '\0'))
                _position += 2;
            else if (_text[_position] == '\n')
                NewLine();
            else
                _position++;
        }
        if (_position >= _text.Length)
            _diagnostics.Add(line, column, "the string is not closed");
        _position = Math.Min(_position + 1, _text.Length);
        _tokens.Add(new Token(TokenKind.String, start, _position - start, line, column));
    }

    private int Column(int position) => position - _lineStart + 1;

    private void Push(TokenKind kind, int start) => _tokens.Add(new Token(kind, start, _position - start, _line, Column(start)));

    private static bool IsIdentifierStart(char c) => char.IsAsciiLetter(c) || c == '_';

    private static bool IsIdentifierPart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
}

/// <summary>Collects errors up to the limit.</summary>
internal sealed class DiagnosticBag(string file)
{
    private readonly List<Diagnostic> _items = [];

    public string File => file;

    public bool IsEmpty => _items.Count == 0;

    public bool IsFull => _items.Count >= TextLimits.MaxErrors;

    public void Add(int line, int column, string message) => Add(new SourceLocation(file, line, column), message);

    public void Add(SourceLocation location, string message, int length = 1)
    {
        if (!IsFull)
            _items.Add(new Diagnostic(location, message) { Length = length });
    }

    public ImmutableArray<Diagnostic> ToSorted() =>
        [.. _items.OrderBy(d => d.Location.Line).ThenBy(d => d.Location.Column)];
}

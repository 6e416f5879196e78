using System.Runtime.CompilerServices;

namespace CredBroker.Cedar.Text;

/// <summary>Unwinds to where parsing can go on: the next semicolon. The error is already recorded.</summary>
internal sealed class ParseAbort : Exception;

/// <summary>Reads tokens one after the other; the base of both parsers.</summary>
internal abstract class TokenReader
{
    private readonly List<Token> _tokens;
    private int _index;
    private int _nesting;

    protected TokenReader(string text, string file)
    {
        Source = text;
        Diagnostics = new DiagnosticBag(file);
        _tokens = Lexer.Tokenize(text, Diagnostics);
    }

    protected string Source { get; }

    protected DiagnosticBag Diagnostics { get; }

    protected Token Current => _tokens[_index];

    protected Token Following => _tokens[Math.Min(_index + 1, _tokens.Count - 1)];

    protected Token Previous => _tokens[_index - 1];

    protected ReadOnlySpan<char> SpanOf(Token token) => Source.AsSpan(token.Start, token.Length);

    protected string TextOf(Token token) => SpanOf(token).ToString();

    protected SourceLocation At(Token token) => new(Diagnostics.File, token.Line, token.Column);

    protected Token Advance()
    {
        var token = Current;
        if (token.Kind != TokenKind.End)
            _index++;
        return token;
    }

    protected bool Is(TokenKind kind) => Current.Kind == kind;

    protected bool IsWord(string word) => IsWord(Current, word);

    protected bool IsWord(Token token, string word) => token.Kind == TokenKind.Identifier && SpanOf(token).SequenceEqual(word);

    protected bool Accept(TokenKind kind)
    {
        if (!Is(kind))
            return false;
        Advance();
        return true;
    }

    protected bool AcceptWord(string word)
    {
        if (!IsWord(word))
            return false;
        Advance();
        return true;
    }

    protected Token Expect(TokenKind kind, string expected) => Is(kind) ? Advance() : throw Unexpected(expected);

    protected ParseAbort Unexpected(string expected) => Fail(Current, $"expected {expected}, found {Describe(Current)}");

    protected ParseAbort Fail(Token token, string message)
    {
        Diagnostics.Add(At(token), message, Math.Max(1, token.Length));
        return new ParseAbort();
    }

    protected ParseAbort Fail(SourceLocation location, string message)
    {
        Diagnostics.Add(location, message);
        return new ParseAbort();
    }

    /// <summary>Every construct that nests goes through here, so that hostile text meets the limit instead of the end of the stack.</summary>
    protected T Nested<T>(Func<T> parse)
    {
        if (_nesting >= TextLimits.MaxNesting || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Fail(Current, $"nested more than {TextLimits.MaxNesting} deep");
        _nesting++;
        try
        {
            return parse();
        }
        finally
        {
            _nesting--;
        }
    }

    /// <summary>Skips past the next semicolon.</summary>
    protected void Recover()
    {
        while (!Is(TokenKind.End) && Advance().Kind != TokenKind.Semicolon)
        {
        }
    }

    protected string Unquote(Token token)
    {
        var pieces = new List<string>(1);
        if (Quoting.Unescape(Inside(token), isPattern: false, pieces) is not { } error)
            return pieces[0];
        Diagnostics.Add(At(token), error);
        return "";
    }

    protected ReadOnlySpan<char> Inside(Token token)
    {
        var span = SpanOf(token);
        return span.Length >= 2 ? span[1..^1] : default;
    }

    private string Describe(Token token)
    {
        if (token.Kind == TokenKind.End)
            return "the end of the text";
        var text = SpanOf(token);
        return token.Kind == TokenKind.String ? "a string" : $"'{Quoting.Quote((text.Length > 40 ? text[..40] : text).ToString())[1..^1]}'";
    }
}

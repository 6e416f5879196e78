namespace CredBroker.Cedar.Text;

internal enum TokenKind : byte
{
    End, Identifier, Number, String, Slot, Invalid,
    At, Dot, Comma, Semicolon, Colon, PathSeparator, Question,
    OpenParen, CloseParen, OpenBrace, CloseBrace, OpenBracket, CloseBracket,
    Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, Assign,
    Or, And, Plus, Minus, Star, Slash, Percent, Not, Comment,
}

/// <summary>A slice of the text. Strings include their quotes; slots their question mark.</summary>
internal readonly record struct Token(TokenKind Kind, int Start, int Length, int Line, int Column)
{
    public int End => Start + Length;
}

namespace CredBroker.Cedar;

/// <summary>What a text may demand of the parser. Beyond it, the text is refused with an error; nothing ever overflows the stack.</summary>
public static class TextLimits
{
    /// <summary>The longest text, in UTF-16 code units.</summary>
    public const int MaxLength = 1 << 22;

    /// <summary>The longest JSON text, in UTF-16 code units: longer, since JSON is wordier, and entities are many.</summary>
    public const int MaxJsonLength = 1 << 26;

    /// <summary>The most policies and templates of one text.</summary>
    public const int MaxPolicies = 50_000;

    /// <summary>How deeply brackets (of any kind) and <c>if</c> may nest.</summary>
    public const int MaxNesting = 100;

    /// <summary>How deep an expression tree may be: counts also what needs no brackets, such as <c>a.b.c</c> and <c>a + b + c</c>.</summary>
    public const int MaxDepth = 250;

    /// <summary>After this many errors, parsing stops.</summary>
    public const int MaxErrors = 100;
}

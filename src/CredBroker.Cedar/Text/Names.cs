namespace CredBroker.Cedar.Text;

/// <summary>Identifiers and paths of identifiers.</summary>
internal static class Names
{
    private static readonly HashSet<string> Reserved =
        new(["true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"], StringComparer.Ordinal);

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Reserved.GetAlternateLookup<ReadOnlySpan<char>>();

    public static bool IsReserved(string word) => Reserved.Contains(word);

    public static bool IsIdentifier(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || char.IsAsciiDigit(text[0]))
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
                return false;
        }
        return true;
    }

    /// <summary>Whether the text is a name that a policy can write: identifiers joined by <c>::</c>, none of them reserved.</summary>
    public static bool IsPath(string text)
    {
        var rest = text.AsSpan();
        for (var cut = rest.IndexOf("::"); cut >= 0; cut = rest.IndexOf("::"))
        {
            if (!IsPlain(rest[..cut]))
                return false;
            rest = rest[(cut + 2)..];
        }
        return IsPlain(rest);
    }

    private static bool IsPlain(ReadOnlySpan<char> text) => IsIdentifier(text) && !Lookup.Contains(text);

    /// <summary>Whether the text has no half characters: those would be lost as soon as it is written anywhere.</summary>
    public static bool IsUnicode(string text)
    {
        var rest = text.AsSpan();
        for (var next = rest.IndexOfAnyInRange('\uD800', '\uDFFF'); next >= 0; next = rest.IndexOfAnyInRange('\uD800', '\uDFFF'))
        {
            if (!char.IsHighSurrogate(rest[next]) || next + 1 >= rest.Length || !char.IsLowSurrogate(rest[next + 1]))
                return false;
            rest = rest[(next + 2)..];
        }
        return true;
    }

    public static bool IsActionType(string type) => type == "Action" || type.EndsWith("::Action", StringComparison.Ordinal);

    public static string Qualify(string space, string name) => space.Length == 0 ? name : $"{space}::{name}";

    public static string SpaceOf(string path) => path.LastIndexOf("::", StringComparison.Ordinal) is > 0 and var cut ? path[..cut] : "";

    public static string BaseOf(string path) => path.LastIndexOf("::", StringComparison.Ordinal) is > 0 and var cut ? path[(cut + 2)..] : path;

    /// <summary>A record key or attribute as Cedar writes it: bare where that is allowed, else quoted.</summary>
    public static string WriteKey(string key) => IsIdentifier(key) && !IsReserved(key) ? key : Quoting.Quote(key);
}

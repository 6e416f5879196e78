using System.Text;

namespace CredBroker.Cedar.Tests.Fuzzing;

/// <summary>Breaks texts in ways that parsers meet: cut, repeated, spliced, nested, with tokens where none belong.</summary>
internal sealed class Mutator(Random random, IReadOnlyList<string> texts, int maxNesting = 5_000, int maxMutations = 5)
{
    private static readonly string[] Tokens =
    [
        "permit", "forbid", "when", "unless", "principal", "action", "resource", "context", "if", "then", "else", "in", "is", "has", "like", "true", "false",
        "entity", "type", "namespace", "appliesTo", "enum", "tags", "Set<", "__cedar", "__entity", "__extn", "?principal", "?resource", "@id", "ip(\"1.1.1.1\")", "decimal(\"1.0\")",
        "{", "}", "(", ")", "[", "]", "<", ">", ";", ",", ".", ":", "::", "==", "!=", "&&", "||", "!", "-", "+", "*", "/", "%", "\"", "\\", "'", "//", "\n", "\r", "\0", "\ud800", "é", "\u202e",
        "9223372036854775808", "-9223372036854775808", "1.0", "1e9", "null", "0", "\"\\u{110000}\"", "\"\\x80\"", "\"\\*\"", "Action::\"a\"", "{\"type\":\"\",\"id\":\"\"}",
    ];

    public string Next()
    {
        var text = new StringBuilder(Pick(texts));
        for (var times = 1 + random.Next(maxMutations); times > 0 && text.Length < 200_000; times--)
            Mutate(text);
        return text.ToString();
    }

    private void Mutate(StringBuilder text)
    {
        var (start, length) = Slice(text);
        switch (random.Next(8))
        {
            case 0:
                text.Remove(start, length);
                break;
            case 1:
                text.Insert(start, text.ToString(start, length));
                break;
            case 2:
                text.Insert(start, Pick(Tokens));
                break;
            case 3:
                text.Remove(start, length).Insert(start, Pick(Tokens));
                break;
            case 4:
                var other = Pick(texts);
                var from = random.Next(other.Length + 1);
                text.Insert(start, other.AsSpan(from, random.Next(Math.Min(200, other.Length - from) + 1)));
                break;
            case 5:
                text.Length = start;
                break;
            case 6:
                text.Insert(start, Repeat(text.ToString(start, Math.Min(length, 20)), 1 + random.Next(Math.Min(2_000, maxNesting * 10))));
                break;
            default:
                var (open, close) = random.Next(4) switch { 0 => ("(", ")"), 1 => ("[", "]"), 2 => ("{a:", "}"), _ => ("if true then 1 else (", ")") };
                var depth = 1 + random.Next(random.Next(10) == 0 ? maxNesting : Math.Min(90, maxNesting));
                text.Insert(start + length, Repeat(close, depth)).Insert(start, Repeat(open, depth));
                break;
        }
    }

    private (int Start, int Length) Slice(StringBuilder text)
    {
        var start = random.Next(text.Length + 1);
        return (start, random.Next(Math.Min(60, text.Length - start) + 1));
    }

    private T Pick<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}

using System.Text;

namespace CredBroker.AspNetCore.Filters;

/// <summary>Takes a filter apart, from left to right.</summary>
internal sealed class FilterTokens(string filter)
{
    private static readonly string[] Operators = ["<=", ">=", "!=", "=", "<", ">", ":"];
    private int _at;

    public int Position
    {
        get
        {
            SkipSpace();
            return _at;
        }
    }

    public bool AtEnd => Position == filter.Length;

    public bool Take(string symbol)
    {
        if (!filter.AsSpan(Position).StartsWith(symbol, StringComparison.Ordinal)) return false;
        _at += symbol.Length;
        return true;
    }

    public bool TakeWord(string word)
    {
        var end = Position + word.Length;
        return (end == filter.Length || (end < filter.Length && filter[end] is ' ' or '(')) && Take(word);
    }

    public string? TakeName()
    {
        var start = Position;
        while (_at < filter.Length && (char.IsAsciiLetterOrDigit(filter[_at]) || filter[_at] is '_' or '.' or '-' or '/')) _at++;
        return _at == start ? null : filter[start.._at];
    }

    public string? TakeOperator() => Operators.FirstOrDefault(Take);

    public string? TakeValue()
    {
        var start = Position;
        if (start < filter.Length && filter[start] is '"' or '\'') return Quoted(filter[start]);
        while (_at < filter.Length && filter[_at] is not (' ' or '(' or ')' or '"' or '\'' or '=' or '<' or '>')) _at++;
        return _at == start ? null : filter[start.._at];
    }

    private string Quoted(char quote)
    {
        var start = _at++;
        var text = new StringBuilder();
        for (; _at < filter.Length && filter[_at] != quote; _at++)
        {
            if (filter[_at] == '\\') _at++;
            if (_at < filter.Length) text.Append(filter[_at]);
        }

        if (_at >= filter.Length) throw FilterFault.At(start, "A closing quote is missing.");
        _at++;
        return text.ToString();
    }

    private void SkipSpace()
    {
        while (_at < filter.Length && filter[_at] == ' ') _at++;
    }
}

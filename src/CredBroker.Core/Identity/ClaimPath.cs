using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace CredBroker.Core.Identity;

/// <summary>
/// Names a claim: member names separated by <c>/</c>, with <c>~1</c> for a slash and <c>~0</c> for a tilde (RFC 6901 without the leading
/// slash), so that <c>kubernetes.io/pod/uid</c> reads as it is written.
/// </summary>
internal sealed class ClaimPath
{
    private const int LongestPath = 256;
    private const int DeepestPath = 6;
    private readonly string[] _names;

    private ClaimPath(string text, string[] names)
    {
        Text = text;
        _names = names;
    }

    public string Text { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out ClaimPath? path)
    {
        path = null;
        if (text is not { Length: > 0 and <= LongestPath } || text.Any(character => character is < ' ' or > '~')) return false;
        var names = text.Split('/');
        if (names.Length > DeepestPath) return false;
        for (var i = 0; i < names.Length; i++)
        {
            var unescaped = names[i].Replace("~0", "", StringComparison.Ordinal).Replace("~1", "", StringComparison.Ordinal);
            if (names[i].Length == 0 || unescaped.Contains('~', StringComparison.Ordinal)) return false;
            names[i] = names[i].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        }

        path = new ClaimPath(text, names);
        return true;
    }

    public static ClaimPath Parse(string text) => TryParse(text, out var path) ? path : throw new FormatException($"'{text}' is not a claim path.");

    /// <summary>The claim; null when it is absent or null.</summary>
    public JsonElement? Find(JsonElement claims)
    {
        var at = claims;
        foreach (var name in _names)
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return null;
        }

        return at.ValueKind == JsonValueKind.Null ? null : at;
    }

    public override string ToString() => Text;
}

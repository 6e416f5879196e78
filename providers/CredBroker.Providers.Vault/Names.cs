using System.Text.RegularExpressions;

namespace CredBroker.Providers.Vault;

/// <summary>What may become part of a path or a body at the target: each from an alphabet in which nothing needs escaping.</summary>
internal static partial class Names
{
    public const string SegmentRule = "This has 1 to 128 of the characters A-Z, a-z, 0-9, _, . and -, and is not . or ..";

    public const string PathRule = "This is a path such as database/creds/app: 1 to 16 segments, each with 1 to 128 of the characters A-Z, a-z, 0-9, _, . and -, and none . or ..";

    /// <summary>Whether this is one segment of a path, as a whole.</summary>
    public static bool IsSegment(string text) => SegmentPattern().IsMatch(text) && text is not ("." or "..");

    /// <summary>Whether this is a path of such segments, with no slash at either end.</summary>
    public static bool IsPath(string text) => text.Length <= 512 && text.Split('/') is { Length: >= 1 and <= 16 } segments && segments.All(IsSegment);

    /// <summary>Whether this is the name of one of our credentials.</summary>
    public static bool IsExternalName(string name) => ExternalNamePattern().IsMatch(name);

    /// <summary>Whether this is a mark.</summary>
    public static bool IsMark(string text) => MarkPattern().IsMatch(text);

    /// <summary>A text in which every placeholder that is a whole segment, or all of it, stands as a letter: enough to check what is around it.</summary>
    public static string WithoutPlaceholders(string text) => PlaceholderPattern().Replace(text, "x");

    [GeneratedRegex(@"\A[A-Za-z0-9_.-]{1,128}\z")]
    private static partial Regex SegmentPattern();

    [GeneratedRegex(@"\Acb-[a-z0-9]{6}-[0-9a-z]{26}\z")]
    private static partial Regex ExternalNamePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_.:-]{1,400}\z")]
    private static partial Regex MarkPattern();

    [GeneratedRegex(@"(?<=\A|/)\{\{[a-z][A-Za-z0-9_-]{0,62}\}\}(?=/|\z)")]
    private static partial Regex PlaceholderPattern();
}

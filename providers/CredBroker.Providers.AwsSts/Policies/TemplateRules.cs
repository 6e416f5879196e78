using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Policies;

/// <summary>What both kinds of template have in common.</summary>
internal static partial class TemplateRules
{
    public static readonly TimeSpan ShortestSettle = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan LongestSettle = TimeSpan.FromMinutes(15);

    /// <summary>
    /// AWS says "a few minutes" and no number; seconds are what people measure, and five minutes the most that anybody reports. Without a handle this is
    /// what is waited: then the call may also still arrive, which takes longer.
    /// </summary>
    public static readonly TimeSpan DefaultSettle = TimeSpan.FromMinutes(5);

    /// <summary>What AWS allows in one call.</summary>
    public const int MostPolicyArns = 10;

    /// <summary>Two are ours.</summary>
    public const int MostTags = 48;

    public static IEnumerable<ValidationError> Check(
        IReadOnlyList<PolicyStatement> statements, IReadOnlyList<string> policyArns, IReadOnlyDictionary<string, string> tags, TimeSpan settle, Func<string, string> plain)
    {
        if (statements.Count > 50) yield return new("statements", "Write at most 50 statements.");
        for (var i = 0; i < Math.Min(statements.Count, 50); i++)
            foreach (var error in statements[i].Validate($"statements[{i}]", plain)) yield return error;
        if (policyArns.Count > MostPolicyArns) yield return new("policyArns", $"Name at most {MostPolicyArns} policies.");
        for (var i = 0; i < Math.Min(policyArns.Count, MostPolicyArns); i++)
            if (!PolicyPattern().IsMatch(plain(policyArns[i]))) yield return new($"policyArns[{i}]", "This is the ARN of a managed policy.");
        foreach (var error in CheckTags(tags, plain)) yield return error;
        if (settle < ShortestSettle || settle > LongestSettle) yield return new("settle", "This must be between 10s and 15m.");
    }

    private static IEnumerable<ValidationError> CheckTags(IReadOnlyDictionary<string, string> tags, Func<string, string> plain)
    {
        if (tags.Count > MostTags) yield return new("tags", $"Set at most {MostTags} tags.");
        foreach (var (key, value) in tags.Take(MostTags))
        {
            if (!Names.IsTagKey(key) || key.StartsWith("credbroker:", StringComparison.OrdinalIgnoreCase))
                yield return new("tags", "A key has 1 to 128 letters, digits, spaces and _.:/=+@-, and begins neither with aws: nor with credbroker:.");
            if (!Names.IsTagValue(plain(value))) yield return new("tags", "A value has at most 256 letters, digits, spaces and _.:/=+@-.");
        }

        // AWS compares keys without regard to case.
        if (tags.Keys.Distinct(StringComparer.OrdinalIgnoreCase).Count() != tags.Count) yield return new("tags", "Two keys differ in case alone.");
    }

    /// <summary>A template as registered, with each placeholder as one letter: enough to check what is around it.</summary>
    public static string WithPlaceholders(string text) => Placeholder().Replace(text, "x");

    /// <summary>A template to issue from: no placeholder is left.</summary>
    public static string Filled(string text) => text.Contains("{{", StringComparison.Ordinal) ? "\n" : text;

    [GeneratedRegex(@"\{\{[^{}]*\}\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\Aarn:(?:aws|aws-cn|aws-us-gov):iam::(?:[0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]{1,512}\z")]
    private static partial Regex PolicyPattern();
}

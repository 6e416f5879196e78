using System.Globalization;
using System.Text.RegularExpressions;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

/// <summary>What STS takes, and how it says no.</summary>
internal static class Limits
{
    public static string Name(string value, string field)
    {
        if (value.Length < 2) throw AwsErrorException.Validation(value, field, "Member must have length greater than or equal to 2");
        if (value.Length > 64) throw AwsErrorException.Validation(value, field, "Member must have length less than or equal to 64");
        return Regex.IsMatch(value, @"\A[A-Za-z0-9_+=,.@-]*\z") ? value : throw AwsErrorException.Validation(value, field, @"Member must satisfy regular expression pattern: [\w+=,.@-]*");
    }

    public static int Seconds(IReadOnlyDictionary<string, string> form, int most, bool chained)
    {
        var text = form.GetValueOrDefault("DurationSeconds", "3600");
        var seconds = int.Parse(text, CultureInfo.InvariantCulture);
        if (seconds < 900) throw AwsErrorException.Validation(text, "durationSeconds", "Member must have value greater than or equal to 900");
        if (seconds > 43_200) throw AwsErrorException.Validation(text, "durationSeconds", "Member must have value less than or equal to 43200");
        if (seconds > most) throw new AwsErrorException("ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
        if (chained && seconds > 3600) throw new AwsErrorException("ValidationError", 400, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
        return seconds;
    }

    public static IReadOnlyDictionary<string, string> Tags(IReadOnlyDictionary<string, string> form)
    {
        var tags = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 1; form.TryGetValue(Member("Tags", i, ".Key"), out var key); i++)
        {
            var value = form.GetValueOrDefault(Member("Tags", i, ".Value"), "");
            if (key.Length is 0 or > 128 || !Regex.IsMatch(key, @"\A[\p{L}\p{Z}\p{N}_.:/=+\-@]+\z")) throw AwsErrorException.Validation(key, $"tags.{i}.member.key", "Member must satisfy its constraints");
            if (value.Length > 256 || !Regex.IsMatch(value, @"\A[\p{L}\p{Z}\p{N}_.:/=+\-@]*\z")) throw AwsErrorException.Validation(value, $"tags.{i}.member.value", "Member must satisfy its constraints");
            if (!tags.TryAdd(key, value)) throw new AwsErrorException("InvalidParameterValue", 400, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
        }

        return tags.Count <= 50 ? tags : throw AwsErrorException.Validation("tags", "tags", "Member must have length less than or equal to 50");
    }

    public static IReadOnlyList<string> Transitive(IReadOnlyDictionary<string, string> form, IReadOnlyDictionary<string, string> tags, IEnumerable<string> inherited)
    {
        var keys = new List<string>();
        for (var i = 1; form.TryGetValue(Member("TransitiveTagKeys", i, ""), out var key); i++) keys.Add(key);
        if (keys.Any(key => !tags.ContainsKey(key))) throw new AwsErrorException("InvalidParameterValue", 400, "The specified transitive tag key must be included in the requested tags.");
        if (tags.Keys.Intersect(inherited, StringComparer.OrdinalIgnoreCase).Any())
            throw new AwsErrorException("InvalidParameterValue", 400, "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.");
        return keys;
    }

    public static IReadOnlyList<IamPolicy> SessionPolicies(IReadOnlyDictionary<string, string> form, AwsStandIn aws)
    {
        var policies = new List<IamPolicy>();
        var characters = 0;
        if (form.TryGetValue("Policy", out var text))
        {
            characters += text.Length;
            if (!Regex.IsMatch(text, @"\A[\u0009\u000A\u000D\u0020-\u00FF]+\z")) throw AwsErrorException.Validation("policy", "policy", @"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+");
            policies.Add(IamPolicy.Read(text, trust: false, out var complaint) ?? throw new AwsErrorException("MalformedPolicyDocument", 400, complaint));
        }

        for (var i = 1; form.TryGetValue(Member("PolicyArns", i, ".arn"), out var arn); i++)
        {
            if (i > 10) throw AwsErrorException.Validation("policyArns", "policyArns", "Member must have length less than or equal to 10");
            characters += arn.Length;
            policies.Add(aws.ManagedPolicy(arn));
        }

        return characters <= 2048 ? policies : throw AwsErrorException.Validation("policy", "policy", "Member must have length less than or equal to 2048");
    }

    private static string Member(string list, int number, string member) => string.Create(CultureInfo.InvariantCulture, $"{list}.member.{number}{member}");
}

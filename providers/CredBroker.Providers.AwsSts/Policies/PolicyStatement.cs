using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Policies;

/// <summary>What a statement does.</summary>
public enum StatementEffect
{
    /// <summary>It allows.</summary>
    Allow = 1,

    /// <summary>It denies, whatever else allows.</summary>
    Deny = 2,
}

/// <summary>One statement of a policy. It is written by us, from its parts: what a parameter filled in stays within its string.</summary>
public sealed partial record PolicyStatement
{
    /// <summary>What it does.</summary>
    public StatementEffect Effect { get; init; } = StatementEffect.Allow;

    /// <summary>The actions, such as <c>s3:GetObject</c>: 1 to 100.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>The resources' ARNs: 1 to 100.</summary>
    public required IReadOnlyList<string> Resources { get; init; }

    /// <summary>The conditions: operator, key, values.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, IReadOnlyList<string>>>? Conditions { get; init; }

    internal IEnumerable<ValidationError> Validate(string path, Func<string, string> plain)
    {
        if (Actions.Count is 0 or > 100) yield return new($"{path}.actions", "Name 1 to 100 actions.");
        if (Resources.Count is 0 or > 100) yield return new($"{path}.resources", "Name 1 to 100 resources.");
        for (var i = 0; i < Math.Min(Actions.Count, 100); i++)
            if (!ActionPattern().IsMatch(plain(Actions[i]))) yield return new($"{path}.actions[{i}]", "This is an action such as s3:GetObject or s3:Get*.");
        for (var i = 0; i < Math.Min(Resources.Count, 100); i++)
            if (!ResourcePattern().IsMatch(plain(Resources[i]))) yield return new($"{path}.resources[{i}]", "This is an ARN of printable ASCII without spaces and quotes, or *.");
        foreach (var error in ValidateConditions($"{path}.conditions", plain)) yield return error;
    }

    private IEnumerable<ValidationError> ValidateConditions(string path, Func<string, string> plain)
    {
        foreach (var (@operator, keys) in Conditions ?? new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyList<string>>>())
        {
            if (!OperatorPattern().IsMatch(@operator)) yield return new(path, "An operator is one such as StringEquals or ForAnyValue:StringLike.");
            if (keys is null || keys.Count == 0)
            {
                yield return new(path, "An operator has at least one key.");
                continue;
            }

            foreach (var (key, values) in keys)
            {
                if (!KeyPattern().IsMatch(key)) yield return new(path, "A key is one such as aws:SourceIp.");
                if (values is null || values.Count is 0 or > 100 || values.Any(value => value is null || !ValuePattern().IsMatch(plain(value))))
                    yield return new(path, "A key has 1 to 100 values of printable ASCII without quotes and backslashes.");
            }
        }
    }

    [GeneratedRegex(@"\A(?:\*|[a-z0-9-]{1,64}:[A-Za-z0-9*?]{1,128})\z")]
    private static partial Regex ActionPattern();

    [GeneratedRegex(@"\A(?:\*|arn:[!#-\[\]-~]{1,1020})\z")]
    private static partial Regex ResourcePattern();

    [GeneratedRegex(@"\A[A-Za-z:]{1,64}\z")]
    private static partial Regex OperatorPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9:/._-]{1,256}\z")]
    private static partial Regex KeyPattern();

    [GeneratedRegex(@"\A[ !#-\[\]-~]{0,512}\z")]
    private static partial Regex ValuePattern();
}

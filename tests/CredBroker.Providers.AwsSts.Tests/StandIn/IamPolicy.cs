using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

internal enum Verdict
{
    Silent,
    Allowed,
    Denied,
}

/// <summary>What a policy is asked: an action on a resource, by a principal, with the condition keys of the request.</summary>
internal sealed record PolicyRequest(string Action, string Resource, IReadOnlyDictionary<string, IReadOnlyList<string>> Keys);

/// <summary>A policy document, evaluated as the documentation describes it.</summary>
internal sealed class IamPolicy
{
    private readonly List<IamStatement> _statements;

    private IamPolicy(List<IamStatement> statements) => _statements = statements;

    /// <summary>Reads a document; otherwise IAM's complaint about it.</summary>
    public static IamPolicy? Read(string text, bool trust, out string complaint)
    {
        complaint = "This policy contains invalid Json";
        JsonElement root;
        try
        {
            root = JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }

        complaint = "Syntax errors in policy.";
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("Statement", out var statements)) return null;
        if (root.EnumerateObject().Any(member => member.Name is not ("Version" or "Id" or "Statement"))) return null;
        if (root.TryGetProperty("Version", out var version) && version.GetString() is not ("2012-10-17" or "2008-10-17")) return null;
        var read = new List<IamStatement>();
        foreach (var statement in statements.ValueKind == JsonValueKind.Array ? statements.EnumerateArray().ToArray() : [statements])
        {
            if (IamStatement.Read(statement, trust, out complaint) is not { } one) return null;
            read.Add(one);
        }

        if (read.Count == 0) return null;
        complaint = "";
        return new IamPolicy(read);
    }

    public static IamPolicy Of(string text, bool trust = false) => Read(text, trust, out var complaint) ?? throw new ArgumentException(complaint);

    /// <summary>A deny wins; without an allow it is silent.</summary>
    public Verdict Ask(PolicyRequest request, IReadOnlyList<string>? principals = null)
    {
        var verdict = Verdict.Silent;
        foreach (var statement in _statements.Where(statement => statement.Applies(request, principals)))
        {
            if (!statement.Allows) return Verdict.Denied;
            verdict = Verdict.Allowed;
        }

        return verdict;
    }
}

internal sealed class IamStatement
{
    private static readonly string[] Members = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"];
    private readonly List<string> _actions = [];
    private readonly List<string> _resources = [];
    private readonly List<string> _principals = [];
    private readonly List<(string Operator, string Key, List<string> Values)> _conditions = [];
    private bool _notAction;
    private bool _notResource;
    private bool _trust;

    public bool Allows { get; private set; }

    public static IamStatement? Read(JsonElement json, bool trust, out string complaint)
    {
        complaint = "Syntax errors in policy.";
        if (json.ValueKind != JsonValueKind.Object || json.EnumerateObject().Any(member => !Members.Contains(member.Name))) return null;
        if (!json.TryGetProperty("Effect", out var effect) || effect.GetString() is not ("Allow" or "Deny")) return null;
        if (json.TryGetProperty("Sid", out var sid) && !Regex.IsMatch(sid.GetString() ?? "", @"\A[A-Za-z0-9]*\z")) return null;
        var statement = new IamStatement { Allows = effect.GetString() == "Allow", _trust = trust };
        statement._notAction = !json.TryGetProperty("Action", out var action) && json.TryGetProperty("NotAction", out action);
        if (action.ValueKind == JsonValueKind.Undefined) return null;
        statement._actions.AddRange(Strings(action));
        complaint = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
        if (statement._actions.Any(name => name != "*" && !name.Contains(':', StringComparison.Ordinal))) return null;
        statement._notResource = !json.TryGetProperty("Resource", out var resource) && json.TryGetProperty("NotResource", out resource);
        if (trust)
        {
            complaint = "Has prohibited field Resource";
            if (resource.ValueKind != JsonValueKind.Undefined) return null;
            complaint = "AssumeRole policy may only specify STS AssumeRole actions.";
            if (statement._actions.Any(name => !name.StartsWith("sts:", StringComparison.OrdinalIgnoreCase))) return null;
            complaint = "Syntax errors in policy.";
            if (!json.TryGetProperty("Principal", out var principal)) return null;
            statement._principals.AddRange(principal.ValueKind == JsonValueKind.Object ? principal.EnumerateObject().SelectMany(kind => Strings(kind.Value)) : Strings(principal));
        }
        else
        {
            complaint = "Policy statement must contain resources.";
            if (resource.ValueKind == JsonValueKind.Undefined) return null;
            statement._resources.AddRange(Strings(resource));
            complaint = "Syntax errors in policy.";
            if (json.TryGetProperty("Principal", out _)) return null;
        }

        if (json.TryGetProperty("Condition", out var condition))
        {
            foreach (var byOperator in condition.EnumerateObject())
                foreach (var byKey in byOperator.Value.EnumerateObject()) statement._conditions.Add((byOperator.Name, byKey.Name, Strings(byKey.Value)));
        }

        complaint = "The policy failed legacy parsing";
        if (statement._conditions.Any(one => one.Operator.StartsWith("Date", StringComparison.Ordinal) && one.Values.Any(value => Instant(value) is null))) return null;
        if (statement._conditions.Any(one => !KnownOperator(one.Operator))) return null;
        complaint = "";
        return statement;
    }

    public bool Applies(PolicyRequest request, IReadOnlyList<string>? principals)
    {
        if (_actions.Any(pattern => Like(pattern, request.Action, ignoreCase: true)) == _notAction) return false;
        if (!_trust && _resources.Any(pattern => Resolve(pattern, request) is { } resolved && Like(resolved, request.Resource)) == _notResource) return false;
        if (_trust && !_principals.Any(principal => principal == "*" || principals!.Contains(principal))) return false;
        return _conditions.All(condition => Holds(condition.Operator, condition.Key, condition.Values, request));
    }

    private static bool KnownOperator(string name) => Base(name) is "StringEquals" or "StringNotEquals" or "StringLike" or "StringNotLike" or "ArnEquals" or "ArnLike"
        or "DateLessThan" or "DateLessThanEquals" or "DateGreaterThan" or "DateGreaterThanEquals" or "Bool" or "Null";

    private static string Base(string name) => name.EndsWith("IfExists", StringComparison.Ordinal) ? name[..^"IfExists".Length] : name;

    private static bool Holds(string @operator, string key, List<string> values, PolicyRequest request)
    {
        var present = request.Keys.TryGetValue(key.ToLowerInvariant(), out var actual) && actual.Count > 0;
        if (Base(@operator) == "Null") return (values is ["true"]) == !present;
        // A key that is absent makes a condition false; negated ones true.
        if (!present) return @operator.EndsWith("IfExists", StringComparison.Ordinal) || Base(@operator) is "StringNotEquals" or "StringNotLike";
        var resolved = values.Select(value => Resolve(value, request)).OfType<string>().ToList();
        return Base(@operator) switch
        {
            "StringEquals" or "Bool" => actual!.Any(resolved.Contains),
            "StringNotEquals" => !actual!.Any(resolved.Contains),
            "StringLike" or "ArnLike" or "ArnEquals" => actual!.Any(one => resolved.Any(pattern => Like(pattern, one))),
            "StringNotLike" => !actual!.Any(one => resolved.Any(pattern => Like(pattern, one))),
            "DateLessThan" => resolved.Any(value => Instant(actual![0]) < Instant(value)),
            "DateLessThanEquals" => resolved.Any(value => Instant(actual![0]) <= Instant(value)),
            "DateGreaterThan" => resolved.Any(value => Instant(actual![0]) > Instant(value)),
            "DateGreaterThanEquals" => resolved.Any(value => Instant(actual![0]) >= Instant(value)),
            _ => throw new InvalidOperationException($"The stand-in does not know {@operator}."),
        };
    }

    // A variable that is absent makes the statement not match.
    private static string? Resolve(string text, PolicyRequest request)
    {
        var whole = true;
        var resolved = Regex.Replace(text, @"\$\{([^}]+)\}", match =>
        {
            if (request.Keys.TryGetValue(match.Groups[1].Value.ToLowerInvariant(), out var value) && value.Count == 1) return value[0];
            whole = false;
            return "";
        });
        return whole ? resolved : null;
    }

    private static bool Like(string pattern, string text, bool ignoreCase = false) => Regex.IsMatch(
        text, $@"\A{Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal)}\z",
        RegexOptions.Singleline | RegexOptions.CultureInvariant | (ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None));

    private static DateTimeOffset? Instant(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant) ? instant : null;

    private static List<string> Strings(JsonElement value) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => item.ToString())] : [value.ToString()];
}

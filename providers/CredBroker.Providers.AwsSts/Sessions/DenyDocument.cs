using System.Globalization;
using System.Text.Json;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>
/// The inline policy that denies everything to sessions by their source identity, which a session cannot change. Names are sorted, so that the same
/// denials are the same text.
/// </summary>
/// <param name="Denied">The names.</param>
/// <param name="Since">
/// Since when the document has been whole: it is moved when names were missing that had stood in it, so that whoever waits for its effect waits anew. In
/// whole seconds.
/// </param>
/// <param name="OlderThan">Where there was no room: everything that was issued before is denied.</param>
internal sealed record DenyDocument(IReadOnlySet<string> Denied, DateTimeOffset Since, DateTimeOffset? OlderThan = null)
{
    /// <summary>What all inline policies of a role may take together. White space does not count.</summary>
    public const int MostCharacters = 10_240;

    private const string SidPrefix = "CredBroker";
    private const string SidForm = "yyyyMMdd'T'HHmmss'Z'";

    // The empty list is written without brackets around its first name, so the fixed text is what two names leave.
    private static readonly int Fixed = TextOf(["a", "b"], DateTimeOffset.UnixEpoch, null).Length - "\"a\",\"b\"".Length;

    /// <summary>How many names there is room for, beside what other inline policies take.</summary>
    public static int CapacityBeside(int otherCharacters) => (MostCharacters - Fixed - otherCharacters + 1) / (Names.ExternalLength + 3);

    public string Text => TextOf(Denied, Since, OlderThan);

    public bool IsEmpty => Denied.Count == 0 && OlderThan is null;

    /// <summary>Reads what stands there. What does not have our form denies nothing that could be relied on: null.</summary>
    public static DenyDocument? Read(string document)
    {
        try
        {
            using var json = JsonDocument.Parse(document, new JsonDocumentOptions { MaxDepth = 16 });
            return Read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static DenyDocument? Read(JsonElement root)
    {
        var denied = new SortedSet<string>(StringComparer.Ordinal);
        DateTimeOffset? since = null, older = null;
        var statements = root.GetProperty("Statement");
        foreach (var statement in statements.ValueKind == JsonValueKind.Array ? statements.EnumerateArray().ToArray() : [statements])
        {
            if (ConditionOf(statement) is not { } condition) return null;
            if (condition is ("StringEquals", "aws:SourceIdentity", { } names))
            {
                denied.UnionWith(names);
                since = SinceOf(statement);
            }
            else if (condition is ("DateLessThan", "aws:TokenIssueTime", [var date]) && StsAnswers.Instant(date) is { } instant)
            {
                older = instant;
                since ??= SinceOf(statement);
            }
            else
            {
                return null;
            }
        }

        return since is { } known && denied.All(Names.IsExternal) ? new DenyDocument(denied, known, older) : null;
    }

    // Only a statement that denies everything, on one condition, is one of ours.
    private static (string Operator, string Key, string[] Values)? ConditionOf(JsonElement statement)
    {
        string[] expected = ["Sid", "Effect", "Action", "Resource", "Condition"];
        if (!statement.EnumerateObject().Select(member => member.Name).ToHashSet(StringComparer.Ordinal).SetEquals(expected)) return null;
        if (statement.GetProperty("Effect").GetString() != "Deny" || statement.GetProperty("Action").GetString() != "*" || statement.GetProperty("Resource").GetString() != "*") return null;
        if (statement.GetProperty("Condition").EnumerateObject().ToArray() is not [var byOperator] || byOperator.Value.EnumerateObject().ToArray() is not [var byKey]) return null;
        var values = byKey.Value.ValueKind == JsonValueKind.Array ? byKey.Value.EnumerateArray().Select(value => value.GetString() ?? "").ToArray() : [byKey.Value.GetString() ?? ""];
        return (byOperator.Name, byKey.Name, values);
    }

    private static DateTimeOffset? SinceOf(JsonElement statement) =>
        statement.GetProperty("Sid").GetString() is { } sid && sid.StartsWith(SidPrefix, StringComparison.Ordinal)
        && DateTimeOffset.TryParseExact(sid[SidPrefix.Length..], SidForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var since)
            ? since
            : null;

    private static string TextOf(IEnumerable<string> denied, DateTimeOffset since, DateTimeOffset? older)
    {
        var names = denied.Order(StringComparer.Ordinal).ToArray();
        var sid = SidPrefix + since.UtcDateTime.ToString(SidForm, CultureInfo.InvariantCulture);
        var statements = new List<Statement>();
        if (names.Length > 0) statements.Add(Deny(sid, new Condition("StringEquals", "aws:SourceIdentity", names)));
        if (older is { } cutOff) statements.Add(Deny(names.Length > 0 ? $"{sid}Older" : sid, new Condition("DateLessThan", "aws:TokenIssueTime", PolicyText.Instant(cutOff))));
        return PolicyText.Write(statements);
    }

    private static Statement Deny(string sid, Condition condition) => new(false, ["*"], ["*"]) { Sid = sid, Conditions = [condition] };
}

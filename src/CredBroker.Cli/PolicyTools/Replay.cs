using System.Text.Json.Nodes;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>What would become of one decision.</summary>
internal enum Change
{
    None,
    NowDenied,
    NowAllowed,
    OtherLife,
}

/// <summary>Asks recorded decisions again, and gathers what would be another answer: by the policies that make it so.</summary>
internal sealed class Replay(PolicyBook book)
{
    private const int MostExamples = 3;
    private readonly Dictionary<(Change Change, string By), List<(Decision Decision, Answer Answer)>> _changes = [];
    private readonly Dictionary<string, int> _unsaid = [];

    /// <summary>How many were asked again.</summary>
    public int Asked { get; private set; }

    /// <summary>How many would be decided otherwise.</summary>
    public int Changed => _changes.Values.Sum(list => list.Count);

    /// <summary>How many could not be asked again.</summary>
    public int Unsaid => _unsaid.Values.Sum();

    public void Add(Decision recorded)
    {
        if (Ask(recorded, out var why) is not { } answer)
        {
            _unsaid[why] = _unsaid.GetValueOrDefault(why) + 1;
            return;
        }

        Asked++;
        var (change, by) = Compare(recorded, answer.Verdict);
        if (change == Change.None) return;
        if (!_changes.TryGetValue((change, by), out var list)) _changes[(change, by)] = list = [];
        list.Add((recorded, answer));
    }

    public IEnumerable<string> Lines()
    {
        foreach (var kind in new[] { Change.NowDenied, Change.NowAllowed, Change.OtherLife })
        {
            var groups = _changes.Where(group => group.Key.Change == kind).OrderByDescending(group => group.Value.Count).ThenBy(group => group.Key.By, StringComparer.Ordinal).ToList();
            if (groups.Count == 0) continue;
            yield return $"{Title(kind)}: {groups.Sum(group => group.Value.Count)}";
            foreach (var ((_, by), list) in groups)
            {
                yield return $"  {by}: {list.Count}";
                var same = list.GroupBy(entry => $"{entry.Decision.Principal} {entry.Decision.Action} {entry.Decision.Resource}", StringComparer.Ordinal).OrderByDescending(group => group.Count()).ToList();
                foreach (var group in same.Take(MostExamples)) yield return $"    {group.Count()} × {group.Key}, such as {group.First().Decision.Name}{Lives(group.First())}";
                if (same.Count > MostExamples) yield return $"    and {same.Skip(MostExamples).Sum(group => group.Count())} others";
            }
        }

        yield return $"{Asked} asked again: {Changed} would be decided otherwise, {Asked - Changed} as before.";
        foreach (var (why, count) in _unsaid.OrderBy(pair => pair.Key, StringComparer.Ordinal)) yield return $"{count} could not be asked again: {why}.";
    }

    public JsonObject Json() => new()
    {
        ["asked"] = Asked,
        ["changed"] = Changed,
        ["notAsked"] = new JsonObject(_unsaid.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        ["changes"] = new JsonArray([.. _changes.SelectMany(group => group.Value.Select(entry => (JsonNode)new JsonObject
        {
            ["decision"] = entry.Decision.Name,
            ["change"] = group.Key.Change switch { Change.NowDenied => "nowDenied", Change.NowAllowed => "nowAllowed", _ => "otherLife" },
            ["because"] = group.Key.By,
            ["principal"] = entry.Decision.Principal,
            ["action"] = entry.Decision.Action,
            ["resource"] = entry.Decision.Resource,
            ["by"] = new JsonArray([.. entry.Answer.Verdict.Determining.Select(policy => JsonValue.Create(policy.Id))]),
            ["maxTtl"] = entry.Answer.Verdict.MaxTtl is { } life ? Show.Span(life) : null,
            ["errors"] = new JsonArray([.. entry.Answer.Verdict.Errors.Select(error => JsonValue.Create(error))]),
        }))]),
    };

    private Answer? Ask(Decision recorded, out string why)
    {
        if (recorded.Question.Length == 0)
        {
            why = "what was asked was erased, or was not kept";
            return null;
        }

        if (RecordedLine.Read(recorded.Question) is not { } line)
        {
            why = "another version wrote what was asked";
            return null;
        }

        // A recording that is not what was decided on proves nothing. Where words were left out, the hash still covers them.
        if (!line.WithoutWords && !line.Questions.Any(question => question.Hash() == recorded.InputHash))
        {
            why = "what was kept is not what was decided on";
            return null;
        }

        why = "policies read words that were not kept";
        return line.Ask(book, PolicySource.Schema);
    }

    private static (Change, string) Compare(Decision recorded, Verdict verdict)
    {
        var allowed = recorded.Effect == Decision.Types.Effect.Permit;
        if (allowed && !verdict.Allowed) return (Change.NowDenied, Cause(recorded, verdict));
        if (!allowed && verdict.Allowed) return (Change.NowAllowed, $"by {Names(verdict)}");
        return allowed && recorded.MaxTtl?.ToTimeSpan() != verdict.MaxTtl ? (Change.OtherLife, $"by {Names(verdict)}") : (Change.None, "");
    }

    private static string Cause(Decision recorded, Verdict verdict)
    {
        if (verdict.Errors.Count > 0) return $"a policy fails: {verdict.Errors[0]}";
        if (verdict.Determining.Count > 0) return $"by {Names(verdict)}";
        var before = string.Join(", ", recorded.Policies.Select(policy => $"{policy.PolicySet[(policy.PolicySet.IndexOf('/', StringComparison.Ordinal) + 1)..]}/{policy.Policy}"));
        return $"nothing permits it any more; before by {before}";
    }

    private static string Names(Verdict verdict) => string.Join(", ", verdict.Determining.Select(policy => policy.Id).Order(StringComparer.Ordinal));

    private static string Lives((Decision Decision, Answer Answer) entry) => entry.Answer.Verdict.Allowed && entry.Decision.Effect == Decision.Types.Effect.Permit
        ? $" ({Life(entry.Decision.MaxTtl?.ToTimeSpan())} → {Life(entry.Answer.Verdict.MaxTtl)})" : "";

    private static string Life(TimeSpan? life) => life is { } span ? Show.Span(span) : "any life";

    private static string Title(Change change) => change switch
    {
        Change.NowDenied => "Would be denied",
        Change.NowAllowed => "Would be allowed",
        _ => "Would have another life",
    };
}

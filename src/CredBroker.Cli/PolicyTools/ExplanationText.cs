using System.Text.Json.Nodes;
using CredBroker.Cedar;
using CredBroker.Cedar.Expressions;
using CredBroker.Cli.Output;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>How policy came to its answer: for people as trees, for scripts as JSON.</summary>
internal static class ExplanationText
{
    /// <summary>The answer, and below it every policy that came near: those that decided first, those that are about something else only by their number.</summary>
    public static IEnumerable<string> Lines(PolicyBook book, Question question, Verdict verdict, bool all)
    {
        yield return $"{(verdict.Allowed ? "ALLOW" : "DENY")}  {question.Principal}  {question.Action}  {question.Resource}";
        if (question.OnBehalfOf is { } task) yield return $"  asked for the task {task} above";
        if (question.IsBeyondPolicy) yield return "  no policy is asked: only callers of the operator's identity sources administer, suspend and lift";
        yield return $"  by {(verdict.Determining.Count == 0 ? "no policy: nothing permits it" : string.Join(", ", verdict.Determining.Select(policy => policy.Id)))}";
        if (verdict.AwaitsApproval) yield return "  nothing but a person's approval is missing";
        if (verdict.MaxTtl is { } life) yield return $"  for {Show.Span(life)} at most";
        foreach (var error in verdict.Errors) yield return $"  error: {error}";
        foreach (var set in verdict.Lapsed) yield return $"  the review of {set} is overdue: it grants nothing new";

        var traces = TracesOf(book, question);
        foreach (var (name, trace) in traces.Where(entry => all || entry.Trace.Outcome != PolicyOutcome.OutOfScope).OrderBy(entry => Rank(entry.Trace)))
        {
            yield return "";
            yield return $"{(trace.Policy.Effect == Effect.Permit ? "permit" : "forbid")} {name}  ({trace.Policy.Location})  {Outcome(trace)}";
            foreach (var line in trace.Conditions.SelectMany(Lines)) yield return line;
        }

        if (!all && traces.Count(entry => entry.Trace.Outcome == PolicyOutcome.OutOfScope) is > 0 and var others)
        {
            yield return "";
            yield return $"{others} {(others == 1 ? "policy is" : "policies are")} about other principals, actions or resources.";
        }
    }

    /// <summary>The same as JSON, with every policy.</summary>
    public static JsonObject Json(PolicyBook book, Question question, Verdict verdict) => new()
    {
        ["decision"] = verdict.Allowed ? "allow" : "deny",
        ["approvalRequired"] = verdict.AwaitsApproval,
        ["principal"] = question.Principal.ToString(),
        ["action"] = question.Action,
        ["resource"] = question.Resource.ToString(),
        ["onBehalfOf"] = question.OnBehalfOf,
        ["by"] = new JsonArray([.. verdict.Determining.Select(policy => JsonValue.Create(policy.Id))]),
        ["maxTtl"] = verdict.MaxTtl is { } life ? Show.Span(life) : null,
        ["errors"] = new JsonArray([.. verdict.Errors.Select(error => JsonValue.Create(error))]),
        ["policies"] = new JsonArray([.. TracesOf(book, question).Select(entry => (JsonNode)new JsonObject
        {
            ["name"] = entry.Name,
            ["effect"] = entry.Trace.Policy.Effect.ToString().ToLowerInvariant(),
            ["location"] = entry.Trace.Policy.Location.ToString(),
            ["outcome"] = entry.Trace.Outcome switch
            {
                PolicyOutcome.Applies => "applies", PolicyOutcome.OutOfScope => "outOfScope", PolicyOutcome.ConditionFails => "conditionFails", _ => "errs",
            },
            ["differing"] = entry.Trace.Differing == ScopeParts.None ? null : Parts(entry.Trace.Differing),
            ["conditions"] = new JsonArray([.. entry.Trace.Conditions.Select(condition => (JsonNode)new JsonObject
            {
                ["kind"] = condition.Condition.IsUnless ? "unless" : "when",
                ["holds"] = condition.Holds,
                ["error"] = condition.Error?.ToString(),
                ["body"] = Json(condition.Body),
            })]),
        })]),
    };

    private static JsonObject Json(ExpressionTrace trace) => new()
    {
        ["expression"] = trace.Expression.ToString(),
        ["value"] = trace.Value?.ToString(),
        ["error"] = trace.Error?.ToString(),
        ["parts"] = new JsonArray([.. Shown(trace).Select(part => (JsonNode)Json(part))]),
    };

    private static List<(string Name, PolicyTrace Trace)> TracesOf(PolicyBook book, Question question) => question.IsBeyondPolicy ? [] :
        [.. book.Explain(question, PolicySource.Schema).SelectMany(entry => entry.Explanation.Policies.Select(trace => (PolicyBook.NameOf(entry.Set, trace.Policy), trace)))];

    private static int Rank(PolicyTrace trace) => trace.Outcome switch
    {
        PolicyOutcome.Errs => 0,
        PolicyOutcome.Applies => trace.Policy.Effect == Effect.Forbid ? 1 : 2,
        PolicyOutcome.ConditionFails => 3,
        _ => 4,
    };

    private static string Outcome(PolicyTrace trace) => trace.Outcome switch
    {
        PolicyOutcome.Applies => "applies",
        PolicyOutcome.OutOfScope => $"is about another {Parts(trace.Differing)}",
        PolicyOutcome.ConditionFails => "does not apply: a condition fails",
        _ => "fails, and so denies",
    };

    private static string Parts(ScopeParts parts) => string.Join(", ", new[] { ScopeParts.Principal, ScopeParts.Action, ScopeParts.Resource }
        .Where(part => parts.HasFlag(part)).Select(part => part.ToString().ToLowerInvariant()));

    private static IEnumerable<string> Lines(ConditionTrace condition)
    {
        var mark = condition.Holds switch { true => "ok  ", false => "NO  ", null => "ERR " };
        yield return $"  {mark}{(condition.Condition.IsUnless ? "unless" : "when")} {Line(condition.Body)}";
        // An error of the body itself is shown with it; that the whole is no Bool is not.
        if (condition.Error is { } error && condition.Body.Value is not null) yield return $"       error at {error.Location}: {error.Message}";
        foreach (var line in Below(condition.Body, "       ")) yield return line;
    }

    private static IEnumerable<string> Below(ExpressionTrace trace, string indent)
    {
        var parts = Shown(trace);
        foreach (var (index, part) in parts.Index())
        {
            var isLast = index == parts.Count - 1;
            yield return $"{indent}{(isLast ? "└─ " : "├─ ")}{Line(part)}";
            foreach (var line in Below(part, indent + (isLast ? "   " : "│  "))) yield return line;
        }
    }

    private static string Line(ExpressionTrace trace)
    {
        var text = trace.Expression.ToString();
        // The outermost brackets say nothing in a line of their own.
        if (text.StartsWith('(') && text.EndsWith(')') && trace.Expression is AndExpr or OrExpr or BinaryExpr { Operator: <= BinaryOperator.Multiply } or NotExpr or HasExpr or LikeExpr or IsExpr or IfExpr) text = text[1..^1];
        if (trace.Value is { } value) return $"{text}  =  {(value is CedarDuration life ? $"duration(\"{Show.Span(TimeSpan.FromMilliseconds(life.Milliseconds))}\")" : value.ToString())}";
        // Only where an error arose it is told.
        return Shown(trace).Any(part => part.Error is not null) ? $"{text}  fails" : $"{text}  fails: {trace.Error!.Message}";
    }

    // What says nothing new is left out: literals, variables, and the steps of a path.
    private static List<ExpressionTrace> Shown(ExpressionTrace trace) => trace.Expression switch
    {
        GetAttributeExpr or LiteralExpr or VariableExpr => [],
        HasExpr or LikeExpr or IsExpr or IsEmptyExpr or BinaryExpr or CallExpr or SetExpr or RecordExpr => [.. trace.Parts.SelectMany(Interesting)],
        _ => [.. trace.Parts],
    };

    private static IEnumerable<ExpressionTrace> Interesting(ExpressionTrace part) => part.Expression switch
    {
        LiteralExpr or VariableExpr => [],
        CallExpr call when call.Parts.All(argument => argument is LiteralExpr) && part.Error is null => [],
        _ => [part],
    };
}

using CredBroker.AspNetCore.Filters;
using CredBroker.Core.Audit;

namespace CredBroker.AspNetCore.Services;

/// <summary>Filters over the audit trail.</summary>
internal static class AuditFilter
{
    private static readonly FilterField[] EventFields =
    [
        FilterField.Resource("task", "tasks"), FilterField.Resource("lease", "tasks"), FilterField.Resource("decision", "decisions"),
        FilterField.Text("principal"), FilterField.Text("type"), FilterField.Time("time"),
    ];

    private static readonly FilterField[] DecisionFields =
        [FilterField.Resource("task", "tasks"), FilterField.Resource("lease", "tasks"), FilterField.Text("principal"), FilterField.Time("create_time")];

    public static AuditQuery Events(string filter) => QueryOf(FilterParser.Parse(filter, EventFields), new AuditQuery());

    public static AuditQuery Decisions(string filter) => QueryOf(FilterParser.Parse(filter, DecisionFields), new AuditQuery { Types = [AuditTypes.Decision] });

    private static AuditQuery QueryOf(IReadOnlyList<FilterTerm> terms, AuditQuery query)
    {
        foreach (var term in terms)
        {
            if (term is { Field: not "type", Values.Count: > 1 }) throw FilterFault.At(0, $"{term.Field} takes one value.");
            var value = term.Values[0];
            query = term switch
            {
                { Field: "task" } => query with { Task = Calls.UidIn(value, 1) },
                { Field: "lease" } when value.Split('/').Length == 4 => query with { Lease = Calls.UidIn(value, 3) },
                { Field: "lease" } => throw FilterFault.At(0, "lease takes a name such as tasks/-/leases/…"),
                { Field: "decision" } => query with { Decision = Calls.UidIn(value, 1) },
                // `workload:ci/subject` names the kind first; names themselves can hold colons.
                { Field: "principal" } => query with { By = value[(value.IndexOf(':', StringComparison.Ordinal) + 1)..] },
                { Field: "type" } => query with { Types = term.Values },
                { Operator: "<" } => query with { To = TimeOf(value) },
                _ => query with { From = TimeOf(value) },
            };
        }

        return query;
    }

    private static DateTimeOffset TimeOf(string value) => FilterField.TryTime(value, out var time) ? time : throw new FormatException("The parser let a wrong time through.");
}

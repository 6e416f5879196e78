using System.Text;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Writes a policy from its parts: canonical, with all brackets. What was written at first is <see cref="Policy.Text"/>.</summary>
internal static class PolicyWriter
{
    public static string Write(Policy policy)
    {
        var text = new StringBuilder();
        foreach (var annotation in policy.Annotations)
            text.Append('@').Append(annotation.Name).Append('(').Append(Quoting.Quote(annotation.Value)).Append(")\n");
        text.Append(policy.Effect == Effect.Permit ? "permit" : "forbid");
        text.Append('(').Append(Write("principal", policy.Principal)).Append(", ").Append(Write(policy.Action)).Append(", ")
            .Append(Write("resource", policy.Resource)).Append(')');
        foreach (var condition in policy.Conditions)
            text.Append(condition.IsUnless ? "\nunless { " : "\nwhen { ").Append(condition.Body).Append(" }");
        return text.Append(";\n").ToString();
    }

    private static string Write(string variable, EntityScope scope) => variable + scope switch
    {
        EntityScope.Equal s => $" == {Reference(variable, s.Entity)}",
        EntityScope.In s => $" in {Reference(variable, s.Entity)}",
        EntityScope.Is s => $" is {s.Type}",
        EntityScope.IsIn s => $" is {s.Type} in {Reference(variable, s.Entity)}",
        _ => "",
    };

    private static string Reference(string variable, EntityUid? uid) => uid?.ToString() ?? $"?{variable}";

    private static string Write(ActionScope scope) => "action" + scope switch
    {
        ActionScope.Equal s => $" == {s.Action}",
        ActionScope.In { IsList: true } s => $" in [{string.Join(", ", s.Actions.Select(a => a.Action))}]",
        ActionScope.In s => $" in {s.Actions[0].Action}",
        _ => "",
    };
}

using System.Text.RegularExpressions;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure.Check;

/// <summary>Which actions of Azure Resource Manager the broker needs, and whether a set of permissions has them.</summary>
internal static class ActionPattern
{
    public static IReadOnlyList<string> Needed { get; } =
        ["Microsoft.Authorization/roleAssignments/read", "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete"];

    /// <summary>Within one set, what is taken away counts more than what is given; between sets it does not.</summary>
    public static bool Allows(PermissionSet set, string action) =>
        (set.Actions ?? []).Any(pattern => Matches(pattern, action)) && !(set.NotActions ?? []).Any(pattern => Matches(pattern, action));

    /// <summary>A role with these actions alone, to copy.</summary>
    public static string Fix(string scope, string clientId) =>
        $$"""
        az role definition create --role-definition '{"Name":"CredBroker role assigner","IsCustom":true,"Description":"Assigns and removes roles for leases","Actions":["{{string.Join("\",\"", Needed)}}"],"NotActions":[],"AssignableScopes":["{{scope}}"]}' && az role assignment create --role "CredBroker role assigner" --assignee {{clientId}} --scope {{scope}}
        """;

    // An asterisk stands for any text (Azure role definitions, "Wildcard character support"); case does not matter.
    private static bool Matches(string pattern, string action) =>
        pattern.Length <= 500 && Regex.IsMatch(action, $@"\A{Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal)}\z", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking);
}

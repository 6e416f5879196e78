using System.Text.RegularExpressions;

namespace CredBroker.Providers.Azure.Arm;

/// <summary>
/// Where a role is assigned: a subscription, a resource group, or a resource. Not a management group: there a removal takes hours to be noticed.
/// </summary>
internal static partial class ArmScope
{
    private const int Longest = 500;

    public static string? WhyNot(string scope) =>
        scope.Length <= Longest && Pattern().IsMatch(scope) && scope.Split('/').All(segment => segment is not ("." or ".."))
            ? null
            : "A scope is /subscriptions/<id>, with /resourceGroups/<name> and /providers/<resource> below it if wished; management groups are not supported.";

    /// <summary>Whether a scope is this one, or lies below it.</summary>
    public static bool Covers(string outer, string scope) =>
        scope.Equals(outer, StringComparison.OrdinalIgnoreCase) || scope.StartsWith($"{outer}/", StringComparison.OrdinalIgnoreCase);

    /// <summary>The id of a role as it is known in the scope's subscription.</summary>
    public static string RoleDefinition(string scope, string role) =>
        $"/subscriptions/{scope.Split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/{role.ToLowerInvariant()}";

    [GeneratedRegex(
        @"\A/subscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(/resource[Gg]roups/[A-Za-z0-9._()-]{1,90}(/providers/[A-Za-z0-9.]{1,100}(/[A-Za-z0-9]{1,100}/[A-Za-z0-9._-]{1,260})+)?)?\z")]
    private static partial Regex Pattern();
}

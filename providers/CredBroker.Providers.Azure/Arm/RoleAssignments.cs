using System.Runtime.CompilerServices;
using Azure.Core;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure.Arm;

/// <summary>The calls to Azure Resource Manager (Microsoft.Authorization 2022-04-01) that the broker needs.</summary>
internal sealed class RoleAssignments(AzureHttp http)
{
    private const string Version = "api-version=2022-04-01";

    /// <summary>An assignment; null if it is not there.</summary>
    public async Task<(RoleAssignment? Found, DateTimeOffset Now)> GetAsync(AssignmentId id, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(new AzureCall(RequestMethod.Get, AddressOf(id), http.Addresses.ResourceManagerScope), cancellationToken).ConfigureAwait(false);
        if (answer.Status == 404 && (answer.Error.Is("RoleAssignmentNotFound") || IsScopeGone(answer))) return (null, answer.Now);
        return answer.Succeeded ? (answer.Read(AzureJson.Default.RoleAssignment), answer.Now) : throw Faults.Of(answer);
    }

    /// <summary>Makes an assignment, or changes the description of one of this name; everything else of it is fixed.</summary>
    public Task<AzureAnswer> PutAsync(AssignmentId id, string role, string principalId, string principalType, string description, CancellationToken cancellationToken) => http.SendAsync(
        (new AzureCall(RequestMethod.Put, AddressOf(id), http.Addresses.ResourceManagerScope) { Makes = true }).WithJson(
            new PutRoleAssignment(new RoleAssignmentProperties
            {
                RoleDefinitionId = ArmScope.RoleDefinition(id.Scope, role),
                PrincipalId = principalId,
                PrincipalType = principalType,
                Description = description,
            }),
            AzureJson.Default.PutRoleAssignment),
        cancellationToken);

    /// <summary>Deletes an assignment. True: it was there until now. 200 says so; 204 says that it was not there.</summary>
    public async Task<(bool Removed, DateTimeOffset Now)> DeleteAsync(AssignmentId id, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(new AzureCall(RequestMethod.Delete, AddressOf(id), http.Addresses.ResourceManagerScope), cancellationToken).ConfigureAwait(false);
        if (answer.Status == 404 && (answer.Error.Is("RoleAssignmentNotFound") || IsScopeGone(answer))) return (false, answer.Now);
        return answer.Status is 200 or 204 ? (answer.Status == 200, answer.Now) : throw Faults.Of(answer);
    }

    /// <summary>Every assignment at a scope or below it.</summary>
    public async IAsyncEnumerable<RoleAssignment> ListAsync(string scope, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var call = new AzureCall(RequestMethod.Get, new Uri(http.Addresses.ResourceManager, $"{scope[1..]}/providers/Microsoft.Authorization/roleAssignments?{Version}"), http.Addresses.ResourceManagerScope);
        while (true)
        {
            var answer = await http.SendAsync(call, cancellationToken).ConfigureAwait(false);
            if (!answer.Succeeded) throw Faults.Of(answer);
            var page = answer.Read(AzureJson.Default.PageRoleAssignment);
            foreach (var assignment in page.Value ?? throw new ProviderException(ProviderFault.Unreachable, "Azure Resource Manager answered a listing without a list.", ProviderEffect.None))
                yield return assignment;
            if (page.Next is null) yield break;
            call = call with { Address = Paging.Next(http.Addresses.ResourceManager, call.Address, page.Next) };
        }
    }

    /// <summary>What the broker may do at a scope; null if even that is refused.</summary>
    public async Task<IReadOnlyList<PermissionSet>?> PermissionsAsync(string scope, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(
            new AzureCall(RequestMethod.Get, new Uri(http.Addresses.ResourceManager, $"{scope[1..]}/providers/Microsoft.Authorization/permissions?{Version}"), http.Addresses.ResourceManagerScope),
            cancellationToken).ConfigureAwait(false);
        if (answer.Status == 403) return null;
        return answer.Succeeded ? answer.Read(AzureJson.Default.PagePermissionSet).Value ?? [] : throw Faults.Of(answer);
    }

    /// <summary>An assignment's place and name, from its id; null if the id is not one.</summary>
    public static AssignmentId? IdOf(RoleAssignment assignment)
    {
        const string Middle = "/providers/Microsoft.Authorization/roleAssignments/";
        if (assignment.Id is not { } id || id.LastIndexOf(Middle, StringComparison.OrdinalIgnoreCase) is not (> 0 and var at)) return null;
        var scope = id[..at];
        return ArmScope.WhyNot(scope) is null && Guid.TryParseExact(id[(at + Middle.Length)..], "D", out var name) ? new AssignmentId(scope, name) : null;
    }

    // With its resource group, or resource, everything that was assigned there went away. A subscription that is not found may be a mistyped one.
    private static bool IsScopeGone(AzureAnswer answer) => answer.Error.Is("ResourceGroupNotFound") || answer.Error.Is("ResourceNotFound");

    private Uri AddressOf(AssignmentId id) => ArmScope.WhyNot(id.Scope) is null
        ? new Uri(http.Addresses.ResourceManager, $"{id.Scope[1..]}/providers/Microsoft.Authorization/roleAssignments/{id.Name}?{Version}")
        : throw new ProviderException(ProviderFault.Credential, "The handle holds no scope.", ProviderEffect.None);
}

using System.Globalization;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>Role assignments of Azure Resource Manager, and any resource below them, readable by whoever has a role there: once the assignment is noticed, and for as long as its removal is not.</summary>
internal sealed class ArmApi(Tenant tenant, TimeProvider time, Timing timing, AzureStandIn azure)
{
    private const string Middle = "/providers/Microsoft.Authorization/";

    public StandInAnswer Answer(StandInRequest request)
    {
        if (azure.Authorize(request, "https://management.azure.com", out var token) is { } refused) return refused;
        var path = Uri.UnescapeDataString(request.Path);
        var at = path.IndexOf(Middle, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return Resource(path, token);
        var (scope, rest) = (path[..at], path[(at + Middle.Length)..]);
        if (rest == "permissions") return Permissions(scope, token);
        if (rest == "roleDefinitions") return Definitions(scope);
        if (!rest.StartsWith("roleAssignments", StringComparison.Ordinal)) return Refuse(404, "InvalidResourceType", "The resource type could not be found.");
        var action = request.Method switch { "GET" => "read", "DELETE" => "delete", _ => "write" };
        if (!Roles(token.PrincipalId, scope).Contains(AzureStandIn.Assigner))
            return Refuse(403, "AuthorizationFailed", $"The client '{token.AppId}' with object id '{token.PrincipalId}' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.");
        var version = request.QueryValue("api-version") ?? "";
        if (rest == "roleAssignments") return List(request, scope, version);
        if (!Guid.TryParse(rest["roleAssignments/".Length..], out var name)) return Refuse(400, "InvalidRoleAssignmentId", "The role assignment ID is not valid. The role assignment ID must be a GUID.");
        return request.Method switch
        {
            "GET" => Find(scope, name) is { } found ? StandInAnswer.Json(200, Show(found, version), AzureStandIn.Json) : Refuse(404, "RoleAssignmentNotFound", $"The role assignment '{name}' is not found."),
            "PUT" => Put(request, scope, name, version, token),
            "DELETE" => Delete(scope, name, version),
            _ => Refuse(405, "MethodNotAllowed", "The method is not allowed."),
        };
    }

    /// <summary>The roles that a principal has at a scope as services see it: late, both ways.</summary>
    public IReadOnlyList<string> Roles(string principalId, string scope)
    {
        var now = time.GetUtcNow();
        bool Covers(AssignmentObject assignment) => assignment.PrincipalId == principalId
            && (scope.Equals(assignment.Scope, StringComparison.OrdinalIgnoreCase) || scope.StartsWith($"{assignment.Scope}/", StringComparison.OrdinalIgnoreCase));
        return
        [
            .. tenant.Assignments.Where(assignment => Covers(assignment) && assignment.Created + timing.AssignmentCounts <= now).Select(assignment => assignment.Role),
            .. tenant.RemovedAssignments.Where(assignment => Covers(assignment) && assignment.Removed + timing.AssignmentRemovalCounts > now).Select(assignment => assignment.Role),
        ];
    }

    private StandInAnswer Resource(string path, TokenObject token) => Roles(token.PrincipalId, path).Any(role => role is AzureStandIn.Reader or AzureStandIn.BlobReader)
        ? StandInAnswer.Json(200, new JsonObject { ["id"] = path, ["name"] = path[(path.LastIndexOf('/') + 1)..] }, AzureStandIn.Json)
        : Refuse(403, "AuthorizationFailed", $"The client '{token.AppId}' with object id '{token.PrincipalId}' does not have authorization to perform action 'read' over scope '{path}' or the scope is invalid. If access was recently granted, please refresh your credentials.");

    private StandInAnswer Put(StandInRequest request, string scope, Guid name, string version, TokenObject caller)
    {
        var wanted = JsonNode.Parse(request.Text)!["properties"]!.AsObject();
        var (role, principalId) = ((string)wanted["roleDefinitionId"]!, (string)wanted["principalId"]!);
        if (!tenant.Principals.TryGetValue(principalId, out var principal) || !azure.HasSpread(principal.Created, timing.PrincipalSpreads))
        {
            return Refuse(400, "PrincipalNotFound", $"Principal {principalId.Replace("-", "", StringComparison.Ordinal)} does not exist in the directory {tenant.Id}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype");
        }

        var known = Find(scope, name);
        if (known is not null && (known.PrincipalId != principalId || !known.RoleDefinitionId.Equals(role, StringComparison.OrdinalIgnoreCase)))
            return Refuse(400, "RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.");
        var same = tenant.Assignments.FirstOrDefault(other => other.Name != name && other.PrincipalId == principalId && other.Scope.Equals(scope, StringComparison.OrdinalIgnoreCase) && other.RoleDefinitionId.Equals(role, StringComparison.OrdinalIgnoreCase));
        if (same is not null) return Refuse(409, "RoleAssignmentExists", $"The role assignment already exists. The ID of the existing role assignment is {same.Name:N}.");
        if (tenant.Assignments.Count >= 4000) return Refuse(400, "RoleAssignmentLimitExceeded", "No more role assignments can be created (code: RoleAssignmentLimitExceeded)");
        var made = new AssignmentObject(scope, name, role, principalId, (string?)wanted["principalType"] ?? principal.Type, (string?)wanted["description"], known?.Created ?? time.GetUtcNow())
        {
            Condition = (string?)wanted["condition"],
            ConditionVersion = (string?)wanted["conditionVersion"],
        };
        if (known is not null) tenant.Assignments.Remove(known);
        tenant.Assignments.Add(made);
        var shown = Show(made, version);
        shown["properties"]!["createdBy"] = null;
        shown["properties"]!["updatedBy"] = caller.PrincipalId;
        return StandInAnswer.Json(known is null ? 201 : 200, shown, AzureStandIn.Json).With("x-ms-ratelimit-remaining-subscription-writes", "1199");
    }

    private StandInAnswer Delete(string scope, Guid name, string version)
    {
        if (Find(scope, name) is not { } found)
        {
            return StandInAnswer.Empty(204).With("x-ms-correlation-request-id", Tenant.NewId()).With("x-ms-request-id", Tenant.NewId()).With("x-ms-ratelimit-remaining-subscription-deletes", "14999");
        }

        tenant.Assignments.Remove(found);
        tenant.RemovedAssignments.Add(found with { Removed = time.GetUtcNow() });
        return StandInAnswer.Json(200, Show(found, version), AzureStandIn.Json).With("x-ms-ratelimit-remaining-subscription-deletes", "14999");
    }

    // Those above a scope are listed too. Pages of three: the service decides how much it gives.
    private StandInAnswer List(StandInRequest request, string scope, string version)
    {
        var found = tenant.Assignments.Where(assignment => IsWithin(assignment.Scope, scope) || IsWithin(scope, assignment.Scope)).OrderBy(assignment => assignment.Name).ToList();
        var from = int.Parse(request.QueryValue("$skiptoken") ?? "0", CultureInfo.InvariantCulture);
        var answer = new JsonObject { ["value"] = new JsonArray([.. found.Skip(from).Take(3).Select(assignment => Show(assignment, version))]) };
        if (from + 3 < found.Count) answer["nextLink"] = $"https://{request.Header("Host")}{request.Path}?api-version={version}&$skiptoken={from + 3}";
        return StandInAnswer.Json(200, answer, AzureStandIn.Json);
    }

    private StandInAnswer Permissions(string scope, TokenObject token)
    {
        var roles = Roles(token.PrincipalId, scope);
        if (roles.Count == 0) return Refuse(403, "AuthorizationFailed", $"The client '{token.AppId}' with object id '{token.PrincipalId}' does not have authorization to perform action 'Microsoft.Authorization/permissions/read' over scope '{scope}' or the scope is invalid.");
        JsonArray actions = roles.Contains(AzureStandIn.Assigner)
            ? ["Microsoft.Authorization/roleAssignments/read", "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete"]
            : ["*/read"];
        return StandInAnswer.Json(200, new JsonObject { ["value"] = new JsonArray(new JsonObject { ["actions"] = actions, ["notActions"] = new JsonArray(), ["dataActions"] = new JsonArray(), ["notDataActions"] = new JsonArray() }) }, AzureStandIn.Json);
    }

    private static StandInAnswer Definitions(string scope)
    {
        var subscription = string.Join('/', scope.Split('/')[..3]);
        return StandInAnswer.Json(200, JsonNode.Parse(
            $$"""
            {"value":[{"properties":{"roleName":"Reader","type":"BuiltInRole","description":"View all resources, but does not allow you to make any changes.","assignableScopes":["/"],
            "permissions":[{"actions":["*/read"],"notActions":[],"dataActions":[],"notDataActions":[]}],"createdOn":"2015-02-02T21:55:09.8806423Z","updatedOn":"2021-11-11T20:13:47.8628684Z","createdBy":null,"updatedBy":null},
            "id":"{{subscription}}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7","type":"Microsoft.Authorization/roleDefinitions","name":"acdd72a7-3385-48ef-bd42-f606fba81ae7"}]}
            """), AzureStandIn.Json);
    }

    private AssignmentObject? Find(string scope, Guid name) => tenant.Assignments.FirstOrDefault(assignment => assignment.Name == name && assignment.Scope.Equals(scope, StringComparison.OrdinalIgnoreCase));

    private JsonObject Show(AssignmentObject assignment, string version)
    {
        var properties = new JsonObject
        {
            ["roleDefinitionId"] = assignment.RoleDefinitionId,
            ["principalId"] = assignment.PrincipalId,
            ["principalType"] = assignment.PrincipalType,
            ["scope"] = assignment.Scope,
        };
        var isOld = version.StartsWith("2018", StringComparison.Ordinal);
        if (!isOld)
        {
            properties["condition"] = assignment.Condition;
            properties["conditionVersion"] = assignment.ConditionVersion;
        }

        properties["createdOn"] = AzureStandIn.Ticks(assignment.Created);
        properties["updatedOn"] = AzureStandIn.Ticks(assignment.Created);
        properties["createdBy"] = azure.BrokerPrincipal.Id;
        properties["updatedBy"] = azure.BrokerPrincipal.Id;
        if (!isOld)
        {
            properties["delegatedManagedIdentityResourceId"] = null;
            properties["description"] = assignment.Description;
        }

        return new JsonObject
        {
            ["properties"] = properties,
            ["id"] = $"{assignment.Scope}{Middle}roleAssignments/{assignment.Name}",
            ["type"] = "Microsoft.Authorization/roleAssignments",
            ["name"] = assignment.Name.ToString(),
        };
    }

    private static bool IsWithin(string inner, string outer) => inner.Equals(outer, StringComparison.OrdinalIgnoreCase) || inner.StartsWith($"{outer}/", StringComparison.OrdinalIgnoreCase);

    private static StandInAnswer Refuse(int status, string code, string message) => StandInAnswer.Json(status, AzureStandIn.Error(code, message), AzureStandIn.Json);
}

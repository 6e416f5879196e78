using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>Applications, their passwords and federated credentials, service principals and deleted items of Microsoft Graph.</summary>
internal sealed partial class GraphApi(Tenant tenant, TimeProvider time, Timing timing, AzureStandIn azure)
{
    private const string Success = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
    private const string Denied = "Insufficient privileges to complete the operation.";

    public StandInAnswer Answer(StandInRequest request)
    {
        var id = Tenant.NewId();
        if (azure.Authorize(request, "https://graph.microsoft.com", out var token) is { } refused) return refused.With("request-id", id);
        try
        {
            var roles = tenant.Principals.TryGetValue(token.PrincipalId, out var caller) ? caller.GraphRoles : [];
            var version = request.Path.Split('/')[1];
            var path = Uri.UnescapeDataString(request.Path[(version.Length + 2)..]);
            var answer = Route(request, version, path, roles.Any(role => role.StartsWith("Application.ReadWrite", StringComparison.Ordinal)));
            return answer.With("request-id", id).With("x-ms-resource-unit", request.Method == "GET" && Listing().IsMatch(path) ? "2" : "1");
        }
        catch (Refusal e)
        {
            var error = new JsonObject
            {
                ["code"] = e.Code,
                ["message"] = e.Message,
                ["innerError"] = new JsonObject { ["date"] = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture), ["request-id"] = id, ["client-request-id"] = request.Header("client-request-id") ?? id },
            };
            return StandInAnswer.Json(e.Status, new JsonObject { ["error"] = error }).With("request-id", id).With("x-ms-resource-unit", request.Path.EndsWith("/applications", StringComparison.Ordinal) ? "2" : "1");
        }
    }

    private StandInAnswer Route(StandInRequest request, string version, string path, bool manages)
    {
        if (path == "servicePrincipals" && request.Method == "GET") return List(version, "servicePrincipals", []);
        if (!manages) throw new Refusal(403, "Authorization_RequestDenied", Denied);
        if (path == "servicePrincipals" && request.Method == "POST") return CreatePrincipal(request, version);
        if (path == "applications") return request.Method == "POST" ? Create(Body(request), null, version) : ListApplications(request, version);
        if (ByUniqueName().Match(path) is { Success: true } named) return OfUniqueName(request, version, named.Groups["name"].Value);
        if (path == "directory/deletedItems/microsoft.graph.application") return ListDeleted(request, version);
        if (DeletedItem().Match(path) is { Success: true } deleted) return OfDeleted(request, deleted.Groups["id"].Value);
        if (ById().Match(path) is not { Success: true } match) throw new Refusal(400, "BadRequest", $"Resource not found for the segment '{path}'.");
        if (!tenant.Applications.TryGetValue(match.Groups["id"].Value, out var application)) throw Absent(match.Groups["id"].Value);
        return (request.Method, match.Groups["action"].Value) switch
        {
            ("GET", "") => Entity(200, Select(request, Show(application)), version, "applications"),
            ("DELETE", "") => Delete(application),
            ("POST", "addPassword") => AddPassword(request, application, version),
            ("POST", "removePassword") => RemovePassword(request, application),
            ("POST", "federatedIdentityCredentials") => AddFederated(request, application, version),
            ("GET", "federatedIdentityCredentials") => List(version, $"applications('{application.Id}')/federatedIdentityCredentials", application.Federated.Select(Show)),
            ("DELETE", "federatedIdentityCredentials") => application.Federated.RemoveAll(credential => credential.Id == match.Groups["further"].Value) > 0 ? StandInAnswer.Empty(204) : throw Absent(match.Groups["further"].Value),
            _ => throw new Refusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."),
        };
    }

    private StandInAnswer OfUniqueName(StandInRequest request, string version, string name)
    {
        var application = tenant.Applications.Values.FirstOrDefault(candidate => candidate.UniqueName == name);
        if (request.Method == "GET") return application is null ? throw Absent(name) : Entity(200, Select(request, Show(application)), version, "applications");
        if (request.Method != "PATCH") throw new Refusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
        if (application is not null)
        {
            var body = Body(request);
            application.DisplayName = (string?)body["displayName"] ?? application.DisplayName;
            application.Notes = (string?)body["notes"] ?? application.Notes;
            return StandInAnswer.Empty(204);
        }

        return request.Header("Prefer") == "create-if-missing" ? Create(Body(request), name, version) : throw Absent(name);
    }

    private StandInAnswer Create(JsonObject body, string? uniqueName, string version)
    {
        if ((string?)body["displayName"] is not { Length: > 0 and <= 256 } name) throw new Refusal(400, "Request_BadRequest", "Property 'displayName' is required.");
        var application = new AppObject { DisplayName = name, UniqueName = uniqueName, Notes = (string?)body["notes"], Created = time.GetUtcNow(), SignInAudience = (string?)body["signInAudience"] ?? "AzureADandPersonalMicrosoftAccount" };
        tenant.Applications[application.Id] = application;
        var shown = Show(application);
        shown["createdDateTime"] = AzureStandIn.Ticks(application.Created);
        return Entity(201, shown, version, "applications").With("Location", $"https://graph.microsoft.com/v2/{tenant.Id}/directoryObjects/{application.Id}/Microsoft.DirectoryServices.Application");
    }

    private StandInAnswer CreatePrincipal(StandInRequest request, string version)
    {
        var body = Body(request);
        if ((string?)body["appId"] is not { } appId || tenant.ByAppId(appId) is not { } application)
            throw new Refusal(400, "NoBackingApplicationObject", $"The appId '{(string?)body["appId"]}' of the service principal does not reference a valid application object.");
        if (!azure.HasSpread(application.Created, timing.ApplicationSpreads)) throw new Refusal(403, "Authorization_RequestDenied", Denied);
        if (tenant.PrincipalOf(appId) is not null) throw new Refusal(409, "Request_MultipleObjectsWithSameKeyValue", "The service principal cannot be created because the service principal name is already in use.");
        var principal = new PrincipalObject(Tenant.NewId(), appId, time.GetUtcNow()) { Notes = (string?)body["notes"] };
        tenant.Principals[principal.Id] = principal;
        return Entity(201, Show(principal, application), version, "servicePrincipals").With("Location", $"https://graph.microsoft.com/v2/{tenant.Id}/directoryObjects/{principal.Id}/Microsoft.DirectoryServices.ServicePrincipal");
    }

    private StandInAnswer AddPassword(StandInRequest request, AppObject application, string version)
    {
        if (!azure.HasSpread(application.Created, timing.ApplicationSpreads)) throw Absent(application.Id);
        var wanted = Body(request)["passwordCredential"]?.AsObject() ?? [];
        var start = Instant(wanted["startDateTime"]) ?? time.GetUtcNow();
        var secret = $"{Convert.ToBase64String(RandomNumberGenerator.GetBytes(2))[..3]}~{Convert.ToBase64String(RandomNumberGenerator.GetBytes(27)).Replace('/', '_').Replace('+', '.')}";
        var password = new PasswordObject(Tenant.NewId(), (string?)wanted["displayName"], secret, start, Instant(wanted["endDateTime"]) ?? start.AddYears(2), time.GetUtcNow());
        application.Passwords.Insert(0, password);
        var shown = Show(password);
        shown["secretText"] = secret;
        shown.Insert(0, "@odata.context", $"https://graph.microsoft.com/{version}/$metadata#microsoft.graph.passwordCredential");
        return StandInAnswer.Json(200, shown, Success).With("odata-version", "4.0").With("Location", "https://graph.microsoft.com");
    }

    private StandInAnswer RemovePassword(StandInRequest request, AppObject application)
    {
        var keyId = (string?)Body(request)["keyId"];
        var password = application.Passwords.FirstOrDefault(candidate => candidate.KeyId == keyId);
        if (password is null || !azure.HasSpread(password.Added, timing.PasswordIsListed)) throw new Refusal(400, "Request_BadRequest", $"No password credential found with keyId {keyId}.");
        application.Passwords.Remove(password);
        password.Removed = time.GetUtcNow();
        application.RemovedPasswords.Add(password);
        return StandInAnswer.Empty(204);
    }

    private StandInAnswer AddFederated(StandInRequest request, AppObject application, string version)
    {
        if (!azure.HasSpread(application.Created, timing.ApplicationSpreads)) throw Absent(application.Id);
        var body = Body(request);
        var credential = new FederatedObject(
            Tenant.NewId(), (string)body["name"]!, (string)body["issuer"]!, (string)body["subject"]!, (string?)body["description"], [.. body["audiences"]!.AsArray().Select(audience => (string)audience!)], time.GetUtcNow());
        if (application.Federated.Count >= 20) throw new Refusal(400, "Request_BadRequest", "A maximum of 20 federated identity credentials can be added to an application.");
        if (application.Federated.Any(known => known.Name == credential.Name || (known.Issuer == credential.Issuer && known.Subject == credential.Subject))) throw new Refusal(409, "Request_MultipleObjectsWithSameKeyValue", "FederatedIdentityCredential with name or issuer and subject already exists.");
        application.Federated.Add(credential);
        var shown = Show(credential);
        shown.Insert(0, "@odata.context", $"https://graph.microsoft.com/{version}/$metadata#applications('{application.Id}')/federatedIdentityCredentials/$entity");
        return StandInAnswer.Json(201, shown, Success).With("odata-version", "4.0").With("Location", $"https://graph.microsoft.com/v2/{tenant.Id}/federatedIdentityCredentials/{credential.Id}");
    }

    // Its principal goes with it; its role assignments stay, and nobody ever removes them.
    private StandInAnswer Delete(AppObject application)
    {
        tenant.Applications.Remove(application.Id);
        tenant.Deleted[application.Id] = application;
        if (tenant.PrincipalOf(application.AppId) is { } principal) tenant.Principals.Remove(principal.Id);
        return StandInAnswer.Empty(204);
    }

    private StandInAnswer OfDeleted(StandInRequest request, string id)
    {
        if (!tenant.Deleted.TryGetValue(id, out var application)) throw Absent(id);
        if (request.Method == "GET") return Entity(200, Select(request, Show(application)), "v1.0", "directoryObjects");
        tenant.Deleted.Remove(id);
        return StandInAnswer.Empty(204);
    }

    private StandInAnswer ListApplications(StandInRequest request, string version)
    {
        var filter = request.QueryValue("$filter") ?? "";
        var found = tenant.Applications.Values.Where(application => filter switch
        {
            "" => true,
            _ when StartsWith().Match(filter) is { Success: true } match => application.DisplayName.StartsWith(match.Groups["text"].Value, StringComparison.OrdinalIgnoreCase),
            _ when AppIdIs().Match(filter) is { Success: true } match => application.AppId == match.Groups["text"].Value,
            _ => throw new Refusal(400, "BadRequest", "Invalid filter clause."),
        }).OrderBy(application => application.Id, StringComparer.Ordinal).ToList();
        // Pages of three, whatever was asked for: the service decides how much it gives.
        var from = int.Parse(request.QueryValue("$skiptoken") ?? "0", CultureInfo.InvariantCulture);
        var answer = new JsonObject { ["@odata.context"] = $"https://graph.microsoft.com/{version}/$metadata#applications" };
        if (from + 3 < found.Count)
            answer["@odata.nextLink"] = $"https://{request.Header("Host")}/{version}/applications?$filter={Uri.EscapeDataString(filter)}&$select={request.QueryValue("$select")}&$skiptoken={from + 3}";
        answer["value"] = new JsonArray([.. found.Skip(from).Take(3).Select(application => Select(request, Show(application)))]);
        return StandInAnswer.Json(200, answer, Success).With("odata-version", "4.0");
    }

    private StandInAnswer ListDeleted(StandInRequest request, string version)
    {
        if (request.Header("ConsistencyLevel") != "eventual") throw new Refusal(400, "Request_UnsupportedQuery", "$count is not currently supported.");
        var name = NameIs().Match(request.QueryValue("$filter") ?? "") is { Success: true } match ? match.Groups["text"].Value : throw new Refusal(400, "BadRequest", "Invalid filter clause.");
        return List(version, "applications", tenant.Deleted.Values.Where(application => application.DisplayName == name).Select(application => Select(request, Show(application))));
    }

    private static StandInAnswer List(string version, string what, IEnumerable<JsonObject> items) => StandInAnswer.Json(
        200, new JsonObject { ["@odata.context"] = $"https://graph.microsoft.com/{version}/$metadata#{what}", ["value"] = new JsonArray([.. items]) }, Success).With("odata-version", "4.0");

    private static StandInAnswer Entity(int status, JsonObject shown, string version, string set)
    {
        shown.Insert(0, "@odata.context", $"https://graph.microsoft.com/{version}/$metadata#{set}/$entity");
        return StandInAnswer.Json(status, shown, Success).With("odata-version", "4.0");
    }

    private static JsonObject Select(StandInRequest request, JsonObject shown)
    {
        if (request.QueryValue("$select") is not { Length: > 0 } select) return shown;
        var wanted = select.Split(',');
        foreach (var name in shown.Select(member => member.Key).Where(name => !wanted.Contains(name)).ToList()) shown.Remove(name);
        return shown;
    }

    private JsonObject Show(AppObject application)
    {
        var shown = GraphShapes.Application();
        shown["id"] = application.Id;
        shown["appId"] = application.AppId;
        shown["createdDateTime"] = AzureStandIn.Seconds(application.Created);
        shown["displayName"] = application.DisplayName;
        shown["notes"] = application.Notes;
        shown["publisherDomain"] = "test.onmicrosoft.com";
        shown["signInAudience"] = application.SignInAudience;
        if (application.UniqueName is not null) shown["uniqueName"] = application.UniqueName;
        shown["passwordCredentials"] = new JsonArray([.. application.Passwords.Where(password => time.GetUtcNow() >= password.Added + timing.PasswordIsListed).Select(Show)]);
        return shown;
    }

    private static JsonObject Show(PasswordObject password) => new()
    {
        ["customKeyIdentifier"] = null,
        ["displayName"] = password.DisplayName,
        ["endDateTime"] = AzureStandIn.Seconds(password.End),
        ["hint"] = password.Secret[..3],
        ["keyId"] = password.KeyId,
        ["secretText"] = null,
        ["startDateTime"] = AzureStandIn.Seconds(password.Start),
    };

    private static JsonObject Show(FederatedObject credential) => new()
    {
        ["id"] = credential.Id,
        ["name"] = credential.Name,
        ["issuer"] = credential.Issuer,
        ["subject"] = credential.Subject,
        ["description"] = credential.Description,
        ["audiences"] = new JsonArray([.. credential.Audiences.Select(audience => JsonValue.Create(audience))]),
    };

    private JsonObject Show(PrincipalObject principal, AppObject application)
    {
        var shown = GraphShapes.ServicePrincipal();
        shown["id"] = principal.Id;
        shown["appDisplayName"] = application.DisplayName;
        shown["appId"] = application.AppId;
        shown["appOwnerOrganizationId"] = tenant.Id;
        shown["createdDateTime"] = AzureStandIn.Seconds(principal.Created);
        shown["displayName"] = application.DisplayName;
        shown["notes"] = principal.Notes;
        shown["servicePrincipalNames"] = new JsonArray(application.AppId);
        shown["signInAudience"] = application.SignInAudience;
        return shown;
    }

    private static JsonObject Body(StandInRequest request)
    {
        try
        {
            return JsonNode.Parse(request.Text)?.AsObject() ?? [];
        }
        catch (JsonException)
        {
            throw new Refusal(400, "BadRequest", "Unable to read JSON request payload.");
        }
    }

    private static DateTimeOffset? Instant(JsonNode? node) => (string?)node is { } text ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture) : null;

    private static Refusal Absent(string what) => new(404, "Request_ResourceNotFound", $"Resource '{what}' does not exist or one of its queried reference-property objects are not present.");

    [GeneratedRegex(@"\Aapplications\(uniqueName='(?<name>[^']+)'\)\z")]
    private static partial Regex ByUniqueName();

    [GeneratedRegex(@"\Aapplications/(?<id>[0-9a-fA-F-]{36})(/(?<action>[A-Za-z]+)(/(?<further>[0-9a-f-]{36}))?)?\z")]
    private static partial Regex ById();

    [GeneratedRegex(@"\Adirectory/deletedItems/(?<id>[0-9a-fA-F-]{36})\z")]
    private static partial Regex DeletedItem();

    [GeneratedRegex(@"\Aapplications\z")]
    private static partial Regex Listing();

    [GeneratedRegex(@"\Astartswith\(displayName,'(?<text>[^']*)'\)\z")]
    private static partial Regex StartsWith();

    [GeneratedRegex(@"\AappId eq '(?<text>[^']*)'\z")]
    private static partial Regex AppIdIs();

    [GeneratedRegex(@"\AdisplayName eq '(?<text>[^']*)'\z")]
    private static partial Regex NameIs();

    private sealed class Refusal(int status, string code, string message) : Exception(message)
    {
        public int Status { get; } = status;

        public string Code { get; } = code;
    }
}

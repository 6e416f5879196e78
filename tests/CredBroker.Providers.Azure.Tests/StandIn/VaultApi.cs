using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>The secrets of one key vault.</summary>
internal sealed class VaultApi(Tenant tenant, TimeProvider time, Timing timing, AzureStandIn azure)
{
    private const string Audience = "https://vault.azure.net";
    private readonly Dictionary<string, List<Version>> _secrets = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, (List<Version> Versions, DateTimeOffset At)> _deleted = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, DateTimeOffset> _back = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How many days a deleted secret can be recovered.</summary>
    public int RecoverableDays { get; set; } = 90;

    /// <summary>Whether the vault decides by role assignments; its answers then name one.</summary>
    public bool NamesAssignments { get; set; }

    /// <summary>Principals that may use the vault beside the broker's.</summary>
    public HashSet<string> Allowed { get; } = [];

    /// <summary>Whether the broker may delete.</summary>
    public bool BrokerMayDelete { get; set; } = true;

    public StandInAnswer Answer(StandInRequest request)
    {
        var version = request.QueryValue("api-version") ?? "";
        var answer = Route(request, version).With("x-ms-request-id", Tenant.NewId());
        return NamesAssignments && answer.Status != 401
            ? answer.With("x-ms-keyvault-rbac-assignment-id", Tenant.NewId()).With("x-ms-keyvault-rbac-cache", "ra_age=72;da_age=72;rd_age=72;brd_age=20383;ra_notif_age=3935;dec_lev=1;")
            : answer;
    }

    public IEnumerable<string> LiveVersionsOf(string name) => _secrets.GetValueOrDefault(name, []).Where(version => version.Enabled).Select(version => version.Id);

    /// <summary>Writes a secret by hand.</summary>
    public string Plant(string name, string value, Dictionary<string, string>? tags = null)
    {
        var version = new Version(NewVersion(), value, time.GetUtcNow()) { Tags = tags ?? [] };
        if (!_secrets.TryGetValue(name, out var versions)) _secrets[name] = versions = [];
        versions.Add(version);
        return version.Id;
    }

    private StandInAnswer Route(StandInRequest request, string version)
    {
        if (request.Header("Authorization") is null)
        {
            var words = version.CompareTo("7.3", StringComparison.Ordinal) >= 0 ? "AKV10000: Request is missing a Bearer or PoP token." : "Request is missing a Bearer or PoP token.";
            return Refuse(401, "Unauthorized", words).With("WWW-Authenticate", $"Bearer authorization=\"https://login.windows.net/{tenant.Id}\", resource=\"{Audience}\"");
        }

        if (azure.Authorize(request, Audience, out var token) is { } refused) return refused;
        var isBroker = token.PrincipalId == azure.BrokerPrincipal.Id;
        if (!isBroker && !Allowed.Contains(token.PrincipalId)) return Forbidden("ForbiddenByRbac");
        var parts = request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var name = parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "";
        if (parts[0] == "deletedsecrets") return OfDeleted(request, name, parts.Length > 2 ? parts[2] : "", version);
        if (name.Length == 0) return List(_secrets.Select(secret => secret.Value[^1] is var newest ? Show(request, secret.Key, newest, version, withVersion: false) : []));
        return (request.Method, parts.Length > 2 ? parts[2] : "") switch
        {
            ("PUT", "") => Set(request, name, version),
            ("GET", "versions") => List(_secrets.GetValueOrDefault(name, []).Select(one => Show(request, name, one, version))),
            ("GET", var which) => Get(request, name, which, version),
            ("PATCH", var which) => Update(request, name, which, version),
            ("DELETE", "") => isBroker && !BrokerMayDelete ? Forbidden("ForbiddenByRbac") : Delete(request, name, version),
            _ => Refuse(405, "MethodNotAllowed", "The method is not allowed."),
        };
    }

    private StandInAnswer Set(StandInRequest request, string name, string version)
    {
        if (_deleted.ContainsKey(name)) return Refuse(409, "Conflict", $"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.");
        var body = JsonNode.Parse(request.Text)!.AsObject();
        var made = new Version(NewVersion(), (string)body["value"]!, time.GetUtcNow())
        {
            ContentType = (string?)body["contentType"],
            NotBefore = (long?)body["attributes"]?["nbf"],
            Expires = (long?)body["attributes"]?["exp"],
            Tags = body["tags"]?.AsObject().ToDictionary(tag => tag.Key, tag => (string)tag.Value!) ?? [],
        };
        if (!_secrets.TryGetValue(name, out var versions)) _secrets[name] = versions = [];
        versions.Add(made);
        return Bundle(request, name, made, version, withValue: true);
    }

    private StandInAnswer Get(StandInRequest request, string name, string which, string version)
    {
        if (Find(name, which) is not { } found) return Absent(name);
        return found.Enabled
            ? Bundle(request, name, found, version, withValue: true)
            : StandInAnswer.Json(403, new JsonObject { ["error"] = new JsonObject { ["code"] = "Forbidden", ["message"] = "Operation get is not allowed on a disabled secret.", ["innererror"] = new JsonObject { ["code"] = "SecretDisabled" } } }, AzureStandIn.Json);
    }

    private StandInAnswer Update(StandInRequest request, string name, string which, string version)
    {
        if (Find(name, which) is not { } found) return Absent(name);
        var body = JsonNode.Parse(request.Text)!;
        found.Enabled = (bool?)body["attributes"]?["enabled"] ?? found.Enabled;
        found.Updated = time.GetUtcNow();
        return Bundle(request, name, found, version, withValue: false);
    }

    private StandInAnswer Delete(StandInRequest request, string name, string version)
    {
        if (!_secrets.Remove(name, out var versions)) return Absent(name);
        _deleted[name] = (versions, time.GetUtcNow());
        return Deleted(request, name, version);
    }

    private StandInAnswer OfDeleted(StandInRequest request, string name, string action, string version)
    {
        if (!_deleted.TryGetValue(name, out var deleted) || time.GetUtcNow() < deleted.At + timing.SecretDeletionSpreads) return Absent(name);
        switch (request.Method, action)
        {
            case ("GET", ""):
                return Deleted(request, name, version);
            case ("DELETE", ""):
                _deleted.Remove(name);
                return StandInAnswer.Empty(204);
            case ("POST", "recover"):
                _deleted.Remove(name);
                _secrets[name] = deleted.Versions;
                _back[name] = time.GetUtcNow() + timing.SecretDeletionSpreads;
                return Bundle(request, name, deleted.Versions[^1], version, withValue: false);
            default:
                return Refuse(405, "MethodNotAllowed", "The method is not allowed.");
        }
    }

    private Version? Find(string name, string which) =>
        _back.TryGetValue(name, out var back) && time.GetUtcNow() < back
            ? null
            : _secrets.TryGetValue(name, out var versions) ? which.Length == 0 ? versions[^1] : versions.FirstOrDefault(version => version.Id == which) : null;

    private StandInAnswer Deleted(StandInRequest request, string name, string version)
    {
        var (versions, at) = _deleted[name];
        var shown = Show(request, name, versions[^1], version);
        shown.Insert(0, "recoveryId", $"https://{request.Header("Host")}/deletedsecrets/{name}");
        shown.Insert(1, "deletedDate", at.ToUnixTimeSeconds());
        shown.Insert(2, "scheduledPurgeDate", at.AddDays(RecoverableDays).ToUnixTimeSeconds());
        return StandInAnswer.Json(200, shown, AzureStandIn.Json);
    }

    private StandInAnswer Bundle(StandInRequest request, string name, Version of, string version, bool withValue)
    {
        var shown = Show(request, name, of, version);
        if (withValue) shown.Insert(0, "value", of.Value);
        return StandInAnswer.Json(200, shown, AzureStandIn.Json);
    }

    private JsonObject Show(StandInRequest request, string name, Version of, string version, bool withVersion = true)
    {
        var attributes = new JsonObject { ["enabled"] = of.Enabled };
        if (of.NotBefore is { } notBefore) attributes["nbf"] = notBefore;
        if (of.Expires is { } expires) attributes["exp"] = expires;
        attributes["created"] = of.Created.ToUnixTimeSeconds();
        attributes["updated"] = of.Updated.ToUnixTimeSeconds();
        attributes["recoveryLevel"] = RecoverableDays == 90 ? "Recoverable+Purgeable" : "CustomizedRecoverable+Purgeable";
        if (version != "7.0") attributes["recoverableDays"] = RecoverableDays;
        var shown = new JsonObject();
        if (of.ContentType is not null) shown["contentType"] = of.ContentType;
        shown["id"] = $"https://{request.Header("Host")}/secrets/{name}{(withVersion ? $"/{of.Id}" : "")}";
        shown["attributes"] = attributes;
        if (of.Tags.Count > 0) shown["tags"] = new JsonObject(of.Tags.Select(tag => KeyValuePair.Create(tag.Key, (JsonNode?)JsonValue.Create(tag.Value))));
        return shown;
    }

    private static StandInAnswer List(IEnumerable<JsonObject> items) => StandInAnswer.Json(200, new JsonObject { ["value"] = new JsonArray([.. items]), ["nextLink"] = null }, AzureStandIn.Json);

    private static StandInAnswer Absent(string name) => Refuse(404, "SecretNotFound",
        $"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182");

    private static StandInAnswer Forbidden(string inner) =>
        StandInAnswer.Json(403, new JsonObject { ["error"] = new JsonObject { ["code"] = "Forbidden", ["message"] = "Caller is not authorized to perform action on resource.", ["innererror"] = new JsonObject { ["code"] = inner } } }, AzureStandIn.Json);

    private static StandInAnswer Refuse(int status, string code, string message) => StandInAnswer.Json(status, AzureStandIn.Error(code, message), AzureStandIn.Json);

    private static string NewVersion() => Tenant.NewId().Replace("-", "", StringComparison.Ordinal);

    private sealed class Version(string id, string value, DateTimeOffset created)
    {
        public string Id { get; } = id;

        public string Value { get; } = value;

        public DateTimeOffset Created { get; } = created;

        public DateTimeOffset Updated { get; set; } = created;

        public bool Enabled { get; set; } = true;

        public string? ContentType { get; init; }

        public long? NotBefore { get; init; }

        public long? Expires { get; init; }

        public Dictionary<string, string> Tags { get; init; } = [];
    }
}

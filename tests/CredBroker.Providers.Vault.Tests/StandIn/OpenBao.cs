using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>
/// A stand-in for OpenBao: tokens, policies, auth methods, leases and engines as far as a broker meets them, on a clock of its own. It is held against
/// recordings of the real one.
/// </summary>
public sealed partial class OpenBao
{
    private const int MostBytes = 32 * 1024 * 1024;
    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, Realm> _realms = new(StringComparer.Ordinal);
    private readonly Dictionary<int, FakeDatabase> _databases = [];

    /// <summary>Makes one that is initialised and unsealed.</summary>
    public OpenBao(TimeProvider clock, bool initialized = true)
    {
        _clock = clock;
        Wrappings = new Wrappings(clock);
        Quotas = new Quotas(clock);
        AddRealm("");
        if (!initialized) return;
        State = ServerState.Active;
        Initialised = true;
        RootToken = Root.Tokens.Root().Id;
    }

    /// <summary>The token that may do everything.</summary>
    public string RootToken { get; private set; } = "";

    /// <summary>The cluster's id.</summary>
    public string ClusterId { get; } = Random.Uuid();

    /// <summary>Whether it answers, as health has it.</summary>
    public ServerState State { get; set; } = ServerState.Sealed;

    /// <summary>Calls that come while a node was only just unsealed answer 500.</summary>
    public bool Warming { get; set; }

    /// <summary>The largest body, and the most strings in one.</summary>
    public (int Bytes, int Strings) Limits { get; set; } = (MostBytes, 10_000);

    internal Realm Root => _realms[""];

    internal Wrappings Wrappings { get; }

    internal Quotas Quotas { get; }

    private bool Initialised { get; set; }

    /// <summary>The database behind connections to this port.</summary>
    public FakeDatabase AddDatabase(int port, string adminPassword = "admin") => _databases[port] = new FakeDatabase(_clock, port) { AdminPassword = adminPassword };

    /// <summary>Answers one request.</summary>
    public StandInAnswer Answer(StandInRequest request)
    {
        lock (_lock)
        {
            foreach (var realm in _realms.Values)
            {
                realm.Tokens.Tick();
                realm.Leases.Tick();
            }

            var answer = Guard(() => Route(request));
            return request.Header("X-Vault-Namespace") is { } name && answer.Status != 307 ? answer.With("X-Vault-Namespace", name) : answer;
        }
    }

    internal Realm Realm(string path)
    {
        lock (_lock) return _realms[path];
    }

    internal void Locked(Action act)
    {
        lock (_lock) act();
    }

    private static StandInAnswer Guard(Func<StandInAnswer> act)
    {
        try
        {
            return act();
        }
        catch (Refusal refusal)
        {
            return refusal.Answer;
        }
    }

    private StandInAnswer Route(StandInRequest request)
    {
        if (Cleaned(request.Path) is { } clean && clean != request.Path)
            return StandInAnswer.Of(307, $"<a href=\"{clean}\">Temporary Redirect</a>.\n\n", "text/html; charset=utf-8").With("Cache-Control", "no-store").With("Location", clean);
        if (!request.Path.StartsWith("/v1/", StringComparison.Ordinal)) return Answers.Error(404);
        var path = request.Path["/v1/".Length..];
        if (AnswerWithoutBarrier(request, path) is { } answer) return answer;
        if (State == ServerState.Sealed) return Answers.Error(503, "Vault is sealed");
        if (Warming) return Answers.Error(500, "internal error");
        if (MethodOf(request) is not { } method) return Answers.Error(405);
        if (request.Body.Length > Limits.Bytes) return Answers.Error(413, "http: request body too large");
        var body = ReadBody(request);
        var (realm, within) = RealmOf(request, path);
        var (refused, headers) = Quotas.Count(within);
        var result = refused ?? Guard(() => Dispatch(request, realm, method, within, body));
        return headers.Aggregate(result, (current, header) => current.With(header.Key, header.Value));
    }

    private StandInAnswer Dispatch(StandInRequest request, Realm realm, string method, string path, JsonObject body)
    {
        if (method == "POST" && path.EndsWith('/')) throw Refusal.Of(400, "cannot write to a path ending in '/'");
        path = path.TrimEnd('/');
        var credential = request.Header("X-Vault-Token") ?? (request.Header("Authorization") is { } header && header.StartsWith("Bearer ", StringComparison.Ordinal) ? header["Bearer ".Length..] : null);
        if (path == "sys/wrapping/unwrap") return Wrappings.Unwrap(credential, body["token"]?.GetValue<string>());
        var (engine, rest) = EngineOf(realm, path);
        var call = new Call(realm, method, path, body, null, _clock.GetUtcNow(), request.QueryValue);
        if (engine?.IsOpen(rest) != true)
        {
            var token = TokenFor(realm, path, credential) ?? throw Refusal.Of(403, "permission denied");
            if (!IsAllowed(realm, token, method, path)) throw new Refusal(Answers.Error(403, Answers.Denied));
            call = call with { Token = token };
        }

        var wrap = WrapOf(request);
        var lastUse = Use(realm, call.Token);
        var answer = engine is null ? throw Refusal.Of(404, $"no handler for route \"{path}\". route entry not found.") : engine.Handle(call, rest) ?? throw Refusal.Reported(404, "unsupported path");
        if (lastUse && LeaseOf(answer) is { } lease)
        {
            realm.Leases.Revoke(realm.Leases.Find(lease)!);
            throw Refusal.Of(400, "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.");
        }

        return wrap is { } ttl && answer.Status == 200 ? Wrappings.Wrap(answer, path, ttl) : answer;
    }

    // Whoever has the number of uses counts down with each; the last one ends it.
    private static bool Use(Realm realm, Token? token)
    {
        if (token is not { NumUses: not 0 }) return false;
        if (token.NumUses < 0)
        {
            realm.Tokens.Revoke(token);
            throw Refusal.Of(403, "permission denied");
        }

        token.NumUses--;
        if (token.NumUses > 0) return false;
        token.NumUses = -1;
        return true;
    }

    private static string? LeaseOf(StandInAnswer answer) =>
        answer.Status == 200 && JsonNode.Parse(answer.Body)?["lease_id"]?.GetValue<string>() is { Length: > 0 } lease ? lease : null;

    private static TimeSpan? WrapOf(StandInRequest request) => request.Header("X-Vault-Wrap-TTL") is not { } text ? null
        : Durations.Parse(text) ?? throw Refusal.Of(400, $"error parsing X-Vault-Wrap-TTL header: time: invalid duration \"{text}\"");

    // A token is known in its own namespace; a look at itself works anywhere.
    private Token? TokenFor(Realm realm, string path, string? credential)
    {
        if (credential is null) return null;
        if (realm.Tokens.Find(credential) is { } own) return own;
        var home = _realms.Values.FirstOrDefault(other => other.Tokens.Find(credential) is not null);
        if (home is null) return null;
        if (path == "auth/token/lookup-self" || home == Root) return home.Tokens.Find(credential);
        throw new Refusal(Answers.Error(403, Answers.Denied));
    }

    private static bool IsAllowed(Realm realm, Token token, string method, string path)
    {
        if (path == "sys/internal/ui/mounts" || path.StartsWith("sys/internal/ui/mounts/", StringComparison.Ordinal)) return true;
        // A token of another namespace has that one's policies, of which only root reaches this one.
        var foreign = realm.Suffix.Length > 0 && !token.Id.EndsWith(realm.Suffix, StringComparison.Ordinal);
        var has = foreign && !token.Policies.Contains("root") ? ["deny"] : realm.Policies.Capabilities(token.Policies, method == "LIST" ? $"{path}/" : path);
        if (has.Contains("root")) return true;
        var needs = method switch { "GET" => "read", "LIST" => "list", "DELETE" => "delete", _ => "update" };
        return (has.Contains(needs) || (needs == "update" && has.Contains("create"))) && (!NeedsSudo(method, path) || has.Contains("sudo"));
    }

    private static bool NeedsSudo(string method, string path) =>
        path is "auth/token/accessors" or "sys/leases" or "sys/seal" || (method == "LIST" && path.StartsWith("sys/leases/lookup", StringComparison.Ordinal))
        || path.StartsWith("sys/leases/revoke-prefix/", StringComparison.Ordinal) || path.StartsWith("sys/leases/revoke-force/", StringComparison.Ordinal);

    private (IEngine? Engine, string Below) EngineOf(Realm realm, string path)
    {
        if (path.StartsWith("sys/", StringComparison.Ordinal)) return (SystemCalls, path["sys/".Length..]);
        foreach (var (mount, engine) in realm.AuthMounts.Select(pair => ($"auth/{pair.Key}", pair.Value)).Concat(realm.Mounts.Select(pair => (pair.Key, pair.Value))))
            if (path.StartsWith($"{mount}/", StringComparison.Ordinal)) return (engine, path[(mount.Length + 1)..]);
        return (null, path);
    }

    private (Realm Realm, string Path) RealmOf(StandInRequest request, string path)
    {
        var name = request.Header("X-Vault-Namespace")?.Trim('/') ?? "";
        if (name.Length == 0 && _realms.Keys.FirstOrDefault(realm => realm.Length > 0 && path.StartsWith($"{realm}/", StringComparison.Ordinal)) is { } inPath)
            return (_realms[inPath], path[(inPath.Length + 1)..]);
        if (!_realms.TryGetValue(name, out var found)) throw Refusal.Of(404, "namespace not found");
        return found.Tainted
            ? throw Refusal.Of(404, $"no handler for route \"{path}\" on namespace \"{name}/\". route entry or namespace is tainted.")
            : (found, path);
    }

    private JsonObject ReadBody(StandInRequest request)
    {
        var text = request.Text.Trim();
        if (text.Length == 0) return [];
        if (request.Header("Content-Type")?.StartsWith("application/x-www-form-urlencoded", StringComparison.Ordinal) == true)
            return new JsonObject(request.Form().Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));
        if (text.Count(character => character == '"') / 2 > Limits.Strings) throw Refusal.Of(400, "refused JSON input due to high complexity: exceeded maximum number of strings");
        try
        {
            return JsonNode.Parse(text, documentOptions: new() { MaxDepth = 500 }) switch
            {
                JsonObject body => body,
                JsonArray => throw Refusal.Of(400, "failed to decode JSON input: json: cannot unmarshal array into Go value of type map[string]interface {}"),
                _ => [],
            };
        }
        catch (JsonException)
        {
            var rest = text.LastIndexOf('}') is > 0 and var end && end + 1 < text.Length ? text[(end + 1)..].Trim() : "";
            throw Refusal.Of(400, rest.Length > 0 ? $"failed to decode JSON input: invalid character '{rest[0]}' looking for beginning of value" : "failed to decode JSON input: unexpected EOF");
        }
    }

    private static string? MethodOf(StandInRequest request) => request.Method switch
    {
        "GET" => request.QueryValue("list") == "true" ? "LIST" : "GET",
        "LIST" => "LIST",
        "POST" or "PUT" => "POST",
        "DELETE" => "DELETE",
        _ => null,
    };

    private static string? Cleaned(string path)
    {
        if (!path.Contains("//", StringComparison.Ordinal) && !path.Contains("/.", StringComparison.Ordinal)) return null;
        var kept = new List<string>();
        foreach (var segment in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (segment == "..") kept.RemoveAt(Math.Max(kept.Count - 1, 0));
            else if (segment != ".") kept.Add(segment);
        }

        return $"/{string.Join('/', kept)}";
    }
}

/// <summary>What a node's health says.</summary>
public enum ServerState
{
    /// <summary>Sealed: nothing works.</summary>
    Sealed = 1,

    /// <summary>A standby: it forwards.</summary>
    Standby = 2,

    /// <summary>The active node.</summary>
    Active = 3,
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>What is answered without a token and without the barrier: health, seal, initialisation; and namespaces.</summary>
public sealed partial class OpenBao
{
    private readonly string _unsealKey = RandomNumberGenerator.GetHexString(64, lowercase: true);
    private readonly DateTimeOffset _activeSince = TimeProvider.System.GetUtcNow();

    private SystemPaths SystemCalls => field ??= new SystemPaths(this);

    internal StandInAnswer Seal()
    {
        State = ServerState.Sealed;
        return Answers.Empty(204);
    }

    internal IEngine EngineFor(string type, string mount) => type switch
    {
        "database" => new DatabaseEngine(mount, port => _databases.GetValueOrDefault(port)),
        "kv" => new KeyValueEngine(),
        "pki" => new PkiEngine(mount),
        "ssh" => new SshEngine(),
        _ => throw Refusal.Of(400, $"plugin not found in the catalog: {type}"),
    };

    internal StandInAnswer? Namespaces(Call call, string? name)
    {
        switch (call.Method)
        {
            case "POST":
                if (!_realms.ContainsKey(name!)) AddRealm(name!);
                return Answers.Data(_realms[name!].Describe());
            case "LIST":
                var all = _realms.Values.Where(realm => realm.Path.Length > 0).ToList();
                return Answers.Data(new JsonObject
                {
                    ["key_info"] = new JsonObject(all.Select(realm => KeyValuePair.Create($"{realm.Path}/", (JsonNode?)realm.Describe()))),
                    ["keys"] = Answers.List(all.Select(realm => $"{realm.Path}/")),
                });
            case "GET":
                return _realms.TryGetValue(name!, out var found) ? Answers.Data(found.Describe()) : Answers.Error(404);
            default:
                _realms[name!].Tainted = true;
                return Answers.Data(new JsonObject { ["status"] = "in-progress" });
        }
    }

    /// <summary>Finishes a deletion that is in progress.</summary>
    internal void DropTaintedRealms()
    {
        foreach (var realm in _realms.Values.Where(realm => realm.Tainted).ToList()) _realms.Remove(realm.Path);
    }

    private void AddRealm(string path)
    {
        var realm = new Realm(path, Random.Text(6), _clock);
        realm.AuthMounts["token"] = new TokenStore();
        _realms[path] = realm;
    }

    private StandInAnswer? AnswerWithoutBarrier(StandInRequest request, string path)
    {
        switch (path)
        {
            case "sys/health":
                return Health(request);
            case "sys/seal-status" when request.Method == "GET":
                return Answers.Json(200, SealStatus());
            case "sys/init" when request.Method == "GET":
                return Answers.Json(200, new JsonObject { ["initialized"] = Initialised });
            case "sys/init":
                return Initialise();
            case "sys/unseal":
                return Unseal(ReadBody(request)["key"]!.GetValue<string>());
            case "sys/leader":
                return Leader();
            default:
                return null;
        }
    }

    private StandInAnswer Health(StandInRequest request)
    {
        if (request.Header("X-Vault-Namespace") is not null) return Answers.Error(400, "operation unavailable in namespaces");
        if (request.Method is not ("GET" or "HEAD")) return Answers.Error(405);
        int Code(string name, int usual) => request.QueryValue(name) is not { } text ? usual : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : throw Refusal.Of(400);
        var codes = (Uninitialised: Code("uninitcode", 501), Sealed: Code("sealedcode", 503), Standby: request.QueryValue("standbyok") == "true" ? 200 : Code("standbycode", 429), Active: Code("activecode", 200));
        var active = State == ServerState.Active;
        var body = new JsonObject
        {
            ["initialized"] = Initialised,
            ["sealed"] = State == ServerState.Sealed,
            ["standby"] = !active,
            ["replication_performance_mode"] = active ? "primary" : "unknown",
            ["replication_dr_mode"] = active ? "disabled" : "unknown",
            ["server_time_utc"] = _clock.GetUtcNow().ToUnixTimeSeconds(),
            ["version"] = "2.0.0-HEAD",
        };
        if (State != ServerState.Sealed)
        {
            body["cluster_name"] = $"vault-cluster-{ClusterId[..8]}";
            body["cluster_id"] = ClusterId;
        }

        return Answers.Json(!Initialised ? codes.Uninitialised : State switch { ServerState.Sealed => codes.Sealed, ServerState.Standby => codes.Standby, _ => codes.Active }, body);
    }

    private JsonObject SealStatus()
    {
        var body = new JsonObject
        {
            ["type"] = "shamir",
            ["initialized"] = Initialised,
            ["sealed"] = State == ServerState.Sealed,
            ["t"] = Initialised ? 1 : 0,
            ["n"] = Initialised ? 1 : 0,
            ["progress"] = 0,
            ["nonce"] = "",
            ["recovery_seal"] = false,
            ["version"] = "2.0.0-HEAD",
            ["commit_date"] = "",
            ["migration"] = false,
            ["storage_type"] = "raft",
        };
        if (State != ServerState.Sealed)
        {
            body["cluster_name"] = $"vault-cluster-{ClusterId[..8]}";
            body["cluster_id"] = ClusterId;
        }

        return body;
    }

    private StandInAnswer Initialise()
    {
        if (Initialised) return Answers.Error(400, "Vault is already initialized");
        Initialised = true;
        RootToken = Root.Tokens.Root().Id;
        return Answers.Json(200, new JsonObject
        {
            ["keys"] = Answers.List([_unsealKey]),
            ["keys_base64"] = Answers.List([Convert.ToBase64String(Convert.FromHexString(_unsealKey))]),
            ["root_token"] = RootToken,
        });
    }

    private StandInAnswer Unseal(string key)
    {
        if (key.Length != 64 || !key.All(char.IsAsciiHexDigitLower)) return Answers.Error(400, "'key' must be a valid hex or base64 string");
        if (key != _unsealKey) return Answers.Error(400, "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed");
        State = ServerState.Standby;
        return Answers.Json(200, SealStatus());
    }

    private StandInAnswer Leader()
    {
        if (State == ServerState.Sealed) return Answers.Error(503, "Vault is sealed");
        var body = new JsonObject { ["ha_enabled"] = true };
        if (State == ServerState.Active)
        {
            body["is_self"] = true;
            body["active_time"] = Durations.Time(_activeSince);
            body["leader_address"] = "http://127.0.0.1:18200";
            body["leader_cluster_address"] = "https://127.0.0.1:18201";
        }

        body["raft_committed_index"] = 29;
        body["raft_applied_index"] = 28;
        return Answers.Json(200, body);
    }
}

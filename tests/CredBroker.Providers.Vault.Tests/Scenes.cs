using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Providers.Vault.Tests.StandIn;

namespace CredBroker.Providers.Vault.Tests;

/// <summary>How the server was set up before each recording, and what happened beside it.</summary>
internal static class Scenes
{
    // Of nobody: 32 times the letter A.
    private const string SubjectKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";

    private const string OperatorPolicy = """
        path "auth/token/create/*" { capabilities = ["update"] }
        path "auth/token/create/broker" { capabilities = ["update"] }
        path "auth/token/roles/*" { capabilities = ["create", "read", "update", "delete"] }
        path "auth/token/roles/broker" { capabilities = ["read"] }
        path "auth/token/lookup-accessor" { capabilities = ["update"] }
        path "auth/token/renew-accessor" { capabilities = ["update"] }
        path "auth/token/revoke-accessor" { capabilities = ["update"] }
        path "auth/token/accessors" { capabilities = ["list", "sudo"] }
        path "sys/leases" { capabilities = ["list", "read", "sudo"] }
        path "sys/leases/count" { capabilities = ["read"] }
        path "sys/leases/lookup" { capabilities = ["update"] }
        path "sys/leases/renew" { capabilities = ["update"] }
        path "sys/leases/revoke" { capabilities = ["update"] }
        path "sys/leases/lookup/*" { capabilities = ["list", "sudo"] }
        path "sys/leases/revoke-prefix/*" { capabilities = ["update", "sudo"] }
        path "sys/leases/revoke-force/*" { capabilities = ["update", "sudo"] }
        path "database/roles/+" { capabilities = ["read"] }
        path "database/config/+" { capabilities = ["read"] }
        """;

    private const string WithoutSudo = """
        path "auth/token/accessors" { capabilities = ["list"] }
        path "sys/leases" { capabilities = ["read"] }
        path "sys/leases/lookup/*" { capabilities = ["list"] }
        path "sys/leases/revoke-prefix/*" { capabilities = ["update"] }
        """;

    private const string AppPolicy = """
        path "database/creds/app" { capabilities = ["read"] }
        path "database/creds/fixed" { capabilities = ["read"] }
        path "database/creds/nope" { capabilities = ["read"] }
        path "database/creds/direct" { capabilities = ["read"] }
        path "dbirr/creds/app" { capabilities = ["read"] }
        path "kv/data/app/*" { capabilities = ["read"] }
        """;

    private const string BrokerPolicy = $$"""
        {{Administrator.BrokerPolicy}}
        path "database/roles/+" { capabilities = ["read"] }
        path "database/config/+" { capabilities = ["read"] }
        """;

    public static Dictionary<string, Action<Scene>> All { get; } = new(StringComparer.Ordinal)
    {
        ["01-health"] = Health,
        ["02-auth-approle"] = AppRole,
        ["02-auth-jwt"] = Jwt,
        ["02-auth-token-self"] = TokenSelf,
        ["03-capabilities"] = Capabilities,
        ["04-token-explicit-max"] = scene => Base(scene),
        ["04-token-parentage"] = Parentage,
        ["04-token-role"] = TokenRole,
        ["05-database"] = Database,
        ["05-database-down"] = DatabaseDown,
        ["06-revoke-accessor-cascade"] = Cascade,
        ["07-leases"] = LeasesAndPrefixes,
        ["08-wrapping"] = Wrapping,
        ["09-kv-v2"] = KeyValue,
        ["10-pki"] = _ => { },
        ["10-ssh"] = scene => scene.Values["sshkey:subject"] = () => SubjectKey,
        ["11-namespaces"] = Namespaces,
        ["12-errors"] = Errors,
        ["12-quotas"] = Quotas,
        ["13-warnings"] = Warnings,
        ["14-irrevocable"] = Irrevocable,
    };

    private static void Base(Scene scene, string? databaseMaxTtl = "10m")
    {
        var bao = scene.Bao;
        bao.Policy("broker", BrokerPolicy);
        bao.Policy("app", AppPolicy);
        bao.Policy("operator", OperatorPolicy);
        bao.Policy("list-without-sudo", WithoutSudo);
        bao.TokenRole("broker", ["app", "ghost"], max: "1h");
        bao.AddDatabase(18290);
        if (databaseMaxTtl is not null) bao.Database(18290, maxTtl: databaseMaxTtl);
        scene.Token("broker", new JsonObject { ["policies"] = new JsonArray("broker"), ["no_parent"] = true });
        scene.Token("operator", new JsonObject { ["policies"] = new JsonArray("operator"), ["no_parent"] = true });
        scene.Token("list-without-sudo", new JsonObject { ["policies"] = new JsonArray("list-without-sudo"), ["no_parent"] = true });
        scene.Values["token:unknown"] = () => "s.AAAAAAAAAAAAAAAAAAAAAAAA";
        scene.Values["accessor:unknown"] = () => "AAAAAAAAAAAAAAAAAAAAAAAA";
        scene.Values["secret:db-admin-password"] = () => "admin";
    }

    private static void Health(Scene scene)
    {
        scene.Values["token:unknown"] = () => "s.AAAAAAAAAAAAAAAAAAAAAAAA";
        scene.Replay.Allow.Vary("raft_committed_index", "the stand-in has no raft");
        scene.Replay.Allow.Vary("raft_applied_index", "the stand-in has no raft");
        void Warm(string from, string to)
        {
            scene.BeforeExchange[from] = () => scene.Bao.Warming = true;
            scene.BeforeExchange[to] = () => scene.Bao.Warming = false;
        }

        Warm("lookup-self right after the first unseal", "health with standbyok=true right after the first unseal");
        scene.BeforeExchange["health, active"] = () => scene.Bao.State = ServerState.Active;
        scene.BeforeExchange["health after a restart"] = () => scene.Bao.State = ServerState.Sealed;
        scene.BeforeExchange["health, active again"] = () => scene.Bao.State = ServerState.Active;
    }

    private static void AppRole(Scene scene)
    {
        scene.Values["uuid:wrong"] = () => "00000000-0000-0000-0000-000000000000";
        string Secret(int uses, string? accessor = null)
        {
            var (id, secretAccessor) = ((AppRoleMethod)scene.Bao.Root.AuthMounts["approle"]).NewSecret("broker", uses);
            if (accessor is not null) scene.Replay.Bind(accessor, secretAccessor);
            return id;
        }

        scene.Values["uuid:secret-id-once"] = () => Secret(1);
        scene.BeforeExchange["destroy a secret id by its accessor"] = () => scene.Replay.Bind("uuid:secret-id-destroyed", Secret(0, "uuid:secret-id-destroyed-accessor"));
    }

    private static void Jwt(Scene scene)
    {
        var (rsa, ec, foreign) = (RSA.Create(2048), ECDsa.Create(ECCurve.NamedCurves.nistP256), RSA.Create(2048));
        scene.Bao.Policy("broker", BrokerPolicy);
        scene.Values["pem:rsa-public-key"] = rsa.ExportSubjectPublicKeyInfoPem;
        scene.Values["pem:ec-public-key"] = ec.ExportSubjectPublicKeyInfoPem;
        var now = scene.Clock.GetUtcNow().ToUnixTimeSeconds();
        string Claims(string aud = "openbao", string sub = "spiffe://example.org/credbroker", string iss = "https://idp.example", long from = 0, long to = 300) =>
            $$"""{"iss":"{{iss}}","sub":"{{sub}}","aud":"{{aud}}","iat":{{now + from}},"nbf":{{now + from}},"exp":{{now + to}}}""";
        string Rs(RSA key, string claims) => Sign("RS256", claims, bytes => key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        scene.Values["jwt:rs256"] = () => Rs(rsa, Claims());
        scene.Values["jwt:es256"] = () => Sign("ES256", Claims(), bytes => ec.SignData(bytes, HashAlgorithmName.SHA256));
        scene.Values["jwt:wrong-aud"] = () => Rs(rsa, Claims(aud: "other"));
        scene.Values["jwt:no-aud"] = () => Rs(rsa, Claims().Replace("\"aud\":\"openbao\",", "", StringComparison.Ordinal));
        scene.Values["jwt:wrong-sub"] = () => Rs(rsa, Claims(sub: "someone"));
        scene.Values["jwt:wrong-iss"] = () => Rs(rsa, Claims(iss: "https://other.example"));
        scene.Values["jwt:expired"] = () => Rs(rsa, Claims(from: -2000, to: -1000));
        scene.Values["jwt:expired-30s"] = () => Rs(rsa, Claims(from: -330, to: -30));
        scene.Values["jwt:not-yet"] = () => Rs(rsa, Claims(from: 1000, to: 2000));
        scene.Values["jwt:no-times"] = () => Rs(rsa, """{"iss":"https://idp.example","sub":"spiffe://example.org/credbroker","aud":"openbao"}""");
        scene.Values["jwt:foreign-key"] = () => Rs(foreign, Claims());
        scene.Values["jwt:unknown-role"] = () => Rs(rsa, Claims());
    }

    private static string Sign(string algorithm, string claims, Func<byte[], byte[]> sign)
    {
        static string Encode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
        var signed = $"{Encode(Encoding.UTF8.GetBytes($$"""{"alg":"{{algorithm}}","typ":"JWT"}"""))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Encode(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static void TokenSelf(Scene scene)
    {
        Base(scene);
        var (roleId, secretId) = scene.Bao.AppRole("broker");
        scene.Values["token:broker"] = () => scene.Bao.Admin("POST", "auth/approle/login", new JsonObject { ["role_id"] = roleId, ["secret_id"] = secretId })!["auth"]!["client_token"]!.GetValue<string>();
        scene.Token("short", new JsonObject { ["policies"] = new JsonArray("default"), ["ttl"] = "2s", ["explicit_max_ttl"] = "2s" });
        scene.Token("fixed", new JsonObject { ["policies"] = new JsonArray("default"), ["ttl"] = "10m", ["renewable"] = false });
        scene.PassBefore("lookup-self after it expired", 3);
    }

    private static void Capabilities(Scene scene)
    {
        Base(scene);
        scene.Token("default", new JsonObject { ["policies"] = new JsonArray("default") });
        scene.Token("nodefault", new JsonObject { ["policies"] = new JsonArray("app"), ["no_default_policy"] = true });
    }

    private static void Parentage(Scene scene)
    {
        Base(scene);
        scene.Bao.Admin("POST", "auth/token/roles/plain", new JsonObject { ["allowed_policies"] = new JsonArray("app") });
        scene.Bao.Admin("POST", "auth/token/roles/batchy", new JsonObject { ["allowed_policies"] = new JsonArray("app"), ["orphan"] = true, ["token_type"] = "batch", ["renewable"] = false });
        scene.Bao.Policy("login", """
            path "auth/token/create" { capabilities = ["update"] }
            path "auth/token/create/+" { capabilities = ["update"] }
            path "database/creds/app" { capabilities = ["read"] }
            """);
        scene.Token("login", new JsonObject { ["policies"] = new JsonArray("login", "app"), ["no_parent"] = true });
        scene.Token("limited", new JsonObject { ["policies"] = new JsonArray("login"), ["num_uses"] = 5, ["no_parent"] = true });
    }

    private static void TokenRole(Scene scene)
    {
        Base(scene);
        scene.Bao.Root.TokenRoles.Remove("broker");
        scene.PassBefore("lookup of the 2 s child after 3 s", 3);
    }

    private static void Database(Scene scene)
    {
        Base(scene, databaseMaxTtl: null);
        scene.Replay.Allow.Vary("uuid", "a mount's id is drawn anew by the stand-in");
        scene.PassBefore("look up until it is gone", 1);
    }

    private static void DatabaseDown(Scene scene)
    {
        Base(scene);
        var database = scene.Bao.AddDatabase(18290);
        scene.BeforeExchange["credential with PostgreSQL stopped"] = () => database.Up = false;
        scene.PassBefore("look up 2 s after that", 2);
        scene.BeforeExchange["revoke lease 1, sync, PostgreSQL is back"] = () => database.Up = true;
        scene.Replay.Allow.Near("ttl", 2, "the stand-in's clock stands still between these calls");
    }

    private static void Cascade(Scene scene)
    {
        Base(scene);
        scene.PassBefore("look up the lease", 1);
        scene.PassBefore("look up the lease of a child with 4 s to live", 5);
    }

    private static void LeasesAndPrefixes(Scene scene)
    {
        Base(scene);
        var database = scene.Bao.AddDatabase(18290);
        scene.Token("child2", new JsonObject { ["policies"] = new JsonArray("app"), ["ttl"] = "10m" }, "broker");
        scene.Replay.LeaveOut("LIST the accessors", "the recording was cut to two of the many that the server had");
        scene.PassBefore("look up a database lease", 1);
        scene.BeforeExchange["look up the lease"] = () => scene.Pass(1);
        scene.BeforeExchange["revoke-prefix, sync, with PostgreSQL stopped"] = () => database.Up = false;
    }

    private static void Wrapping(Scene scene)
    {
        Base(scene);
        scene.Token("reader", new JsonObject { ["policies"] = new JsonArray("app"), ["ttl"] = "10m" }, "broker");
        scene.PassBefore("unwrap after its expiry", 3);
    }

    private static void KeyValue(Scene scene)
    {
        Base(scene);
        scene.Token("child", new JsonObject { ["policies"] = new JsonArray("app"), ["ttl"] = "10m" }, "broker");
    }

    private static void Namespaces(Scene scene)
    {
        Base(scene);
        scene.BeforeExchange["the broker's token in it"] = () => scene.Bao.Policy("broker", BrokerPolicy, "team-a");
        scene.BeforeExchange["create a child"] = () => scene.Bao.Policy("app", AppPolicy, "team-a");
        scene.BeforeExchange["lookup-self 2 s later"] = scene.Bao.DropTaintedRealms;
    }

    private static void Errors(Scene scene)
    {
        Base(scene);
        scene.Values["blob:json-of-5015-bytes"] = () => $$"""{"accessor":"{{new string('a', 5000)}}"}""";
        scene.Values["blob:json-with-83-strings"] = () => $$"""{"accessor":"x","a":[{{string.Join(',', Enumerable.Repeat("\"a\"", 80))}}]}""";
        scene.Values["blob:json-of-33-MiB"] = () => $$"""{"accessor":"{{new string('a', 33 * 1024 * 1024)}}"}""";
        scene.Values["blob:json-400-arrays-deep"] = () => $$"""{"accessor":{{new string('[', 400)}}{{new string(']', 400)}}}""";
        scene.BeforeExchange["oversize body, small listener"] = () => scene.Bao.Limits = (4096, 50);
        scene.BeforeExchange["body over the default 32 MiB"] = () => scene.Bao.Limits = (32 * 1024 * 1024, 10_000);
    }

    private static void Quotas(Scene scene)
    {
        Base(scene);
        scene.Bao.AppRole("broker");
        scene.Replay.Allow.Vary("header X-Ratelimit-Reset", "the window began at another second");
        scene.Replay.Allow.Vary("header Retry-After", "the window began at another second");
        scene.PassBefore("first call with headers", 11);
        scene.PassBefore("first call with a block interval", 11);
    }

    private static void Warnings(Scene scene)
    {
        Base(scene);
        scene.Bao.Admin("POST", "sys/mounts/kv", new JsonObject { ["type"] = "kv" });
    }

    private static void Irrevocable(Scene scene)
    {
        Base(scene);
        var database = scene.Bao.AddDatabase(18295);
        scene.Bao.Database(18295, "dbirr");
        var child = scene.Bao.Admin("POST", "auth/token/create/broker", new JsonObject { ["policies"] = new JsonArray("app"), ["ttl"] = "1h" })!["auth"]!["client_token"]!.GetValue<string>();
        string Lease(double jitter)
        {
            var id = scene.Bao.Admin("GET", "dbirr/creds/app", token: child)!["lease_id"]!.GetValue<string>();
            scene.Bao.Root.Leases.Find(id)!.Jitter = jitter;
            return id["dbirr/creds/app/".Length..];
        }

        scene.Replay.Bind("lease:db", Lease(0.79));
        scene.Replay.Bind("lease:pending", Lease(1));
        database.Up = false;
        foreach (var lease in scene.Bao.Root.Leases.All.ToList()) scene.Bao.Root.Leases.Enqueue(lease);
        scene.Pass(496.2);
        scene.BeforeExchange["revoke it, sync, database back"] = () => database.Up = true;
    }
}

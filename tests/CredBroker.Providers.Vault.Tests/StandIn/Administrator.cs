using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>Sets a stand-in up as an administrator does: by its own calls, with the root token.</summary>
public static class Administrator
{
    /// <summary>The policy text of docs/providers/vault.md, for the token role <c>broker</c>.</summary>
    public const string BrokerPolicy = """
        path "auth/token/create/broker" { capabilities = ["update"] }
        path "auth/token/roles/broker" { capabilities = ["read"] }
        path "auth/token/lookup-accessor" { capabilities = ["update"] }
        path "auth/token/renew-accessor" { capabilities = ["update"] }
        path "auth/token/revoke-accessor" { capabilities = ["update"] }
        path "sys/leases/lookup" { capabilities = ["update"] }
        path "sys/leases/renew" { capabilities = ["update"] }
        path "sys/leases/revoke" { capabilities = ["update"] }
        """;

    /// <summary>What listing and the proof of leases whose ids were lost need besides.</summary>
    public const string ListingPolicy = """
        path "auth/token/accessors" { capabilities = ["list", "sudo"] }
        path "sys/leases/lookup/*" { capabilities = ["list", "sudo"] }
        path "sys/leases" { capabilities = ["read", "sudo"] }
        """;

    /// <summary>Calls with the root token. It must succeed.</summary>
    public static JsonNode? Admin(this OpenBao bao, string method, string path, JsonNode? body = null, string? token = null, string? inNamespace = null, string? wrap = null)
    {
        ArgumentNullException.ThrowIfNull(bao);
        var answer = bao.Ask(method, path, body, token ?? bao.RootToken, inNamespace, wrap);
        if (answer.Status >= 300) throw new InvalidOperationException($"{method} {path}: {answer.Status} {answer.Text}");
        return answer.Body.Length == 0 ? null : JsonNode.Parse(answer.Body);
    }

    /// <summary>Calls with a token, whatever comes of it.</summary>
    public static StandInAnswer Ask(this OpenBao bao, string method, string path, JsonNode? body, string? token, string? inNamespace = null, string? wrap = null)
    {
        ArgumentNullException.ThrowIfNull(bao);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (token is not null) headers["X-Vault-Token"] = token;
        if (inNamespace is not null) headers["X-Vault-Namespace"] = inNamespace;
        if (wrap is not null) headers["X-Vault-Wrap-TTL"] = wrap;
        return bao.Answer(new StandInRequest(method, "localhost", $"/v1/{path}", headers, body is null ? [] : System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(body)));
    }

    /// <summary>Writes a policy.</summary>
    public static void Policy(this OpenBao bao, string name, string text, string? inNamespace = null) =>
        bao.Admin("PUT", $"sys/policies/acl/{name}", new JsonObject { ["policy"] = text }, inNamespace: inNamespace);

    /// <summary>Writes a token role of which tokens are made as the documentation says.</summary>
    public static void TokenRole(this OpenBao bao, string name, IEnumerable<string> policies, string? inNamespace = null, string max = "4h") => bao.Admin(
        "POST",
        $"auth/token/roles/{name}",
        new JsonObject { ["orphan"] = true, ["renewable"] = true, ["allowed_policies"] = Answers.List(policies), ["token_explicit_max_ttl"] = max, ["token_type"] = "service" },
        inNamespace: inNamespace);

    /// <summary>Mounts a database engine in front of a fake database, with a role <c>app</c>.</summary>
    public static void Database(this OpenBao bao, int port, string mount = "database", string defaultTtl = "5m", string maxTtl = "8h", string? template = null, string? inNamespace = null)
    {
        bao.Admin("POST", $"sys/mounts/{mount}", new JsonObject { ["type"] = "database" }, inNamespace: inNamespace);
        bao.Admin(
            "POST",
            $"{mount}/config/pg",
            new JsonObject
            {
                ["plugin_name"] = "postgresql-database-plugin",
                ["allowed_roles"] = new JsonArray("app", "fixed"),
                ["connection_url"] = $"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{port}/app?sslmode=disable&connect_timeout=3",
                ["username"] = "bao_admin",
                ["password"] = "admin",
                ["password_authentication"] = "scram-sha-256",
                ["username_template"] = template ?? "",
            },
            inNamespace: inNamespace);
        bao.Admin("POST", $"{mount}/roles/app", new JsonObject { ["db_name"] = "pg", ["default_ttl"] = defaultTtl, ["max_ttl"] = maxTtl }, inNamespace: inNamespace);
    }

    /// <summary>Mounts a certificate authority for example.org, with the roles <c>leased</c> and <c>unleased</c>.</summary>
    public static void Pki(this OpenBao bao)
    {
        bao.Admin("POST", "sys/mounts/pki", new JsonObject { ["type"] = "pki" });
        bao.Admin("POST", "pki/root/generate/internal", new JsonObject { ["common_name"] = "example.org root", ["ttl"] = "87600h", ["key_type"] = "ec" });
        foreach (var role in new[] { "leased", "unleased" })
            bao.Admin("POST", $"pki/roles/{role}", new JsonObject { ["allowed_domains"] = new JsonArray("example.org"), ["allow_subdomains"] = true, ["max_ttl"] = "24h", ["key_type"] = "ec", ["generate_lease"] = role == "leased" });
    }

    /// <summary>Mounts a certificate authority for SSH keys, with a role <c>app</c> for the user <c>deploy</c>.</summary>
    public static void Ssh(this OpenBao bao)
    {
        bao.Admin("POST", "sys/mounts/ssh", new JsonObject { ["type"] = "ssh" });
        bao.Admin("POST", "ssh/config/ca", new JsonObject { ["generate_signing_key"] = true });
        bao.Admin("POST", "ssh/roles/app", new JsonObject { ["key_type"] = "ca", ["allow_user_certificates"] = true, ["allowed_users"] = "deploy", ["default_user"] = "deploy", ["max_ttl"] = "1h" });
    }

    /// <summary>Enables AppRole with a role for the broker. Answers its role id and a secret id.</summary>
    public static (string RoleId, string SecretId) AppRole(this OpenBao bao, string policies, string? inNamespace = null, string ttl = "1h", string max = "4h")
    {
        bao.Admin("POST", "sys/auth/approle", new JsonObject { ["type"] = "approle" }, inNamespace: inNamespace);
        bao.Admin("POST", "auth/approle/role/broker", new JsonObject { ["token_policies"] = Answers.List(policies.Split(',')), ["token_ttl"] = ttl, ["token_max_ttl"] = max }, inNamespace: inNamespace);
        var roleId = bao.Admin("GET", "auth/approle/role/broker/role-id", inNamespace: inNamespace)!["data"]!["role_id"]!.GetValue<string>();
        return (roleId, bao.Admin("POST", "auth/approle/role/broker/secret-id", new JsonObject(), inNamespace: inNamespace)!["data"]!["secret_id"]!.GetValue<string>());
    }

    /// <summary>Enables a method by signed tokens, with a role for the broker.</summary>
    public static void Jwt(this OpenBao bao, string type, string key, string issuer, string audience, string subject, string policies = "broker")
    {
        bao.Admin("POST", $"sys/auth/{type}", new JsonObject { ["type"] = type });
        bao.Admin("POST", $"auth/{type}/config", new JsonObject { ["jwt_validation_pubkeys"] = new JsonArray(key), ["bound_issuer"] = issuer });
        bao.Admin(
            "POST",
            $"auth/{type}/role/broker",
            new JsonObject { ["role_type"] = "jwt", ["bound_audiences"] = new JsonArray(audience), ["bound_subject"] = subject, ["user_claim"] = "sub", ["token_policies"] = Answers.List(policies.Split(',')), ["token_ttl"] = "1h", ["token_max_ttl"] = "4h" });
    }
}

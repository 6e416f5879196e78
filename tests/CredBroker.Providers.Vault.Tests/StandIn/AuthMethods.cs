using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>AppRole: a role id and a secret id.</summary>
internal sealed class AppRoleMethod(string mount) : IEngine
{
    private readonly Dictionary<string, (JsonObject Role, string Id, string Entity)> _roles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Role, string Accessor, int Left)> _secrets = new(StringComparer.Ordinal);

    public string Type => "approle";

    public string Accessor { get; } = $"auth_approle_{Random.Hex(8)}";

    public bool IsOpen(string path) => path == "login";

    /// <summary>A secret id with so many uses; 0 for any number.</summary>
    public (string Id, string Accessor) NewSecret(string role, int uses = 0)
    {
        var (id, accessor) = (Random.Uuid(), Random.Uuid());
        _secrets[id] = (role, accessor, uses == 0 ? int.MaxValue : uses);
        return (id, accessor);
    }

    public string RoleId(string role) => _roles[role].Id;

    public StandInAnswer? Handle(Call call, string path)
    {
        switch (path.Split('/'))
        {
            case ["login"]:
                return LogIn(call);
            case ["role", var name] when call.Method == "POST":
                _roles[name] = (call.Body, _roles.TryGetValue(name, out var known) ? known.Id : Random.Uuid(), Random.Uuid());
                return Answers.Empty(204);
            case ["role", var name, "role-id"] when call.Method == "GET":
                return Answers.Data(new JsonObject { ["role_id"] = RoleId(name) });
            case ["role", var name, "secret-id"] when call.Method == "POST":
                var (id, accessor) = NewSecret(name, call.Body["num_uses"]?.GetValue<int>() ?? 0);
                return Answers.Data(new JsonObject { ["secret_id"] = id, ["secret_id_accessor"] = accessor, ["secret_id_num_uses"] = 0, ["secret_id_ttl"] = 0 });
            case ["role", _, "secret-id-accessor", "destroy"]:
                foreach (var secret in _secrets.Where(secret => secret.Value.Accessor == call.Text("secret_id_accessor")).ToList()) _secrets.Remove(secret.Key);
                return Answers.Empty(204);
            default:
                return null;
        }
    }

    private StandInAnswer LogIn(Call call)
    {
        if (call.Text("role_id") is not { } roleId) throw Refusal.Of(500, "missing role_id");
        var role = _roles.FirstOrDefault(role => role.Value.Id == roleId);
        if (call.Text("secret_id") is not { } secretId) throw Refusal.Of(400, "missing secret_id");
        if (role.Key is null || !_secrets.TryGetValue(secretId, out var secret) || secret.Role != role.Key) throw Refusal.Of(400, "invalid role or secret ID");
        if (secret.Left == 1) _secrets.Remove(secretId);
        else _secrets[secretId] = secret with { Left = secret.Left - 1 };
        return Login.Answer(call, mount, role.Value.Role, new Dictionary<string, string> { ["role_name"] = role.Key }, role.Value.Entity);
    }
}

/// <summary>JWT: a signed assertion, which is really verified. Kubernetes' method is the same with the cluster's key and a service account's claims.</summary>
internal sealed class JwtMethod(string mount, string type) : IEngine
{
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(150);
    private readonly Dictionary<string, JsonObject> _roles = new(StringComparer.Ordinal);
    private readonly string _entity = Random.Uuid();
    private JsonObject? _configuration;

    public string Type => type;

    public string Accessor { get; } = $"auth_{type}_{Random.Hex(8)}";

    public bool IsOpen(string path) => path == "login";

    public StandInAnswer? Handle(Call call, string path)
    {
        switch (path.Split('/'))
        {
            case ["config"] when call.Method == "POST":
                _configuration = call.Body;
                return Answers.Empty(204);
            case ["role", var name] when call.Method == "POST":
                _roles[name] = call.Body;
                return Answers.Empty(204);
            case ["login"] when call.Method == "POST":
                return LogIn(call);
            default:
                return null;
        }
    }

    private StandInAnswer LogIn(Call call)
    {
        var name = call.Text("role") ?? throw Refusal.Of(400, "missing role");
        var jwt = call.Text("jwt") ?? throw Refusal.Of(400, "missing token");
        var configuration = _configuration ?? throw Refusal.Of(400, "could not load configuration");
        var role = _roles.GetValueOrDefault(name) ?? throw Refusal.Of(400, $"role \"{name}\" could not be found");
        var claims = Verify(jwt, configuration);
        if (Text(claims["iss"]) != Text(configuration["bound_issuer"])) throw Invalid("invalid issuer (iss) claim");
        if (role["bound_subject"] is { } subject && Text(claims["sub"]) != Text(subject)) throw Invalid("invalid subject (sub) claim");
        string[] audiences = claims["aud"] switch { JsonArray many => [.. many.Select(Text)], null => [], var one => [Text(one)] };
        if (!role["bound_audiences"]!.AsArray().Select(Text).Intersect(audiences).Any()) throw Invalid("invalid audience (aud) claim: audience claim does not match any expected audience");
        RequireTimes(claims, call.Now);
        return Login.Answer(call, mount, role, new Dictionary<string, string> { ["role"] = name }, _entity);
    }

    private static JsonObject Verify(string jwt, JsonObject configuration)
    {
        if (jwt.Split('.') is not [var header, var payload, var signature]) throw Invalid("error verifying token signature: go-jose/go-jose: compact JWS format must have three parts");
        try
        {
            var signed = Encoding.ASCII.GetBytes($"{header}.{payload}");
            var bytes = Base64Url.DecodeFromChars(signature);
            var algorithm = Text(JsonNode.Parse(Base64Url.DecodeFromChars(header))!["alg"]);
            if (configuration["jwt_validation_pubkeys"]!.AsArray().Select(Text).Any(key => IsSigned(algorithm, key, signed, bytes)))
                return JsonNode.Parse(Base64Url.DecodeFromChars(payload))!.AsObject();
        }
        catch (FormatException)
        {
            throw Invalid("error verifying token signature: go-jose/go-jose: compact JWS format must have three parts");
        }

        throw Invalid("error verifying token signature: no known key successfully validated the token signature");
    }

    private static bool IsSigned(string algorithm, string pem, byte[] signed, byte[] signature)
    {
        try
        {
            if (algorithm == "RS256")
            {
                using var rsa = RSA.Create();
                rsa.ImportFromPem(pem);
                return rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            }

            using var ec = ECDsa.Create();
            ec.ImportFromPem(pem);
            return algorithm == "ES256" && ec.VerifyData(signed, signature, HashAlgorithmName.SHA256);
        }
        catch (CryptographicException)
        {
            return false; // A key of the other kind.
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void RequireTimes(JsonObject claims, DateTimeOffset now)
    {
        DateTimeOffset? At(string claim) => claims[claim] is { } value ? DateTimeOffset.FromUnixTimeSeconds(value.GetValue<long>()) : null;
        if (At("iat") is null && At("nbf") is null && At("exp") is null) throw Invalid("no issued at (iat), not before (nbf), or expiration time (exp) claims in token");
        if (At("exp") is { } expires && now > expires + Leeway) throw Invalid("invalid expiration time (exp) claim: token is expired");
        if (At("nbf") is { } from && now < from - Leeway) throw Invalid("invalid not before (nbf) claim: token not yet valid");
    }

    private static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";

    private static Refusal Invalid(string why) => Refusal.Of(400, $"error validating token: {why}");
}

/// <summary>What every log-in answers.</summary>
internal static class Login
{
    public static StandInAnswer Answer(Call call, string mount, JsonObject role, IReadOnlyDictionary<string, string> meta, string entity)
    {
        var ttl = Durations.Read(role, "token_ttl") ?? TimeSpan.FromHours(1);
        var token = call.Realm.Tokens.LogIn(mount, role["token_policies"]!.AsArray().Select(policy => policy!.GetValue<string>()), meta, entity, ttl, Durations.Read(role, "token_max_ttl") ?? TimeSpan.FromHours(4));
        return Answers.Json(200, Answers.Envelope(auth: token.Auth(ttl, withToken: true)));
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>The calls under <c>auth/token</c>.</summary>
internal sealed class TokenStore : IEngine
{
    private static readonly HashSet<string> CreateFields =
        ["policies", "meta", "display_name", "ttl", "explicit_max_ttl", "renewable", "no_parent", "no_default_policy", "num_uses", "type", "id", "period", "entity_alias"];

    public string Type => "token";

    public string Accessor { get; } = $"auth_token_{Random.Hex(8)}";

    public bool IsOpen(string path) => false;

    public StandInAnswer? Handle(Call call, string path)
    {
        var segments = path.Split('/');
        return (call.Method, segments) switch
        {
            ("GET", ["lookup-self"]) => Answers.Data(call.Token!.Describe(call.Now, withId: true)),
            ("POST", ["renew-self"]) => Renewed(call, call.Token!, withToken: true),
            ("POST", ["revoke-self"]) => Revoked(call, call.Token!),
            ("POST", ["create"]) => Create(call, null),
            ("POST", ["create", var role]) => Create(call, role),
            ("POST", ["lookup-accessor"]) => Answers.Data(ByAccessor(call).Describe(call.Now, withId: false), Unrecognised(call, ["accessor"])),
            ("POST", ["renew-accessor"]) => Renewed(call, ByAccessor(call), withToken: false),
            ("POST", ["revoke-accessor"]) => RevokeAccessor(call),
            ("LIST", ["accessors"]) => Answers.Data(new JsonObject { ["keys"] = Answers.List(call.Realm.Tokens.All.Select(token => token.Accessor)) }),
            ("POST", ["roles", var role]) => WriteRole(call, role),
            ("GET", ["roles", var role]) => call.Realm.TokenRoles.TryGetValue(role, out var found) ? Answers.Data(found.Describe()) : Answers.Error(404),
            ("DELETE", ["roles", var role]) => call.Realm.TokenRoles.Remove(role) ? Answers.Empty(204) : Answers.Empty(204),
            (_, ["lookup-accessor" or "renew-accessor" or "revoke-accessor"] or ["create"] or ["create", _]) => throw Refusal.Reported(405, "unsupported operation"),
            _ => null,
        };
    }

    private static StandInAnswer Create(Call call, string? roleName)
    {
        var role = roleName is null ? null : call.Realm.TokenRoles.GetValueOrDefault(roleName) ?? throw Refusal.Of(400, $"unknown role {roleName}");
        if (call.Token!.NumUses != 0) throw Refusal.Of(400, "restricted use token cannot generate child tokens");
        var meta = MetaOf(call);
        var root = call.Token.Policies.Contains("root");
        if (call.Flag("no_parent") && !root) throw new Refusal(Answers.Error(403, Answers.Denied));
        var warnings = new List<string>();
        var policies = PoliciesOf(call, role, root);
        var (ttl, explicitMax) = LifeOf(call, role, warnings);
        if (call.Text("id") is { } chosen)
        {
            if (!root) throw Refusal.Of(400, "root or sudo privileges required to specify token id");
            if (call.Realm.Tokens.Find(chosen) is not null) throw Refusal.Of(400, "cannot create a token with a duplicate ID");
            warnings.Add("Supplying a custom ID for the token uses the weaker SHA1 hashing instead of the more secure SHA2-256 HMAC for token obfuscation. SHA1 hashed tokens on the wire leads to less secure lookups.");
        }

        warnings.AddRange(policies.Where(policy => !call.Realm.Policies.Exists(policy)).Select(policy => $"Policy \"{policy}\" does not exist"));
        var batch = (role?.TokenType ?? call.Text("type")) == "batch";
        var path = roleName is null ? "auth/token/create" : $"auth/token/create/{roleName}{(role!.PathSuffix.Length > 0 ? $"/{role.PathSuffix}" : "")}";
        var token = new Token
        {
            Id = call.Text("id") ?? (batch ? $"b.{Random.Text(80)}{call.Realm.Suffix}" : call.Realm.Tokens.NewId()),
            Accessor = batch ? "" : call.Realm.Tokens.NewAccessor(),
            Policies = policies,
            Path = roleName is null ? "auth/token/create" : $"auth/token/create/{roleName}",
            IssueTime = call.Now,
            Meta = meta,
            DisplayName = call.Text("display_name") is { Length: > 0 } display ? $"token-{display}" : "token",
            Role = roleName,
            Parent = call.Token,
            Orphan = role?.Orphan ?? call.Flag("no_parent"),
            Renewable = !batch && (role?.Renewable ?? true) && (call.Body["renewable"] is null || call.Flag("renewable")),
            Type = batch ? "batch" : "service",
            ExplicitMax = explicitMax,
            CreationTtl = ttl,
            LastGrant = ttl,
            NumUses = call.Body["num_uses"]?.GetValue<int>() ?? 0,
            ExpireTime = call.Now + ttl,
            NamespacePath = call.Realm.NamespacePath,
            LeaseId = call.Realm.Tokens.NewLease(path),
        };
        call.Realm.Tokens.Add(token);
        return Answers.Json(200, Answers.Envelope(auth: token.Auth(ttl, withToken: true), warnings: [.. Unrecognised(call, CreateFields), .. warnings]));
    }

    private static Dictionary<string, string>? MetaOf(Call call)
    {
        if (call.Body["meta"] is not JsonObject members) return null;
        if (members.Any(member => member.Value is JsonObject or JsonArray))
            throw Refusal.Of(400, "Field validation failed: error converting input for field \"meta\": decoding failed due to the following error(s):\n\n'[0]' expected type 'string', got unconvertible type 'map[string]interface {}'");
        return members.ToDictionary(member => member.Key, member => member.Value!.GetValueKind() == JsonValueKind.String ? member.Value.GetValue<string>() : member.Value.ToJsonString());
    }

    private static IReadOnlyList<string> PoliciesOf(Call call, TokenRole? role, bool root)
    {
        var asked = call.Texts("policies");
        var withDefault = !call.Flag("no_default_policy") && role?.NoDefaultPolicy != true;
        if (role is { AllowedPolicies.Count: > 0 })
        {
            var wanted = asked.Count == 0 ? role.AllowedPolicies : asked;
            var all = Sorted(wanted, withDefault && !wanted.Contains("root"));
            var allowed = Sorted(role.AllowedPolicies, withDefault);
            if (all.Except(allowed).Any())
                throw Refusal.Of(400, $"token policies ({Go(all)}) must be subset of the role's allowed policies ({Go(allowed)}) or glob policies ([])");
            return all;
        }

        if (!root && asked.Except(call.Token!.Policies).Any()) throw Refusal.Of(400, "child policies must be subset of parent");
        return Sorted(asked.Count == 0 ? call.Token!.Policies : asked, withDefault && !asked.Contains("root"));
    }

    private static IReadOnlyList<string> Sorted(IEnumerable<string> policies, bool withDefault) =>
        [.. (withDefault ? policies.Append("default") : policies).Distinct().Order(StringComparer.Ordinal)];

    private static string Go(IEnumerable<string> items) => $"[{string.Join(' ', items.Select(item => $"\"{item}\""))}]";

    private static (TimeSpan Ttl, TimeSpan ExplicitMax) LifeOf(Call call, TokenRole? role, List<string> warnings)
    {
        var own = Durations.Read(call.Body, "explicit_max_ttl") ?? TimeSpan.Zero;
        var roleMax = role?.TokenExplicitMax ?? TimeSpan.Zero;
        var max = own == TimeSpan.Zero ? roleMax : roleMax == TimeSpan.Zero || own < roleMax ? own : roleMax;
        if (own > TimeSpan.Zero && roleMax > TimeSpan.Zero)
            warnings.Add($"Explicit max TTL specified both during creation call and in role; using the lesser value of {Durations.Seconds(max)} seconds");
        if (max == TimeSpan.Zero) max = Tokens.SystemMax;
        var ttl = Durations.Read(call.Body, "ttl") ?? (max < Tokens.SystemMax ? max : Tokens.SystemMax);
        if (ttl < TimeSpan.Zero) throw Refusal.Of(400, "ttl must be positive");
        if (ttl > max)
        {
            warnings.Add($"TTL of \"{Durations.Show(ttl)}\" exceeded the effective max_ttl of \"{Durations.Show(max)}\"; TTL value is capped accordingly");
            ttl = max;
        }

        return (ttl, own);
    }

    private static Token ByAccessor(Call call)
    {
        var accessor = AccessorOf(call);
        return call.Realm.Tokens.FindByAccessor(accessor) ?? throw Refusal.Reported(400, "invalid accessor");
    }

    private static string AccessorOf(Call call)
    {
        if (call.Body["accessor"] is JsonArray)
            throw Refusal.Of(400, "Field validation failed: error converting input for field \"accessor\": '' expected type 'string', got unconvertible type '[]interface {}'");
        var accessor = call.Text("accessor") is { Length: > 0 } given ? given : throw Refusal.Reported(400, "missing accessor");
        if (accessor.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && accessor[dot..] != call.Realm.Suffix) throw Refusal.Reported(500, "cannot lookup token in different namespace");
        return accessor;
    }

    private static StandInAnswer RevokeAccessor(Call call)
    {
        if (call.Realm.Tokens.FindByAccessor(AccessorOf(call)) is not { } token) return Answers.Data(null, ["No token found with this accessor"]);
        return Revoked(call, token);
    }

    private static StandInAnswer Revoked(Call call, Token token)
    {
        call.Realm.Tokens.Revoke(token);
        return Answers.Empty(204);
    }

    private static StandInAnswer Renewed(Call call, Token token, bool withToken)
    {
        var (granted, warning) = call.Realm.Tokens.Renew(token, Durations.Read(call.Body, "increment", isField: true));
        return Answers.Json(200, Answers.Envelope(auth: token.Auth(granted, withToken), warnings: warning is null ? [] : [warning]));
    }

    private static StandInAnswer WriteRole(Call call, string name)
    {
        var suffix = call.Text("path_suffix") ?? "";
        if (suffix.Length is > 0 and < 3) throw Refusal.Of(400, @"given role path suffix contains invalid characters; must match \w[\w-.]+\w");
        var max = Durations.Read(call.Body, "token_explicit_max_ttl") ?? TimeSpan.Zero;
        call.Realm.TokenRoles[name] = new TokenRole(name)
        {
            AllowedPolicies = call.Texts("allowed_policies"),
            Orphan = call.Flag("orphan"),
            Renewable = call.Body["renewable"] is null || call.Flag("renewable"),
            NoDefaultPolicy = call.Flag("token_no_default_policy"),
            PathSuffix = suffix,
            TokenExplicitMax = max,
            Period = Durations.Read(call.Body, "period") ?? TimeSpan.Zero,
            TokenType = call.Text("token_type") ?? "default-service",
        };
        return max <= Tokens.SystemMax ? Answers.Empty(204) : Answers.Data(
            null,
            [$"Given explicit max TTL of {Durations.Seconds(max)} is greater than system/mount allowed value of {Durations.Seconds(Tokens.SystemMax)} seconds; until this is fixed attempting to create tokens against this role will result in an error"]);
    }

    private static IEnumerable<string> Unrecognised(Call call, IEnumerable<string> known)
    {
        var unknown = call.Body.Select(member => member.Key).Except(known).Order(StringComparer.Ordinal).ToList();
        return unknown.Count == 0 ? [] : [$"Endpoint ignored these unrecognized parameters: [{string.Join(' ', unknown)}]"];
    }
}

using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>The calls under <c>sys</c> that need a token.</summary>
internal sealed class SystemPaths(OpenBao server) : IEngine
{
    public string Type => "system";

    public string Accessor { get; } = $"system_{Random.Hex(8)}";

    public bool IsOpen(string path) => path == "wrapping/lookup";

    public StandInAnswer? Handle(Call call, string path)
    {
        var segments = path.Split('/');
        return (call.Method, segments) switch
        {
            ("POST", ["seal"]) => server.Seal(),
            ("POST", ["policies", "acl", var name]) => WritePolicy(call, name),
            ("POST", ["auth", .. var mount]) => Mount(call.Realm.AuthMounts, string.Join('/', mount), name => MethodFor(call.Text("type")!, name)),
            ("POST", ["mounts", .. var mount]) => Mount(call.Realm.Mounts, string.Join('/', mount), name => server.EngineFor(call.Text("type")!, name)),
            ("GET", ["internal", "ui", "mounts", var mount]) => ShowMount(call, mount),
            ("POST", ["capabilities-self"]) => Capabilities(call),
            ("POST", ["wrapping", "lookup"]) => server.Wrappings.LookUp(call),
            ("POST", ["leases", "lookup"]) => Answers.Data(Found(call).Describe()),
            ("POST", ["leases", "renew"]) => Renew(call),
            ("POST", ["leases", "revoke"]) => Revoke(call),
            ("LIST", ["leases", "lookup", .. var prefix]) => List(call, string.Join('/', prefix)),
            ("POST", ["leases", "revoke-prefix", .. var prefix]) => RevokePrefix(call, string.Join('/', prefix)),
            ("POST", ["leases", "revoke-force", .. var prefix]) => RevokeForce(call, string.Join('/', prefix)),
            ("GET", ["leases"]) => call.Query("type") == "irrevocable" ? Answers.Data(Irrevocable(call)) : Answers.Error(404),
            ("GET", ["leases", "count"]) => call.Query("type") == "irrevocable" ? Answers.Data(CountIrrevocable(call)) : Answers.Error(404),
            (_, ["namespaces", ..] or ["namespaces"]) => server.Namespaces(call, segments.Length > 1 ? segments[1] : null),
            (_, ["quotas", ..]) => server.Quotas.Handle(call, segments),
            _ => null,
        };
    }

    private static StandInAnswer WritePolicy(Call call, string name)
    {
        call.Realm.Policies.Write(name, call.Text("policy")!);
        return Answers.Empty(204);
    }

    private static IEngine MethodFor(string type, string mount) => type == "approle" ? new AppRoleMethod(mount) : new JwtMethod(mount, type);

    private static StandInAnswer Mount(Dictionary<string, IEngine> mounts, string name, Func<string, IEngine> make)
    {
        if (!mounts.TryAdd(name, make(name))) throw Refusal.Of(400, $"path is already in use at {name}/");
        return Answers.Empty(204);
    }

    private static StandInAnswer ShowMount(Call call, string mount)
    {
        if (!call.Realm.Mounts.TryGetValue(mount, out var engine) || !call.Realm.Policies.HasAnyUnder(call.Token!.Policies, $"{mount}/"))
            throw Refusal.Of(403, $"preflight capability check returned 403, please ensure client's policies grant access to path \"{mount}/\"");
        return Answers.Data(new JsonObject
        {
            ["accessor"] = engine.Accessor,
            ["config"] = new JsonObject { ["default_lease_ttl"] = 0, ["force_no_cache"] = false, ["max_lease_ttl"] = 0 },
            ["description"] = "",
            ["external_entropy_access"] = false,
            ["local"] = false,
            ["options"] = new JsonObject(),
            ["path"] = $"{mount}/",
            ["plugin_version"] = "",
            ["running_plugin_version"] = "v2.0.0+builtin.bao",
            ["running_sha256"] = "",
            ["seal_wrap"] = false,
            ["type"] = engine.Type,
            ["uuid"] = Random.Uuid(),
        });
    }

    private static StandInAnswer Capabilities(Call call)
    {
        var single = call.Text("path");
        var paths = single is not null && call.Body["paths"] is null ? [single] : call.Texts("paths");
        if (paths.Count == 0) throw Refusal.Of(400, "paths must be supplied");
        JsonObject Of() => new(paths.Distinct().Select(path => KeyValuePair.Create(path, (JsonNode?)Answers.List(call.Realm.Policies.Capabilities(call.Token!.Policies, path.TrimStart('/'))))));
        var (data, top) = (Of(), Of());
        if (single is not null) data["capabilities"] = data[single]!.DeepClone();
        var answer = Answers.Envelope(data: data);
        if (single is not null) answer["capabilities"] = data["capabilities"]!.DeepClone();
        foreach (var (path, capabilities) in top) answer[path] = capabilities!.DeepClone();
        return Answers.Json(200, answer);
    }

    // A token has a lease of its own, which is looked up like any other.
    private static Finding Found(Call call)
    {
        var id = call.Text("lease_id") is { Length: > 0 } given ? given : throw Refusal.Of(400, "lease_id must be specified");
        if (call.Realm.Leases.Find(id) is { } lease) return new(() => lease.Describe(call.Now), lease, null);
        if (call.Realm.Tokens.All.FirstOrDefault(token => token.LeaseId == id) is { } found)
        {
            JsonObject Describe() => new()
            {
                ["expire_time"] = Durations.Time(found.ExpireTime!.Value),
                ["id"] = id,
                ["issue_time"] = Durations.Time(found.IssueTime),
                ["last_renewal"] = found.LastRenewal is { } renewed ? Durations.Time(renewed) : null,
                ["path"] = id[..id.LastIndexOf('/')],
                ["renewable"] = found.Renewable,
                ["ttl"] = Durations.Seconds(found.ExpireTime.Value - call.Now),
            };
            return new(Describe, null, found);
        }

        return new(() => throw Refusal.Of(400, "invalid lease"), null, null);
    }

    private static StandInAnswer Renew(Call call)
    {
        var increment = Durations.Read(call.Body, "increment", isField: true);
        var lease = Found(call).Lease ?? throw Refusal.Of(400, "lease not found");
        if (lease.RevokeError is not null) throw Refusal.Of(400, "lease is expired and has failed previous revocation attempts");
        if (lease.NextAttempt is not null || lease.ExpireTime <= call.Now) throw Refusal.Of(400, "lease expired");
        if (lease.Extend is null) throw Refusal.Of(400, "lease is not renewable");
        var asked = increment ?? lease.DefaultTtl;
        var max = lease.MaxTtl - (call.Now - lease.IssueTime);
        var granted = asked < max ? asked : max;
        if (lease.Extend(call.Now + granted) is { } error) throw Refusal.Of(400, $"failed to renew entry: resp: (*logical.Response)(nil) err: 1 error occurred:\n\t* {error}\n\n");
        lease.ExpireTime = call.Now + granted;
        lease.LastRenewal = call.Now;
        string[] warnings = asked > granted ? [$"TTL of \"{Durations.Show(asked)}\" exceeded the effective max_ttl of \"{Durations.Show(max)}\"; TTL value is capped accordingly"] : [];
        return Answers.Json(200, Answers.Envelope(warnings: warnings, leaseId: lease.Id, renewable: true, duration: Durations.Seconds(granted)));
    }

    private static StandInAnswer Revoke(Call call)
    {
        var found = Found(call);
        var sync = call.Body["sync"] is null || call.Flag("sync");
        if (found.Token is { } token) call.Realm.Tokens.Revoke(token);
        if (found.Lease is { } lease)
        {
            if (!sync) call.Realm.Leases.Enqueue(lease);
            else if (call.Realm.Leases.Revoke(lease) is { } error) throw Refusal.Of(400, error);
            if (!sync && lease.RevokeError is not null) lease.ExpireTime = call.Now;
        }

        return Answers.Empty(sync ? 204 : 202);
    }

    private static StandInAnswer List(Call call, string prefix)
    {
        var folder = prefix.Length == 0 ? "" : $"{prefix}/";
        string[] keys =
        [
            .. call.Realm.Leases.All.Select(lease => lease.Id).Concat(call.Realm.Tokens.All.Select(token => token.LeaseId))
                .Where(id => id.StartsWith(folder, StringComparison.Ordinal))
                .Select(id => id[folder.Length..]).Select(rest => rest.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? rest[..(slash + 1)] : rest)
                .Distinct().Order(StringComparer.Ordinal),
        ];
        return keys.Length == 0 ? Answers.Error(404) : Answers.Data(new JsonObject { ["keys"] = Answers.List(keys) });
    }

    private static StandInAnswer RevokePrefix(Call call, string prefix)
    {
        var sync = call.Body["sync"] is null || call.Flag("sync");
        foreach (var token in call.Realm.Tokens.All.Where(token => token.LeaseId.StartsWith($"{prefix}/", StringComparison.Ordinal)).ToList()) call.Realm.Tokens.Revoke(token);
        var leases = call.Realm.Leases.All.Where(lease => lease.Id.StartsWith($"{prefix}/", StringComparison.Ordinal)).ToList();
        for (var i = 0; i < leases.Count; i++)
        {
            if (!sync) call.Realm.Leases.Enqueue(leases[i]);
            else if (call.Realm.Leases.Revoke(leases[i]) is { } error) throw Refusal.Of(400, $"failed to revoke \"{leases[i].Id}\" ({i + 1} / {leases.Count}): {error}");
        }

        return Answers.Empty(sync ? 204 : 202);
    }

    // What cannot be undone is forgotten.
    private static StandInAnswer RevokeForce(Call call, string prefix)
    {
        foreach (var lease in call.Realm.Leases.All.Where(lease => lease.Id.StartsWith($"{prefix}/", StringComparison.Ordinal)).ToList())
            if (call.Realm.Leases.Revoke(lease) is not null) call.Realm.Leases.Forget(lease);
        return Answers.Empty(204);
    }

    private static JsonObject Irrevocable(Call call)
    {
        var given = call.Realm.Leases.All.Where(lease => lease.RevokeError is not null).ToList();
        return new JsonObject
        {
            ["lease_count"] = given.Count,
            ["leases"] = new JsonArray([.. given.Select(lease => new JsonObject { ["lease_id"] = lease.Id, ["mount_id"] = lease.MountAccessor, ["error"] = lease.RevokeError!.Length > 240 ? lease.RevokeError[..240] : lease.RevokeError })]),
        };
    }

    private static JsonObject CountIrrevocable(Call call)
    {
        var mounts = call.Realm.Leases.All.Where(lease => lease.RevokeError is not null).GroupBy(lease => lease.MountAccessor).ToList();
        return new JsonObject { ["counts"] = new JsonObject(mounts.Select(mount => KeyValuePair.Create(mount.Key, (JsonNode?)mount.Count()))), ["lease_count"] = mounts.Sum(mount => mount.Count()) };
    }

    private sealed record Finding(Func<JsonObject> Describe, Lease? Lease, Token? Token);
}

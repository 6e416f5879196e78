using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>The database engine, in front of fake databases whose logins are checked for real.</summary>
internal sealed partial class DatabaseEngine(string mount, Func<int, FakeDatabase?> databases) : IEngine
{
    private readonly Dictionary<string, JsonObject> _connections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonObject> _roles = new(StringComparer.Ordinal);

    public string Type => "database";

    public string Accessor { get; } = $"database_{Random.Hex(8)}";

    public bool IsOpen(string path) => false;

    public StandInAnswer? Handle(Call call, string path) => (call.Method, path.Split('/')) switch
    {
        ("POST", ["config", var name]) => Configure(call, name),
        ("GET", ["config", var name]) => _connections.TryGetValue(name, out var connection) ? Answers.Data(Describe(connection)) : Answers.Error(404),
        ("POST", ["roles", var name]) => WriteRole(call, name),
        ("GET", ["roles", var name]) => _roles.TryGetValue(name, out var role) ? Answers.Data(DescribeRole(role)) : Answers.Error(404),
        ("GET", ["creds", var name]) => Issue(call, name),
        _ => null,
    };

    private StandInAnswer Configure(Call call, string name)
    {
        var body = call.Body;
        var port = PortOf(body);
        if (databases(port) is not { Up: true } database)
        {
            throw Refusal.Of(400, $"error creating database object: error verifying connection: failed to connect to `user=bao_admin database=app`: 127.0.0.1:{port} (127.0.0.1): dial error: dial tcp 127.0.0.1:{port}: connect: connection refused");
        }

        if (call.Text("password") != database.AdminPassword)
            throw Refusal.Of(400, $"error creating database object: error verifying connection: failed to connect to `user=bao_admin database=app`: 127.0.0.1:{port} (127.0.0.1): failed SASL auth: FATAL: password authentication failed for user \"bao_admin\" (SQLSTATE 28P01)");
        _connections[name] = body;
        return Answers.Empty(204);
    }

    private static JsonObject Describe(JsonObject connection) => new()
    {
        ["allowed_roles"] = connection["allowed_roles"]!.DeepClone(),
        ["connection_details"] = new JsonObject(new[] { "connection_url", "password_authentication", "username" }.Select(member => KeyValuePair.Create(member, connection[member]?.DeepClone()))),
        ["password_policy"] = "",
        ["plugin_name"] = connection["plugin_name"]!.DeepClone(),
        ["plugin_version"] = "",
        ["root_credentials_rotate_statements"] = new JsonArray(),
    };

    private StandInAnswer WriteRole(Call call, string name)
    {
        _roles[name] = call.Body;
        return Answers.Empty(204);
    }

    private static JsonObject DescribeRole(JsonObject role) => new()
    {
        ["creation_statements"] = role["creation_statements"]?.DeepClone() ?? new JsonArray(),
        ["credential_type"] = "password",
        ["db_name"] = role["db_name"]!.DeepClone(),
        ["default_ttl"] = Durations.Seconds(Durations.Read(role, "default_ttl") ?? TimeSpan.Zero),
        ["max_ttl"] = Durations.Seconds(Durations.Read(role, "max_ttl") ?? TimeSpan.Zero),
        ["renew_statements"] = new JsonArray(),
        ["revocation_statements"] = role["revocation_statements"]?.DeepClone() ?? new JsonArray(),
        ["rollback_statements"] = new JsonArray(),
    };

    private StandInAnswer Issue(Call call, string name)
    {
        var role = _roles.GetValueOrDefault(name) ?? throw Refusal.Of(400, $"unknown role: {name}");
        var connection = _connections[role["db_name"]!.GetValue<string>()];
        if (connection["allowed_roles"]!.AsArray().All(allowed => allowed!.GetValue<string>() is var text && text != name && text != "*")) throw Refusal.Reported(500, $"\"{name}\" is not an allowed role");
        var database = databases(PortOf(connection))!;
        var (defaultTtl, maxTtl) = (Durations.Read(role, "default_ttl") ?? TimeSpan.FromMinutes(5), Durations.Read(role, "max_ttl") ?? TimeSpan.FromDays(1));
        var user = UserFor(connection, call.Token!, name, call.Now);
        var password = $"{Random.Text(10)}-{Random.Text(10)}";
        // The engine leaves the login some seconds more than its lease.
        if (database.Create(user, password, call.Now + defaultTtl + TimeSpan.FromSeconds(5)) is { } error) throw Refusal.Reported(500, error);
        var lease = new Lease
        {
            Id = $"{mount}/creds/{name}/{Random.Text(24)}{call.Realm.Suffix}",
            Path = $"{mount}/creds/{name}",
            Token = call.Token!,
            IssueTime = call.Now,
            ExpireTime = call.Now + defaultTtl,
            MountAccessor = Accessor,
            Undo = () => database.Drop(user),
            Extend = until => database.Extend(user, until + TimeSpan.FromSeconds(5)),
            DefaultTtl = defaultTtl,
            MaxTtl = maxTtl,
        };
        call.Realm.Leases.Add(lease);
        return Answers.Json(200, Answers.Envelope(data: new JsonObject { ["password"] = password, ["username"] = user }, leaseId: lease.Id, renewable: true, duration: Durations.Seconds(defaultTtl)));
    }

    // The default name holds eight characters of the display name, and a random part.
    private static string UserFor(JsonObject connection, Token token, string role, DateTimeOffset now)
    {
        if (connection["username_template"]?.GetValue<string>() is { Length: > 0 }) return token.DisplayName.Length > 63 ? token.DisplayName[..63] : token.DisplayName;
        static string Cut(string text) => text.Length > 8 ? text[..8] : text;
        return $"v-{Cut(token.DisplayName)}-{Cut(role)}-{Random.Text(20)}-{now.ToUnixTimeSeconds()}";
    }

    private static int PortOf(JsonObject connection) => int.Parse(PortPattern().Match(connection["connection_url"]!.GetValue<string>()).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex(@"127\.0\.0\.1:(\d+)")]
    private static partial Regex PortPattern();
}

using System.Text.Json.Nodes;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>A namespace: its own policies, tokens, mounts and leases.</summary>
internal sealed class Realm
{
    public Realm(string path, string id, TimeProvider clock)
    {
        Path = path;
        Id = id;
        Leases = new Leases(clock);
        Tokens = new Tokens(this, clock);
    }

    /// <summary>Without slashes; empty for the root namespace.</summary>
    public string Path { get; }

    public string Id { get; }

    public string Uuid { get; } = Random.Uuid();

    /// <summary>What tokens, accessors and token leases end in.</summary>
    public string Suffix => Path.Length == 0 ? "" : $".{Id}";

    public Policies Policies { get; } = new();

    public Dictionary<string, TokenRole> TokenRoles { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, IEngine> Mounts { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, IEngine> AuthMounts { get; } = new(StringComparer.Ordinal);

    public Tokens Tokens { get; }

    public Leases Leases { get; }

    public bool Tainted { get; set; }

    public string? NamespacePath => Path.Length == 0 ? null : $"{Path}/";

    public JsonObject Describe() => new()
    {
        ["custom_metadata"] = new JsonObject(),
        ["id"] = Id,
        ["locked"] = false,
        ["path"] = $"{Path}/",
        ["tainted"] = Tainted,
        ["uuid"] = Uuid,
    };
}

/// <summary>One call, read and allowed so far.</summary>
/// <param name="Realm">The namespace.</param>
/// <param name="Method">GET, LIST, POST or DELETE; what else there is was made one of these.</param>
/// <param name="Path">The path within the namespace, without a slash at its end for a list.</param>
/// <param name="Body">The body.</param>
/// <param name="Token">The token; null where none is needed.</param>
/// <param name="Now">The server's clock.</param>
/// <param name="Query">A value of the query.</param>
internal sealed record Call(Realm Realm, string Method, string Path, JsonObject Body, Token? Token, DateTimeOffset Now, Func<string, string?> Query)
{
    public string? Text(string member) => Body[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : Body[member]?.ToJsonString();

    public IReadOnlyList<string> Texts(string member) => Body[member] switch
    {
        JsonArray items => [.. items.Select(item => item!.GetValue<string>())],
        JsonValue value => value.GetValue<string>().Split(',', StringSplitOptions.RemoveEmptyEntries),
        _ => [],
    };

    public bool Flag(string member) => Body[member] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;
}

/// <summary>A mounted secrets engine or auth method.</summary>
internal interface IEngine
{
    /// <summary>What it is a mount of.</summary>
    string Type { get; }

    /// <summary>The accessor of the mount.</summary>
    string Accessor { get; }

    /// <summary>Whether this path below the mount needs no token.</summary>
    bool IsOpen(string path);

    /// <summary>Answers a call; the path is that below the mount. Null: there is no such path.</summary>
    TestSupport.StandIns.StandInAnswer? Handle(Call call, string path);
}

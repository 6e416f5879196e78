using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Providers.Vault.Client;

/// <summary>One call. Not a record: its body may hold a secret.</summary>
internal sealed class VaultCall
{
    private VaultCall(HttpMethod method, string path, byte[]? body)
    {
        Method = method;
        Path = path;
        Body = body;
    }

    public HttpMethod Method { get; }

    /// <summary>The path below <c>/v1/</c>.</summary>
    public string Path { get; }

    public byte[]? Body { get; }

    /// <summary>The query, without its question mark.</summary>
    public string Query { get; init; } = "";

    /// <summary>Asks for the answer to be wrapped for so long.</summary>
    public TimeSpan? WrapFor { get; init; }

    /// <summary>It reaches a secrets engine's own backend, whose failure is not the cluster's.</summary>
    public bool ReachesEngine { get; init; }

    /// <summary>Its answer may be large: a list.</summary>
    public bool IsList { get; init; }

    public static VaultCall Get(string path, string query = "", bool reachesEngine = false) => new(HttpMethod.Get, path, null) { Query = query, ReachesEngine = reachesEngine };

    public static VaultCall List(string path) => new(HttpMethod.Get, path, null) { Query = "list=true", IsList = true };

    public static VaultCall Post<T>(string path, T body, JsonTypeInfo<T> type, TimeSpan? wrapFor = null, bool reachesEngine = false) =>
        new(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(body, type)) { WrapFor = wrapFor, ReachesEngine = reachesEngine };

    public static VaultCall Post(string path, byte[] body, bool reachesEngine = false) => new(HttpMethod.Post, path, body) { ReachesEngine = reachesEngine };
}

/// <summary>What came back. Not a record: its answer may hold a secret.</summary>
internal sealed class VaultReply(VaultCall call, int status, VaultAnswer answer, byte[] body, DateTimeOffset at, TimeSpan? retryAfter)
{
    public VaultCall Call { get; } = call;

    public int Status { get; } = status;

    public VaultAnswer Answer { get; } = answer;

    /// <summary>The body, for the few answers without an envelope.</summary>
    public byte[] Body { get; } = body;

    /// <summary>When it was answered, by the target's own clock where it says so.</summary>
    public DateTimeOffset At { get; } = at;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    public bool Succeeded => Status is >= 200 and < 300;

    public string Errors => Answer.Errors is { Count: > 0 } errors ? string.Join("; ", errors) : "";

    public bool Says(string words) => Errors.Contains(words, StringComparison.OrdinalIgnoreCase);

    /// <summary>The token itself is bad: a right that is missing is said in more words.</summary>
    public bool RefusesToken => Status == 403 && Answer.Errors is [var only] && only.Trim() == "permission denied";

    /// <summary>The data, read as this type.</summary>
    /// <exception cref="Abstractions.ProviderException">It is not of the type.</exception>
    public T Data<T>(JsonTypeInfo<T> type)
    {
        try
        {
            if (Answer.Data is { ValueKind: JsonValueKind.Object } data && data.Deserialize(type) is { } value) return value;
        }
        catch (JsonException)
        {
            throw Faults.Unintelligible(Call);
        }

        throw Faults.Unintelligible(Call);
    }
}

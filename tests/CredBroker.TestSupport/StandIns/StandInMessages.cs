using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.TestSupport.StandIns;

/// <summary>What a stand-in was asked.</summary>
/// <param name="Method">The method, also one of the target's own such as LIST.</param>
/// <param name="Host">The Host header, lower-case and without the port: which of several services this is for.</param>
/// <param name="Target">Path and query exactly as they were sent.</param>
/// <param name="Headers">The headers, by name without regard to case; several of a name are joined by a comma.</param>
/// <param name="Body">The body's bytes.</param>
public sealed record StandInRequest(string Method, string Host, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>The path as it was sent, without the query.</summary>
    public string Path => Target.Split('?', 2)[0];

    /// <summary>The query without its question mark; empty if there is none.</summary>
    public string Query => Target.Split('?', 2) is [_, var query] ? query : "";

    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>A header; null if it was not sent.</summary>
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>A value of the query, unescaped; null if it is not there.</summary>
    public string? QueryValue(string name) => Pairs(Query).FirstOrDefault(pair => pair.Key == name).Value;

    /// <summary>The body as a form (<c>application/x-www-form-urlencoded</c>).</summary>
    public IReadOnlyDictionary<string, string> Form() => Pairs(Text).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    private static IEnumerable<KeyValuePair<string, string>> Pairs(string text) =>
        text.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).Select(pair => KeyValuePair.Create(Unescape(pair[0]), pair.Length > 1 ? Unescape(pair[1]) : ""));

    private static string Unescape(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}

/// <summary>What a stand-in answers.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">The body's bytes; empty for none.</param>
/// <param name="ContentType">The body's type; null for none.</param>
public sealed record StandInAnswer(int Status, byte[] Body, string? ContentType)
{
    /// <summary>Further headers.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>No body.</summary>
    public static StandInAnswer Empty(int status, string? contentType = null) => new(status, [], contentType);

    /// <summary>A JSON body.</summary>
    public static StandInAnswer Json(int status, JsonNode? body, string contentType = "application/json") => new(status, JsonSerializer.SerializeToUtf8Bytes(body), contentType);

    /// <summary>A body of any other sort.</summary>
    public static StandInAnswer Of(int status, string body, string contentType) => new(status, Encoding.UTF8.GetBytes(body), contentType);

    /// <summary>The same with another header.</summary>
    public StandInAnswer With(string header, string value) => this with { Headers = new Dictionary<string, string>(Headers) { [header] = value } };
}

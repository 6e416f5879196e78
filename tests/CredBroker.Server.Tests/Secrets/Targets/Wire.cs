using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Server.Tests.Secrets.Targets;

/// <summary>Every secret that goes to a stand-in or comes from it, by the names that the targets' protocols give them.</summary>
internal sealed class Wire(Func<StandInRequest, StandInAnswer> answer)
{
    private readonly ConcurrentDictionary<string, byte> _secrets = new(StringComparer.Ordinal);

    // Members of JSON, elements of XML and fields of forms. A key vault's and KV's own are called value.
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "client_token", "token", "secret_id", "jwt", "password", "private_key", "value", "secretText", "access_token", "client_secret", "client_assertion",
        "SecretAccessKey", "SessionToken", "WebIdentityToken",
    };

    public IReadOnlyCollection<string> Secrets => [.. _secrets.Keys];

    /// <summary>Answers as the stand-in does.</summary>
    public StandInAnswer Answer(StandInRequest request)
    {
        Learn(request);
        var answered = answer(request);
        foreach (var secret in InBody(answered.ContentType ?? "", answered.Text)) Learn(secret);
        return answered;
    }

    /// <summary>Also of a request that met a fault instead.</summary>
    public void Learn(StandInRequest request)
    {
        string?[] headers = [request.Header("X-Vault-Token"), request.Header("X-Amz-Security-Token"), .. OfAuthorization(request.Header("Authorization"))];
        foreach (var secret in headers.OfType<string>().Concat(InBody(request.Header("Content-Type") ?? "", request.Text))) Learn(secret);
    }

    // What is shorter would be found by chance.
    private void Learn(string secret)
    {
        if (secret.Length >= 16) _secrets.TryAdd(secret, 0);
    }

    private static IEnumerable<string> OfAuthorization(string? header)
    {
        if (header is null || !AuthenticationHeaderValue.TryParse(header, out var value) || value.Parameter is not { } parameter) return [];
        return value.Scheme == "Bearer" ? [parameter] : [parameter[(parameter.LastIndexOf('=') + 1)..]]; // A signature is good for minutes.
    }

    private static IEnumerable<string> InBody(string type, string text)
    {
        if (text.Length == 0) return [];
        if (type.Contains("form", StringComparison.Ordinal))
            return text.Split('&').Select(pair => pair.Split('=', 2)).Where(pair => Names.Contains(pair[0])).Select(pair => Uri.UnescapeDataString(pair[^1]));
        try
        {
            return type.Contains("json", StringComparison.Ordinal) ? InJson("", JsonNode.Parse(text)) : type.Contains("xml", StringComparison.Ordinal) ? InXml(text) : [];
        }
        catch (Exception e) when (e is JsonException or XmlException)
        {
            return [];
        }
    }

    private static IEnumerable<string> InXml(string text) =>
        XDocument.Parse(text).Descendants().Where(element => !element.HasElements && Names.Contains(element.Name.LocalName)).Select(element => element.Value);

    private static IEnumerable<string> InJson(string name, JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => InJson(member.Key, member.Value)),
        JsonArray items => items.SelectMany(item => InJson("", item)),
        JsonValue value when Names.Contains(name) && value.TryGetValue<string>(out var text) => [text],
        _ => [],
    };
}

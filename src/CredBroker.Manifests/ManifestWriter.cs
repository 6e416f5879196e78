using System.Text.Json.Nodes;
using CredBroker.Manifests.Reading;
using CredBroker.Manifests.Yaml;
using Google.Protobuf;

namespace CredBroker.Manifests;

/// <summary>Writes resources as manifests, and any message as YAML.</summary>
public static class ManifestWriter
{
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default);

    /// <summary>A resource as a manifest: applied back, it changes nothing.</summary>
    /// <param name="resource">A message of an administered kind.</param>
    /// <param name="withStatus">Also what the broker sets, under <c>status</c>, which is ignored when it's applied.</param>
    public static string Write(IMessage resource, bool withStatus = true)
    {
        var kind = ResourceKind.Of(resource);
        var fields = JsonNode.Parse(Json.Format(resource))!.AsObject();
        var document = new JsonObject { ["kind"] = kind.Name, ["name"] = ResourceKind.NameOf(resource) };
        document["spec"] = Pick(fields, MessageReader.Settable(kind.Descriptor).Select(field => field.JsonName));
        if (withStatus && Pick(fields, MessageReader.OutputOnly(kind.Descriptor).Select(field => field.JsonName)) is { Count: > 0 } status) document["status"] = status;
        return YamlWriter.Write(document);
    }

    /// <summary>Resources as documents of one file.</summary>
    public static string WriteAll(IEnumerable<IMessage> resources, bool withStatus = true) =>
        string.Join("---\n", resources.Select(resource => Write(resource, withStatus)));

    /// <summary>Any message as YAML, with the names and values of its JSON.</summary>
    public static string WriteMessage(IMessage message) => YamlWriter.Write(JsonNode.Parse(Json.Format(message)));

    private static JsonObject Pick(JsonObject from, IEnumerable<string> names)
    {
        var picked = new JsonObject();
        foreach (var name in names)
        {
            if (from.Remove(name, out var value)) picked[name] = value;
        }

        return picked;
    }
}

using System.Text.Json;

namespace CredBroker.Cedar.Tests.Conformance;

/// <summary>One case: policies, schema, entities, and requests.</summary>
internal sealed class CorpusCase
{
    private readonly string _root;
    private readonly JsonElement _json;

    public CorpusCase(string root, string file)
    {
        _root = root;
        Name = Path.GetRelativePath(root, file);
        _json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        Policies = PolicySet.Parse(Read("policies"), Name).OrThrow();
        Schema = Schema.Parse(Read("schema"), Name).OrThrow();
        Entities = CedarJson.ParseEntities(Read("entities"), Schema, Name).OrThrow();
    }

    public string Name { get; }

    public PolicySet Policies { get; }

    public Schema Schema { get; }

    public EntityStore Entities { get; }

    public bool ShouldValidate => _json.GetProperty("shouldValidate").GetBoolean();

    public IEnumerable<CorpusRequest> Requests => _json.GetProperty("requests").EnumerateArray().Select(r => new CorpusRequest(
        r.GetProperty("description").GetString()!,
        new Request(Uid(r, "principal"), Uid(r, "action"), Uid(r, "resource"),
            CedarJson.ParseContext(r.GetProperty("context").GetRawText(), Schema, Uid(r, "action")).OrThrow()),
        r.GetProperty("decision").GetString() == "allow" ? Decision.Allow : Decision.Deny,
        Strings(r, "reason"), Strings(r, "errors")));

    private static EntityUid Uid(JsonElement request, string name)
    {
        var uid = request.GetProperty(name);
        return new EntityUid(uid.GetProperty("type").GetString()!, uid.GetProperty("id").GetString()!);
    }

    private static string[] Strings(JsonElement request, string name) =>
        [.. request.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];

    private string Read(string property) => File.ReadAllText(Path.Combine(_root, _json.GetProperty(property).GetString()!));
}

internal sealed record CorpusRequest(string Description, Request Request, Decision Decision, string[] Reasons, string[] Errors)
{
    public bool IsAnsweredBy(Response response) => response.Decision == Decision
        && response.Determining.Select(p => p.Id).Order().SequenceEqual(Reasons.Order())
        && response.Errors.Select(e => e.Policy.Id).Order().SequenceEqual(Errors.Order());
}

using System.Collections.Immutable;
using System.Text.Json;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Reads JSON policies and templates.</summary>
internal sealed class PolicyJsonReader(JsonShape shape)
{
    private readonly SourceLocation _at = new(shape.File, 1, 1);

    public PolicySet ReadSet(JsonElement json)
    {
        var path = JsonPath.Root;
        shape.ExpectNames(json, path, ["staticPolicies", "templates", "templateLinks"]);
        var policies = ReadMany(json, "staticPolicies", isTemplate: false).Concat(ReadMany(json, "templates", isTemplate: true)).ToImmutableArray();
        shape.ThrowIfWrong();
        if (policies.Length > TextLimits.MaxPolicies)
            throw shape.Wrong(path, $"the set has more than {TextLimits.MaxPolicies} policies");
        return new PolicySet(policies).TryLink(ReadLinks(json), out var error) ?? throw shape.Wrong(path, error!);
    }

    public Policy Read(string id, JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["effect", "principal", "action", "resource", "conditions", "annotations"]);
        var policy = new Policy
        {
            Id = id,
            Effect = ReadEffect(shape.Required(json, "effect", path), path.Child("effect")),
            Annotations = ReadAnnotations(json, path.Child("annotations")),
            Principal = ReadScope("?principal", shape.Required(json, "principal", path), path.Child("principal")),
            Action = ReadActionScope(shape.Required(json, "action", path), path.Child("action")),
            Resource = ReadScope("?resource", shape.Required(json, "resource", path), path.Child("resource")),
            Conditions = ReadConditions(shape.Required(json, "conditions", path), path.Child("conditions")),
            Location = _at,
            Text = "",
        };
        return policy.WithText(PolicyWriter.Write(policy));
    }

    private IEnumerable<Policy> ReadMany(JsonElement json, string name, bool isTemplate)
    {
        if (!json.TryGetProperty(name, out var many))
            yield break;
        var path = JsonPath.Root.Child(name);
        shape.Expect(many, JsonValueKind.Object, path);
        foreach (var member in many.EnumerateObject())
        {
            var policy = shape.Many(() => Read(member.Name, member.Value, path.Child(member.Name)));
            if (policy is null)
                continue;
            if (policy.IsTemplate != isTemplate)
                throw shape.Wrong(path.Child(member.Name), isTemplate ? "a template has at least one slot" : "a policy has no slots; with slots it is a template");
            yield return policy;
        }
    }

    private IEnumerable<TemplateLink> ReadLinks(JsonElement json)
    {
        if (!json.TryGetProperty("templateLinks", out var links))
            return [];
        var path = JsonPath.Root.Child("templateLinks");
        shape.Expect(links, JsonValueKind.Array, path);
        return links.EnumerateArray().Select((link, i) => ReadLink(link, path.At(i)));
    }

    private TemplateLink ReadLink(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["templateId", "newId", "values"]);
        var values = shape.Required(json, "values", path);
        shape.ExpectNames(values, path.Child("values"), ["?principal", "?resource"]);
        EntityUid? Value(string slot) =>
            values.TryGetProperty(slot, out var uid) ? new JsonValueReader(shape).ReadUid(uid, path.Child("values").Child(slot)) : null;
        return new TemplateLink(shape.Text(shape.Required(json, "templateId", path), path.Child("templateId")),
            shape.Text(shape.Required(json, "newId", path), path.Child("newId")), Value("?principal"), Value("?resource"));
    }

    private Effect ReadEffect(JsonElement json, JsonPath path) => shape.Text(json, path) switch
    {
        "permit" => Effect.Permit,
        "forbid" => Effect.Forbid,
        _ => throw shape.Wrong(path, "expected \"permit\" or \"forbid\""),
    };

    private ImmutableArray<Annotation> ReadAnnotations(JsonElement json, JsonPath path)
    {
        if (!json.TryGetProperty("annotations", out var annotations))
            return [];
        shape.Expect(annotations, JsonValueKind.Object, path);
        return [.. annotations.EnumerateObject().Select(a => ReadAnnotation(a, path))];
    }

    private Annotation ReadAnnotation(JsonProperty annotation, JsonPath path)
    {
        if (!Names.IsIdentifier(annotation.Name))
            throw shape.Wrong(path, $"{Quoting.Quote(annotation.Name)} is no annotation's name");
        var value = annotation.Value.ValueKind == JsonValueKind.Null ? "" : shape.Text(annotation.Value, path.Child(annotation.Name));
        return new Annotation(annotation.Name, value, _at);
    }

    private EntityScope ReadScope(string slot, JsonElement json, JsonPath path)
    {
        switch (Operator(json, path))
        {
            case "All":
                shape.ExpectNames(json, path, ["op"]);
                return new EntityScope.Any();
            case "==":
                shape.ExpectNames(json, path, ["op", "entity", "slot"]);
                return new EntityScope.Equal(ReadReference(slot, json, path), _at);
            case "in":
                shape.ExpectNames(json, path, ["op", "entity", "slot"]);
                return new EntityScope.In(ReadReference(slot, json, path), _at);
            case "is":
                return ReadTypeScope(slot, json, path);
            default:
                throw shape.Wrong(path.Child("op"), "expected \"All\", \"==\", \"in\" or \"is\"");
        }
    }

    private EntityScope ReadTypeScope(string slot, JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["op", "entity_type", "in"]);
        var type = shape.TypeName(shape.Required(json, "entity_type", path), path.Child("entity_type"));
        if (!json.TryGetProperty("in", out var within))
            return new EntityScope.Is(type, _at);
        shape.ExpectNames(within, path.Child("in"), ["entity", "slot"]);
        return new EntityScope.IsIn(type, _at, ReadReference(slot, within, path.Child("in")), _at);
    }

    // Null stands for the slot.
    private EntityUid? ReadReference(string slot, JsonElement json, JsonPath path)
    {
        var hasEntity = json.TryGetProperty("entity", out var entity);
        if (hasEntity == json.TryGetProperty("slot", out var given))
            throw shape.Wrong(path, "expected either 'entity' or 'slot'");
        if (hasEntity)
            return new JsonValueReader(shape).ReadUid(entity, path.Child("entity"));
        return shape.Text(given, path.Child("slot")) == slot ? null : throw shape.Wrong(path.Child("slot"), $"the slot here is {slot}");
    }

    private ActionScope ReadActionScope(JsonElement json, JsonPath path)
    {
        switch (Operator(json, path))
        {
            case "All":
                shape.ExpectNames(json, path, ["op"]);
                return new ActionScope.Any();
            case "==":
                shape.ExpectNames(json, path, ["op", "entity"]);
                return new ActionScope.Equal(ReadAction(shape.Required(json, "entity", path), path.Child("entity")), _at);
            case "in" when json.TryGetProperty("entities", out var many):
                shape.ExpectNames(json, path, ["op", "entities"]);
                shape.Expect(many, JsonValueKind.Array, path.Child("entities"));
                return new ActionScope.In([.. many.EnumerateArray().Select((a, i) => (ReadAction(a, path.Child("entities").At(i)), _at))], IsList: true);
            case "in":
                shape.ExpectNames(json, path, ["op", "entity"]);
                return new ActionScope.In([(ReadAction(shape.Required(json, "entity", path), path.Child("entity")), _at)], IsList: false);
            default:
                throw shape.Wrong(path.Child("op"), "expected \"All\", \"==\" or \"in\"");
        }
    }

    private string Operator(JsonElement json, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Object, path);
        return shape.Text(shape.Required(json, "op", path), path.Child("op"));
    }

    private EntityUid ReadAction(JsonElement json, JsonPath path)
    {
        var uid = new JsonValueReader(shape).ReadUid(json, path);
        return uid.IsAction ? uid : throw shape.Wrong(path, $"{uid} is no action: its type is not Action");
    }

    private ImmutableArray<PolicyCondition> ReadConditions(JsonElement json, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Array, path);
        return [.. json.EnumerateArray().Select((c, i) => ReadCondition(c, path.At(i)))];
    }

    private PolicyCondition ReadCondition(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["kind", "body"]);
        var isUnless = shape.Text(shape.Required(json, "kind", path), path.Child("kind")) switch
        {
            "when" => false,
            "unless" => true,
            _ => throw shape.Wrong(path.Child("kind"), "expected \"when\" or \"unless\""),
        };
        return new PolicyCondition(isUnless, new ExpressionJsonReader(shape, _at).Read(shape.Required(json, "body", path), path.Child("body")));
    }
}

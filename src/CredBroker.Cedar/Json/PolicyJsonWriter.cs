using System.Text.Json;

namespace CredBroker.Cedar;

/// <summary>Writes policies and policy sets.</summary>
internal sealed class PolicyJsonWriter(Utf8JsonWriter json)
{
    public void Write(PolicySet set)
    {
        json.WriteStartObject();
        WriteMany("staticPolicies", set.Policies.Where(p => p.Link is null));
        WriteMany("templates", set.Templates);
        json.WriteStartArray("templateLinks");
        foreach (var link in set.Policies.Select(p => p.Link).OfType<TemplateLink>())
            Write(link);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public void Write(Policy policy)
    {
        json.WriteStartObject();
        json.WriteString("effect", policy.Effect == Effect.Permit ? "permit" : "forbid");
        json.WritePropertyName("principal");
        Write("?principal", policy.Principal);
        json.WritePropertyName("action");
        Write(policy.Action);
        json.WritePropertyName("resource");
        Write("?resource", policy.Resource);
        json.WriteStartArray("conditions");
        foreach (var condition in policy.Conditions)
        {
            json.WriteStartObject();
            json.WriteString("kind", condition.IsUnless ? "unless" : "when");
            json.WritePropertyName("body");
            new ExpressionJsonWriter(json).Write(condition.Body);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (!policy.Annotations.IsEmpty)
        {
            json.WriteStartObject("annotations");
            foreach (var annotation in policy.Annotations)
                json.WriteString(annotation.Name, annotation.Value);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private void WriteMany(string name, IEnumerable<Policy> policies)
    {
        json.WriteStartObject(name);
        foreach (var policy in policies)
        {
            json.WritePropertyName(policy.Id);
            Write(policy);
        }
        json.WriteEndObject();
    }

    private void Write(TemplateLink link)
    {
        json.WriteStartObject();
        json.WriteString("templateId", link.TemplateId);
        json.WriteString("newId", link.Id);
        json.WriteStartObject("values");
        if (link.Principal is not null)
            WriteEntity("?principal", link.Principal);
        if (link.Resource is not null)
            WriteEntity("?resource", link.Resource);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Write(string slot, EntityScope scope)
    {
        json.WriteStartObject();
        switch (scope)
        {
            case EntityScope.Equal s:
                json.WriteString("op", "==");
                WriteReference(slot, s.Entity);
                break;
            case EntityScope.In s:
                json.WriteString("op", "in");
                WriteReference(slot, s.Entity);
                break;
            case EntityScope.Is s:
                json.WriteString("op", "is");
                json.WriteString("entity_type", s.Type);
                break;
            case EntityScope.IsIn s:
                json.WriteString("op", "is");
                json.WriteString("entity_type", s.Type);
                json.WriteStartObject("in");
                WriteReference(slot, s.Entity);
                json.WriteEndObject();
                break;
            default:
                json.WriteString("op", "All");
                break;
        }
        json.WriteEndObject();
    }

    private void WriteReference(string slot, EntityUid? entity)
    {
        if (entity is null)
            json.WriteString("slot", slot);
        else
            WriteEntity("entity", entity);
    }

    private void Write(ActionScope scope)
    {
        json.WriteStartObject();
        switch (scope)
        {
            case ActionScope.Equal s:
                json.WriteString("op", "==");
                WriteEntity("entity", s.Action);
                break;
            case ActionScope.In { IsList: false } s:
                json.WriteString("op", "in");
                WriteEntity("entity", s.Actions[0].Action);
                break;
            case ActionScope.In s:
                json.WriteString("op", "in");
                json.WriteStartArray("entities");
                foreach (var (action, _) in s.Actions)
                    new ValueJsonWriter(json).WriteUid(action);
                json.WriteEndArray();
                break;
            default:
                json.WriteString("op", "All");
                break;
        }
        json.WriteEndObject();
    }

    private void WriteEntity(string name, EntityUid uid)
    {
        json.WritePropertyName(name);
        new ValueJsonWriter(json).WriteUid(uid);
    }
}

using System.Text.Json;

namespace CredBroker.Cedar;

/// <summary>Writes values and entities, so that they read back without a schema.</summary>
internal sealed class ValueJsonWriter(Utf8JsonWriter json)
{
    public void Write(CedarValue value)
    {
        switch (value)
        {
            case CedarBool b:
                json.WriteBooleanValue(b.Value);
                break;
            case CedarLong l:
                json.WriteNumberValue(l.Value);
                break;
            case CedarString s:
                json.WriteStringValue(s.Value);
                break;
            case EntityUid uid:
                json.WriteStartObject();
                json.WritePropertyName("__entity");
                WriteUid(uid);
                json.WriteEndObject();
                break;
            case CedarSet set:
                json.WriteStartArray();
                foreach (var element in set.Elements)
                    Write(element);
                json.WriteEndArray();
                break;
            case CedarRecord record:
                WriteRecord(record);
                break;
            default:
                WriteExtension(value);
                break;
        }
    }

    public void WriteRecord(CedarRecord record)
    {
        json.WriteStartObject();
        foreach (var (name, value) in record.Attributes.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            json.WritePropertyName(name);
            Write(value);
        }
        json.WriteEndObject();
    }

    public void WriteUid(EntityUid uid)
    {
        json.WriteStartObject();
        json.WriteString("type", uid.Type);
        json.WriteString("id", uid.Id);
        json.WriteEndObject();
    }

    public void Write(Entity entity)
    {
        json.WriteStartObject();
        json.WritePropertyName("uid");
        WriteUid(entity.Uid);
        json.WritePropertyName("attrs");
        WriteRecord(entity.Attributes);
        json.WriteStartArray("parents");
        foreach (var parent in entity.Parents)
            WriteUid(parent);
        json.WriteEndArray();
        if (entity.Tags.Attributes.Count > 0)
        {
            json.WritePropertyName("tags");
            WriteRecord(entity.Tags);
        }
        json.WriteEndObject();
    }

    private void WriteExtension(CedarValue value)
    {
        json.WriteStartObject();
        json.WriteStartObject("__extn");
        switch (value)
        {
            case CedarIpAddress ip:
                WriteCall("ip", ip.ToLiteral());
                break;
            case CedarDecimal number:
                WriteCall("decimal", number.ToLiteral());
                break;
            case CedarDuration duration:
                WriteCall("duration", duration.ToLiteral());
                break;
            case CedarDatetime { Literal: { } literal }:
                WriteCall("datetime", literal);
                break;
            case CedarDatetime far:
                // There is no literal for a time so far away.
                json.WriteString("fn", "offset");
                json.WriteStartArray("args");
                WriteExtension(new CedarDatetime(0));
                WriteExtension(new CedarDuration(far.Milliseconds));
                json.WriteEndArray();
                break;
            default:
                throw new InvalidOperationException($"{value.TypeName} has no JSON format");
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteCall(string function, string argument)
    {
        json.WriteString("fn", function);
        json.WriteString("arg", argument);
    }
}

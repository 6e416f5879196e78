using System.Globalization;
using CredBroker.Contracts;
using CredBroker.Contracts.V1;
using Google.Protobuf.Reflection;
using Microsoft.OpenApi;

namespace CredBroker.AspNetCore.OpenApi;

/// <summary>Messages as JSON Schemas, each once in the document's components.</summary>
internal sealed class MessageSchemas(OpenApiDocument document)
{
    public IOpenApiSchema Reference(string name) => new OpenApiSchemaReference(name, document);

    public IOpenApiSchema OfMessage(MessageDescriptor message)
    {
        if (WellKnown(message) is { } known) return known;
        var name = NameOf(message);
        if (document.Components!.Schemas!.ContainsKey(name)) return Reference(name);
        var schema = new OpenApiSchema { Type = JsonSchemaType.Object, Description = Comments.Of(message.Declaration), AdditionalPropertiesAllowed = false };
        document.AddComponent(name, (IOpenApiSchema)schema);
        schema.Properties = message.Fields.InDeclarationOrder().ToDictionary(field => field.JsonName, field => OfField(field, described: true));
        var required = message.Fields.InDeclarationOrder().Where(field => ContractDescriptors.RulesOf(field)?.Required ?? false).Select(field => field.JsonName).ToHashSet();
        if (required.Count > 0) schema.Required = required;
        return Reference(name);
    }

    public IOpenApiSchema OfField(FieldDescriptor field, bool described)
    {
        var rules = ContractDescriptors.RulesOf(field);
        var schema = field.IsMap ? Map(field, rules) : field.IsRepeated ? List(field, rules) : Single(field, rules);
        if (!described) return schema;
        var (description, readOnly) = (Comments.Of(field.Declaration), ContractDescriptors.IsOutputOnly(field));
        switch (schema)
        {
            case OpenApiSchema own:
                own.Description = description;
                own.ReadOnly = readOnly;
                break;
            case OpenApiSchemaReference reference:
                reference.Description = description;
                reference.ReadOnly = readOnly;
                break;
        }

        return schema;
    }

    private OpenApiSchema Map(FieldDescriptor field, Rules? rules)
    {
        var map = new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = Single(field.MessageType.FindFieldByNumber(2), rules) };
        if (rules is { MaxItems: > 0 }) map.MaxProperties = rules.MaxItems;
        if (rules?.Keys is { } keys) map.PropertyNames = Limit(new OpenApiSchema { Type = JsonSchemaType.String }, keys);
        return map;
    }

    private OpenApiSchema List(FieldDescriptor field, Rules? rules)
    {
        var list = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Single(field, rules) };
        if (rules is { MinItems: > 0 }) list.MinItems = rules.MinItems;
        if (rules is { MaxItems: > 0 }) list.MaxItems = rules.MaxItems;
        return list;
    }

    private IOpenApiSchema Single(FieldDescriptor field, Rules? rules) => field.FieldType switch
    {
        FieldType.Message => OfMessage(field.MessageType),
        FieldType.Enum => OfEnum(field.EnumType),
        FieldType.Bool => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        FieldType.String => Limit(new OpenApiSchema { Type = JsonSchemaType.String }, rules),
        FieldType.Bytes => new OpenApiSchema { Type = JsonSchemaType.String, Format = "byte" },
        // JSON readers lose precision beyond 53 bits.
        FieldType.Int64 or FieldType.UInt64 => new OpenApiSchema { Type = JsonSchemaType.String, Format = "int64" },
        FieldType.Int32 or FieldType.UInt32 => Limit(new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" }, rules),
        _ => new OpenApiSchema { Type = JsonSchemaType.Number },
    };

    private IOpenApiSchema OfEnum(EnumDescriptor type)
    {
        var name = type.ContainingType is { } outer ? NameOf(outer) + type.Name : type.Name;
        if (!document.Components!.Schemas!.ContainsKey(name))
        {
            document.AddComponent(name, (IOpenApiSchema)new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Description = Comments.Of(type.Declaration) + "\n\n" + string.Join('\n', type.Values.Select(value => $"- `{value.Name}`: {Comments.Of(value.Declaration)}")),
                Enum = [.. type.Values.Select(value => (System.Text.Json.Nodes.JsonNode)value.Name)],
            });
        }

        return Reference(name);
    }

    private static OpenApiSchema Limit(OpenApiSchema schema, Rules? rules)
    {
        if (rules is null) return schema;
        if (rules.MinLen > 0) schema.MinLength = rules.MinLen;
        if (rules.MaxLen > 0) schema.MaxLength = rules.MaxLen;
        if (rules.Pattern.Length > 0) schema.Pattern = $"^(?:{rules.Pattern})$";
        if (rules.HasMin) schema.Minimum = rules.Min.ToString(CultureInfo.InvariantCulture);
        if (rules.HasMax) schema.Maximum = rules.Max.ToString(CultureInfo.InvariantCulture);
        return schema;
    }

    private static string NameOf(MessageDescriptor message) => message.ContainingType is { } outer ? NameOf(outer) + message.Name : message.Name;

    private static OpenApiSchema? WellKnown(MessageDescriptor message) => message.FullName switch
    {
        "google.protobuf.Timestamp" => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
        "google.protobuf.Duration" => new OpenApiSchema { Type = JsonSchemaType.String, Pattern = @"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$" },
        "google.protobuf.FieldMask" => new OpenApiSchema { Type = JsonSchemaType.String },
        "google.protobuf.Struct" => new OpenApiSchema { Type = JsonSchemaType.Object },
        "google.protobuf.Empty" => new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalPropertiesAllowed = false },
        _ => null,
    };
}

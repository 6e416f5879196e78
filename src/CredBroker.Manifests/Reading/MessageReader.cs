using System.Collections;
using CredBroker.Contracts;
using CredBroker.Manifests.Yaml;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Manifests.Reading;

/// <summary>Fills a contract message from a mapping, driven by its descriptor. Names are those of JSON.</summary>
internal static class MessageReader
{
    /// <summary>The fields of a message that people set.</summary>
    public static IReadOnlyList<FieldDescriptor> Settable(MessageDescriptor message) =>
        [.. message.Fields.InDeclarationOrder().Where(field => !ContractDescriptors.IsOutputOnly(field) && field.Name is not ("name" or "etag"))];

    /// <summary>The fields of a resource that the broker sets: they may stand under <c>status</c>, and are ignored.</summary>
    public static IReadOnlyList<FieldDescriptor> OutputOnly(MessageDescriptor message) =>
        [.. message.Fields.InDeclarationOrder().Where(field => ContractDescriptors.IsOutputOnly(field) || field.Name == "etag")];

    /// <summary>Fills the message.</summary>
    public static void Fill(IMessage message, YamlMap map, string path, IReadOnlyList<FieldDescriptor> fields, ErrorList errors)
    {
        foreach (var entry in map.Entries)
        {
            var at = $"{path}.{entry.Key}";
            var field = fields.FirstOrDefault(field => field.JsonName == entry.Key);
            if (field is null) errors.Add(entry.KeyMark, at, $"There is no such key.{Spelling.Suggest(entry.Key, [.. fields.Select(f => f.JsonName)])}");
            else if (field.IsMap) FillMap((IDictionary)field.Accessor.GetValue(message), field, entry.Value, at, errors);
            else if (field.IsRepeated) FillList((IList)field.Accessor.GetValue(message), field, entry.Value, at, errors);
            else if (ReadOne(field, entry.Value, at, errors) is { } value) field.Accessor.SetValue(message, value);
        }

        RuleCheck.Check(message, map, path, fields, errors);
    }

    private static object? ReadOne(FieldDescriptor field, YamlNode node, string path, ErrorList errors)
    {
        if (node is YamlMap map && field.FieldType == FieldType.Message && !IsScalarMessage(field.MessageType))
        {
            if (field.MessageType == Struct.Descriptor) return StructReader.Read(map, path, errors);
            var message = (IMessage)Activator.CreateInstance(field.MessageType.ClrType)!;
            Fill(message, map, path, [.. field.MessageType.Fields.InDeclarationOrder()], errors);
            return message;
        }

        if (node is not YamlScalar scalar)
        {
            errors.Add(node, path, "One value is expected.");
            return null;
        }

        var (value, error) = ScalarReader.Read(field, scalar);
        if (error.Length > 0) errors.Add(node, path, error);
        return value;
    }

    private static void FillList(IList into, FieldDescriptor field, YamlNode node, string path, ErrorList errors)
    {
        if (node is not YamlList list)
        {
            errors.Add(node, path, "A list is expected.");
            return;
        }

        for (var i = 0; i < list.Items.Count; i++)
        {
            if (ReadOne(field, list.Items[i], $"{path}[{i}]", errors) is { } item) into.Add(item);
        }
    }

    private static void FillMap(IDictionary into, FieldDescriptor field, YamlNode node, string path, ErrorList errors)
    {
        if (node is not YamlMap map)
        {
            errors.Add(node, path, "A mapping is expected.");
            return;
        }

        var valueField = field.MessageType.FindFieldByNumber(2);
        foreach (var entry in map.Entries)
        {
            if (ReadOne(valueField, entry.Value, $"{path}.{entry.Key}", errors) is { } value) into[entry.Key] = value;
        }
    }

    private static bool IsScalarMessage(MessageDescriptor message) => message == Duration.Descriptor || message == Timestamp.Descriptor;
}

using System.Collections.Concurrent;
using Google.Protobuf.Reflection;

namespace CredBroker.AspNetCore.Json;

/// <summary>The names by which JSON may call a message's fields: lowerCamelCase, or as in the .proto file.</summary>
internal static class JsonNames
{
    private static readonly ConcurrentDictionary<MessageDescriptor, Dictionary<string, FieldDescriptor>> Cache = new();

    public static FieldDescriptor? Find(MessageDescriptor message, string name) => Of(message).GetValueOrDefault(name);

    public static IEnumerable<string> Of(MessageDescriptor message, Func<FieldDescriptor, bool> which) =>
        message.Fields.InDeclarationOrder().Where(which).Select(field => field.JsonName);

    private static Dictionary<string, FieldDescriptor> Of(MessageDescriptor message) => Cache.GetOrAdd(message, static descriptor =>
    {
        var names = new Dictionary<string, FieldDescriptor>(StringComparer.Ordinal);
        foreach (var field in descriptor.Fields.InDeclarationOrder()) names[field.JsonName] = names[field.Name] = field;
        return names;
    });
}

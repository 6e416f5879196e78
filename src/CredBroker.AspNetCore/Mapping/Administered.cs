using System.Globalization;
using CredBroker.Core.Registry;
using Google.Protobuf;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>What all administered resources have in common, by the names that the contract gives it in each of them.</summary>
internal static class Administered
{
    /// <summary>Fills the common fields in.</summary>
    public static T WithEntry<T>(this T resource, string name, RegistryEntry entry)
        where T : IMessage
    {
        Set(resource, "name", name);
        Set(resource, "uid", entry.Uid.ToString());
        Set(resource, "etag", EtagOf(entry));
        Set(resource, "version", entry.Version);
        Set(resource, "create_time", entry.CreatedAt.ToProto());
        Set(resource, "update_time", entry.UpdatedAt.ToProto());
        Set(resource, "managed_by", entry.ManagedBy);
        return resource;
    }

    /// <summary>The etag of an entry: no two states of any two resources share one. Of the uid alone the first characters would not do, for they are a time.</summary>
    public static string EtagOf(RegistryEntry entry) => string.Create(CultureInfo.InvariantCulture, $"{entry.Uid}-{entry.Version}");

    private static void Set(IMessage message, string field, object value) => message.Descriptor.FindFieldByName(field).Accessor.SetValue(message, value);
}

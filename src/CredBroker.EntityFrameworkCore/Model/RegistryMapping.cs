using CredBroker.Core.Registry;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>Between a resource and its row.</summary>
internal static class RegistryMapping
{
    public static RegistryRow ToRow(RegistryEntry entry) => new()
    {
        Uid = entry.Uid,
        Kind = entry.Kind,
        Name = entry.Name,
        ParentUid = entry.ParentUid,
        Version = entry.Version,
        SpecJson = entry.SpecJson,
        ManagedBy = entry.ManagedBy,
        TargetIdentity = entry.TargetIdentity,
        CreatedAt = entry.CreatedAt,
        UpdatedAt = entry.UpdatedAt,
        DeletedAt = entry.DeletedAt,
    };

    public static RegistryEntry ToEntry(RegistryRow row) => new()
    {
        Uid = row.Uid,
        Kind = row.Kind,
        Name = row.Name,
        ParentUid = row.ParentUid,
        Version = row.Version,
        SpecJson = row.SpecJson,
        ManagedBy = row.ManagedBy,
        TargetIdentity = row.TargetIdentity,
        CreatedAt = row.CreatedAt,
        UpdatedAt = row.UpdatedAt,
        DeletedAt = row.DeletedAt,
    };
}

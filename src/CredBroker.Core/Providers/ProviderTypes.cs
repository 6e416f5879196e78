using CredBroker.Abstractions;

namespace CredBroker.Core.Providers;

/// <summary>The provider types of this process, by name.</summary>
public sealed class ProviderTypes
{
    private readonly Dictionary<string, IProviderType> _types = new(StringComparer.Ordinal);

    /// <summary>Takes the registered types.</summary>
    /// <exception cref="InvalidOperationException">Two have the same name.</exception>
    public ProviderTypes(IEnumerable<IProviderType> types)
    {
        ArgumentNullException.ThrowIfNull(types);
        foreach (var type in types)
            if (!_types.TryAdd(type.Name, type)) throw new InvalidOperationException($"There are two provider types named {type.Name}.");
    }

    /// <summary>All of them, by name.</summary>
    public IEnumerable<IProviderType> All => _types.Values.OrderBy(type => type.Name, StringComparer.Ordinal);

    /// <summary>One; null if there is none.</summary>
    public IProviderType? Find(string name) => _types.GetValueOrDefault(name);

    /// <summary>A role kind of a type; null if there is none.</summary>
    public static RoleKind? FindKind(IProviderType type, string kind)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.RoleKinds.FirstOrDefault(candidate => candidate.Name == kind);
    }
}

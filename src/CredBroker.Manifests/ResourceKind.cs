using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace CredBroker.Manifests;

/// <summary>A kind of administered resource. The order of <see cref="All"/> is the one in which they can be created.</summary>
public sealed class ResourceKind
{
    private readonly Regex _name;

    private ResourceKind(MessageDescriptor descriptor, string collection, string? child = null)
    {
        Descriptor = descriptor;
        Collection = collection;
        Child = child;
        var segment = "[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?";
        _name = new($@"\A{collection}/{segment}{(child is null ? "" : $"/{child}/{segment}")}\z", RegexOptions.NonBacktracking);
    }

    /// <summary>Whom the broker trusts.</summary>
    public static ResourceKind IdentitySource { get; } = new(Contracts.V1.IdentitySource.Descriptor, "identitySources");

    /// <summary>Connections to targets.</summary>
    public static ResourceKind Provider { get; } = new(Contracts.V1.Provider.Descriptor, "providers");

    /// <summary>What may be asked for.</summary>
    public static ResourceKind Role { get; } = new(Contracts.V1.Role.Descriptor, "providers", "roles");

    /// <summary>Orchestrators' signals.</summary>
    public static ResourceKind Hook { get; } = new(Contracts.V1.Hook.Descriptor, "hooks");

    /// <summary>Policies.</summary>
    public static ResourceKind PolicySet { get; } = new(Contracts.V1.PolicySet.Descriptor, "policySets");

    /// <summary>All kinds: what is referred to comes before what refers to it.</summary>
    public static IReadOnlyList<ResourceKind> All { get; } = [IdentitySource, Provider, Role, Hook, PolicySet];

    /// <summary>Its name in a manifest's <c>kind</c>, such as <c>IdentitySource</c>.</summary>
    public string Name => Descriptor.Name;

    /// <summary>The message's descriptor.</summary>
    public MessageDescriptor Descriptor { get; }

    /// <summary>The first part of its resources' names, such as <c>identitySources</c>.</summary>
    public string Collection { get; }

    /// <summary>For a kind below another: the third part of its resources' names, such as <c>roles</c>.</summary>
    public string? Child { get; }

    /// <summary>The kind with that name, or null.</summary>
    public static ResourceKind? Find(string name) => All.FirstOrDefault(kind => kind.Name == name);

    /// <summary>The kind of a message.</summary>
    /// <exception cref="ArgumentException">It's not one of an administered resource.</exception>
    public static ResourceKind Of(IMessage resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return All.FirstOrDefault(kind => kind.Descriptor == resource.Descriptor)
            ?? throw new ArgumentException($"{resource.Descriptor.Name} is not administered by manifests.");
    }

    /// <summary>The resource's name of a message.</summary>
    public static string NameOf(IMessage resource) => Text(resource, "name");

    /// <summary>The resource's etag of a message.</summary>
    public static string EtagOf(IMessage resource) => Text(resource, "etag");

    /// <summary>Whether that is a full name of a resource of this kind.</summary>
    public bool IsName(string name) => _name.IsMatch(name);

    /// <summary>The full name for what people write: the full name itself, or its last part where that is enough.</summary>
    public string FullName(string name) => Child is null && !name.Contains('/', StringComparison.Ordinal) ? $"{Collection}/{name}" : name;

    /// <summary>The last part of a full name.</summary>
    public static string IdOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name[(name.LastIndexOf('/') + 1)..];
    }

    /// <summary>The name of the resource above, such as a role's provider; empty for one at the top.</summary>
    public static string ParentOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var parts = name.Split('/');
        return parts.Length < 4 ? "" : string.Join('/', parts[..^2]);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static string Text(IMessage resource, string field)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return (string)resource.Descriptor.FindFieldByName(field).Accessor.GetValue(resource);
    }
}

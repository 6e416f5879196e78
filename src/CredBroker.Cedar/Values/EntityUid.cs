using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>The name of an entity: its type and its id, such as <c>Shop::User::"alice"</c>. Also the value that refers to the entity.</summary>
public sealed class EntityUid : CedarValue, IEquatable<EntityUid>
{
    private readonly int _hash;

    /// <summary>Names an entity.</summary>
    /// <param name="type">The whole type name: identifiers joined by <c>::</c>.</param>
    /// <param name="id">Any text.</param>
    /// <exception cref="ArgumentException">The type is no type name.</exception>
    public EntityUid(string type, string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (!Names.IsPath(type))
            throw new ArgumentException($"{Quoting.Quote(type)} is no entity type name", nameof(type));
        (Type, Id) = (type, id);
        _hash = HashCode.Combine(type.GetHashCode(StringComparison.Ordinal), id.GetHashCode(StringComparison.Ordinal));
    }

    /// <summary>The whole type name, such as <c>Shop::User</c>.</summary>
    public string Type { get; }

    /// <summary>The id within the type.</summary>
    public string Id { get; }

    /// <inheritdoc/>
    public override string TypeName => $"entity {Type}";

    /// <summary>Whether the type's last name is <c>Action</c>, which is reserved for actions.</summary>
    public bool IsAction => Names.IsActionType(Type);

    /// <inheritdoc/>
    public bool Equals(EntityUid? other) => ReferenceEquals(this, other) || (other is not null && other._hash == _hash
        && string.Equals(other.Id, Id, StringComparison.Ordinal) && string.Equals(other.Type, Type, StringComparison.Ordinal));

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) => Equals(other as EntityUid);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public override string ToString() => $"{Type}::{Quoting.Quote(Id)}";
}

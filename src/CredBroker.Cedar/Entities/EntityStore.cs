using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace CredBroker.Cedar;

/// <summary>The entities that a decision can look at, with their hierarchy. Immutable; safe for use by many threads.</summary>
public sealed class EntityStore
{
    /// <summary>The store without entities.</summary>
    public static readonly EntityStore Empty = new([]);

    private static readonly HashSet<EntityUid> NoAncestors = [];

    private readonly Dictionary<EntityUid, Entity> _entities;
    private readonly ConcurrentDictionary<EntityUid, HashSet<EntityUid>> _ancestors = new();

    private EntityStore(Dictionary<EntityUid, Entity> entities) => _entities = entities;

    /// <summary>The entities, in no order that matters.</summary>
    public IReadOnlyCollection<Entity> Entities => _entities.Values;

    /// <summary>A store of the given entities. Parents need not be among them.</summary>
    /// <exception cref="ArgumentException">An entity is given twice, or is in itself by way of its parents.</exception>
    public static EntityStore Create(IEnumerable<Entity> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        var byUid = new Dictionary<EntityUid, Entity>();
        foreach (var entity in entities)
        {
            if (!byUid.TryAdd(entity.Uid, entity))
                throw new ArgumentException($"the entity {entity.Uid} is given twice", nameof(entities));
        }
        if (Hierarchy.FindCycle(byUid.Keys, uid => byUid.TryGetValue(uid, out var e) ? e.Parents : []) is { } uid)
            throw new ArgumentException($"the entity {uid} is in itself by way of its parents", nameof(entities));
        return new EntityStore(byUid);
    }

    /// <summary>The entity of that name, if it is in the store.</summary>
    public bool TryGet(EntityUid uid, [NotNullWhen(true)] out Entity? entity) => _entities.TryGetValue(uid, out entity);

    /// <summary>Whether <paramref name="uid"/> is <paramref name="ancestor"/> or in it, directly or by way of parents.</summary>
    public bool IsIn(EntityUid uid, EntityUid ancestor)
    {
        if (uid.Equals(ancestor))
            return true;
        if (!_entities.TryGetValue(uid, out var entity) || entity.Parents.IsEmpty)
            return false;
        return entity.Parents.Contains(ancestor) || AncestorsOf(uid).Contains(ancestor);
    }

    /// <summary>All that the entity is in, without itself.</summary>
    internal HashSet<EntityUid> AncestorsOf(EntityUid uid)
    {
        if (!_entities.TryGetValue(uid, out var entity) || entity.Parents.IsEmpty)
            return NoAncestors;
        return _ancestors.GetOrAdd(uid, static (uid, entities) =>
            Hierarchy.Ancestors(uid, u => entities.TryGetValue(u, out var e) ? e.Parents : []), _entities);
    }
}

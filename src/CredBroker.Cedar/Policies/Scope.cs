using System.Collections.Immutable;

namespace CredBroker.Cedar;

/// <summary>What a policy's scope demands of the principal or of the resource.</summary>
public abstract record EntityScope
{
    private EntityScope() { }

    /// <summary>Nothing.</summary>
    public sealed record Any : EntityScope;

    /// <summary><c>== entity</c></summary>
    /// <param name="Entity">The entity; null where the template has its slot.</param>
    /// <param name="Location">Where it stands.</param>
    public sealed record Equal(EntityUid? Entity, SourceLocation Location) : EntityScope;

    /// <summary><c>in entity</c></summary>
    /// <param name="Entity">The entity; null where the template has its slot.</param>
    /// <param name="Location">Where it stands.</param>
    public sealed record In(EntityUid? Entity, SourceLocation Location) : EntityScope;

    /// <summary><c>is type</c></summary>
    /// <param name="Type">The type's whole name.</param>
    /// <param name="Location">Where it stands.</param>
    public sealed record Is(string Type, SourceLocation Location) : EntityScope;

    /// <summary><c>is type in entity</c></summary>
    /// <param name="Type">The type's whole name.</param>
    /// <param name="TypeLocation">Where the type stands.</param>
    /// <param name="Entity">The entity; null where the template has its slot.</param>
    /// <param name="Location">Where the entity stands.</param>
    public sealed record IsIn(string Type, SourceLocation TypeLocation, EntityUid? Entity, SourceLocation Location) : EntityScope;

    /// <summary>The scope with the entity in its slot, if it has one.</summary>
    internal EntityScope Fill(EntityUid? entity) => this switch
    {
        Equal { Entity: null } s => s with { Entity = entity },
        In { Entity: null } s => s with { Entity = entity },
        IsIn { Entity: null } s => s with { Entity = entity },
        _ => this,
    };

    internal bool HasSlot => this is Equal { Entity: null } or In { Entity: null } or IsIn { Entity: null };

    internal bool Matches(EntityUid uid, EntityStore entities) => this switch
    {
        Any => true,
        Equal s => uid.Equals(s.Entity),
        In s => s.Entity is not null && entities.IsIn(uid, s.Entity),
        Is s => uid.Type == s.Type,
        IsIn s => uid.Type == s.Type && s.Entity is not null && entities.IsIn(uid, s.Entity),
        _ => false,
    };
}

/// <summary>What a policy's scope demands of the action.</summary>
public abstract record ActionScope
{
    private ActionScope() { }

    /// <summary>Nothing.</summary>
    public sealed record Any : ActionScope;

    /// <summary><c>== action</c></summary>
    /// <param name="Action">The action.</param>
    /// <param name="Location">Where it stands.</param>
    public sealed record Equal(EntityUid Action, SourceLocation Location) : ActionScope;

    /// <summary><c>in action</c> or <c>in [actions]</c></summary>
    /// <param name="Actions">The actions or groups, each with its place.</param>
    /// <param name="IsList">Whether they are written as a list.</param>
    public sealed record In(ImmutableArray<(EntityUid Action, SourceLocation Location)> Actions, bool IsList) : ActionScope;

    internal bool Matches(EntityUid action, EntityStore entities)
    {
        switch (this)
        {
            case Any:
                return true;
            case Equal s:
                return action.Equals(s.Action);
            case In s:
                foreach (var (group, _) in s.Actions)
                {
                    if (entities.IsIn(action, group))
                        return true;
                }
                return false;
            default:
                return false;
        }
    }
}

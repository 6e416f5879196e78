using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>What a policy does when it applies.</summary>
public enum Effect
{
    /// <summary>Allows, unless something forbids.</summary>
    Permit,

    /// <summary>Denies, whatever permits.</summary>
    Forbid,
}

/// <summary><c>@name("value")</c></summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value; empty if none is written.</param>
/// <param name="Location">Where the <c>@</c> stands.</param>
public sealed record Annotation(string Name, string Value, SourceLocation Location);

/// <summary>A <c>when</c> or <c>unless</c>.</summary>
/// <param name="IsUnless">Whether the policy applies only when the expression is false.</param>
/// <param name="Body">The expression.</param>
public sealed record PolicyCondition(bool IsUnless, Expr Body);

/// <summary>One policy, ready to be evaluated. Immutable.</summary>
public sealed class Policy
{
    internal Policy() { }

    /// <summary>The name it has in its set: <c>policy0</c>, <c>policy1</c>, … in the order of the text, unless a prefix was asked for.</summary>
    public required string Id { get; init; }

    /// <summary>Permit or forbid.</summary>
    public required Effect Effect { get; init; }

    /// <summary>The annotations in the order of the text; names are distinct.</summary>
    public required ImmutableArray<Annotation> Annotations { get; init; }

    /// <summary>What the scope demands of the principal.</summary>
    public required EntityScope Principal { get; init; }

    /// <summary>What the scope demands of the action.</summary>
    public required ActionScope Action { get; init; }

    /// <summary>What the scope demands of the resource.</summary>
    public required EntityScope Resource { get; init; }

    /// <summary>The conditions in order; all must hold.</summary>
    public required ImmutableArray<PolicyCondition> Conditions { get; init; }

    /// <summary>Where it starts, annotations included.</summary>
    public required SourceLocation Location { get; init; }

    /// <summary>Its text, from the first annotation to the semicolon.</summary>
    public required string Text { get; init; }

    /// <summary>The template that it was made from; null for a policy that was written out.</summary>
    public TemplateLink? Link { get; init; }

    /// <summary>Whether it has slots. A template decides nothing by itself.</summary>
    public bool IsTemplate => Principal.HasSlot || Resource.HasSlot;

    /// <summary>The annotation of that name, or null.</summary>
    public Annotation? FindAnnotation(string name)
    {
        foreach (var annotation in Annotations)
        {
            if (string.Equals(annotation.Name, name, StringComparison.Ordinal))
                return annotation;
        }
        return null;
    }

    internal Policy WithText(string text) => With(Conditions, text);

    /// <summary>The same policy with other conditions.</summary>
    internal Policy With(ImmutableArray<PolicyCondition> conditions) => With(conditions, Text);

    private Policy With(ImmutableArray<PolicyCondition> conditions, string text) => new()
    {
        Id = Id,
        Effect = Effect,
        Annotations = Annotations,
        Principal = Principal,
        Action = Action,
        Resource = Resource,
        Conditions = conditions,
        Location = Location,
        Text = text,
        Link = Link,
    };

    /// <summary>Whether the policy applies; null when evaluating it failed.</summary>
    internal bool? Applies(Evaluation evaluation)
    {
        var request = evaluation.Request;
        if (!Action.Matches(request.Action, evaluation.Entities) || !Principal.Matches(request.Principal, evaluation.Entities)
            || !Resource.Matches(request.Resource, evaluation.Entities))
        {
            return false;
        }
        foreach (var condition in Conditions)
        {
            if (!evaluation.Pay(condition.Body.Location, condition.Body.Size))
                return null;
            if (evaluation.Bool(condition.Body) is not { } value)
                return null;
            if (value.Value == condition.IsUnless)
                return false;
        }
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => PolicyWriter.Write(this);
}

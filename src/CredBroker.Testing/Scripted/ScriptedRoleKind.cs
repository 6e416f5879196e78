using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Scripted;

/// <summary>The template of a scripted role.</summary>
public sealed record ScriptedTemplate
{
    /// <summary>What the credential may be used for: ASCII letters, digits, <c>-</c>, and placeholders.</summary>
    public string Scope { get; init; } = "";

    /// <summary>Whether it takes two steps, with the handle journalled between them.</summary>
    public bool TwoSteps { get; init; }

    /// <summary>Whether it can make further credentials.</summary>
    public bool Mints { get; init; }

    /// <summary>What revoking means.</summary>
    public RevocabilityKind Revocability { get; init; } = RevocabilityKind.DeletesAndCutsSessions;

    /// <summary>The document that denies the credentials of this role; null where each stands alone.</summary>
    public string? Group { get; init; }

    /// <summary>How many the document has room for.</summary>
    public int GroupCapacity { get; init; } = 50;

    /// <summary>Whether issuing needs the document to itself, too.</summary>
    public bool GuardsIssue { get; init; }

    /// <summary>A fault of the provider's code: the group that it declares has no name.</summary>
    public bool MisdeclaresGroup { get; init; }
}

/// <summary>The one role kind of the scripted provider: a name and a password.</summary>
public sealed class ScriptedRoleKind : RoleKind<ScriptedTemplate>
{
    internal const string KindName = "scripted";

    /// <inheritdoc/>
    public override string Name => KindName;

    /// <inheritdoc/>
    public override string Description => "A name and a password at a target in memory.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["username", "password"];

    /// <summary>A template, as a role holds it.</summary>
    public static JsonElement Template(ScriptedTemplate? template = null) => Document<ScriptedTemplate>.Write(template ?? new());

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(ScriptedTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        if (template.Scope.Length > 200 || !template.Scope.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '{' or '}' or '_'))
            yield return new ValidationError("scope", "A scope has at most 200 ASCII letters, digits and hyphens.");
        if (template.Group is { } group && (group.Length is 0 or > 100 || !group.All(char.IsAsciiLetterOrDigit)))
            yield return new ValidationError("group", "A group has 1 to 100 ASCII letters and digits.");
        if (template.GroupCapacity is < 1 or > ExclusiveGroup.MostCapacity)
            yield return new ValidationError("groupCapacity", "A document has room for 1 to 10,000.");
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(ScriptedTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        var residual = template.Revocability == RevocabilityKind.DeletesAndCutsSessions ? "" : "What was opened before lives on.";
        return new Revocability(template.Revocability, TimeSpan.Zero, residual);
    }

    /// <inheritdoc/>
    protected override ExclusiveGroup? ExclusiveGroupOf(ScriptedTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.Group is { } name ? new ExclusiveGroup(template.MisdeclaresGroup ? "" : name, template.GroupCapacity, template.GuardsIssue) : null;
    }

    /// <inheritdoc/>
    protected override bool CanMint(ScriptedTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.Mints;
    }
}

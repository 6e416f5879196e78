using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Roles;

/// <summary>Which stored value is read, and what of it is handed out.</summary>
public sealed record KeyValueTemplate
{
    /// <summary>Where the KV engine (version 2) is mounted.</summary>
    public string Mount { get; init; } = "secret";

    /// <summary>The secret's path below the mount, such as <c>app/api</c>.</summary>
    public required string Path { get; init; }

    /// <summary>The version; the newest if it is left out.</summary>
    public int? Version { get; init; }

    /// <summary>The policies of the token that reads it and is never handed out: 1 to 20.</summary>
    public required IReadOnlyList<string> Policies { get; init; }

    /// <summary>The token role that this token is made through; the first of the provider's configuration if it is left out.</summary>
    public string? TokenRole { get; init; }

    /// <summary>The keys of the secret that are handed out.</summary>
    public IReadOnlyList<string> Fields { get; init; } = ["value"];
}

/// <summary>A stored value, handed out for a task: it cannot be invalidated.</summary>
public sealed class KeyValueRoleKind : RoleKind<KeyValueTemplate>
{
    /// <summary>The role kind's name.</summary>
    internal const string KindName = "kv-read";

    /// <inheritdoc/>
    public override string Name => KindName;

    /// <inheritdoc/>
    public override string Description => "A value stored in a KV engine, version 2. It cannot be invalidated: at the end it is only not read again.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["value"];

    /// <inheritdoc/>
    protected override IReadOnlyList<string> CredentialFieldsOf(KeyValueTemplate template) => template?.Fields ?? CredentialFields;

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(KeyValueTemplate template) => Check(template, mayHavePlaceholders: true);

    internal static IEnumerable<ValidationError> Check(KeyValueTemplate template, bool mayHavePlaceholders)
    {
        foreach (var error in TemplateRules.Policies(template.Policies, template.TokenRole, mayHavePlaceholders)) yield return error;
        foreach (var error in TemplateRules.Path("mount", template.Mount, mayHavePlaceholders: false)) yield return error;
        foreach (var error in TemplateRules.Path("path", template.Path, mayHavePlaceholders)) yield return error;
        foreach (var error in TemplateRules.Fields(template.Fields)) yield return error;
        if (template.Version is < 1) yield return new("version", "Versions count from 1.");
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(KeyValueTemplate template) =>
        new(RevocabilityKind.ExpiresOnly, TimeSpan.Zero, "The value cannot be invalidated: whoever has read it keeps it until it is changed where it is used.");

    /// <inheritdoc/>
    protected override string DestinationOf(KeyValueTemplate template) => template is null ? "" : $"{template.Mount}/{template.Path}";
}

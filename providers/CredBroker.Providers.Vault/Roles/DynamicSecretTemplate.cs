using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Roles;

/// <summary>How a dynamic secret is asked for.</summary>
public enum SecretMethod
{
    /// <summary>GET: most engines' <c>creds</c>.</summary>
    Read = 1,

    /// <summary>POST: engines that take parameters, such as <c>pki/issue</c> and <c>ssh/sign</c>.</summary>
    Write = 2,
}

/// <summary>Which dynamic secret is read, and what of it is handed out.</summary>
public sealed record DynamicSecretTemplate
{
    /// <summary>The engine's path, such as <c>database/creds/app</c>.</summary>
    public required string Path { get; init; }

    /// <summary>The policies of the token that reads it and is never handed out: 1 to 20.</summary>
    public required IReadOnlyList<string> Policies { get; init; }

    /// <summary>The token role that this token is made through; the first of the provider's configuration if it is left out.</summary>
    public string? TokenRole { get; init; }

    /// <summary>How it is asked for.</summary>
    public SecretMethod Method { get; init; } = SecretMethod.Read;

    /// <summary>What is sent with it, where the method is <c>write</c>: up to 20 members.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>The member of the body that says how long it shall live, such as <c>ttl</c>; the broker fills it in, in seconds.</summary>
    public string? LifeParameter { get; init; }

    /// <summary>The members of the answer that are handed out; whatever else it holds stays behind.</summary>
    public IReadOnlyList<string> Fields { get; init; } = ["username", "password"];

    /// <summary>
    /// Whether the engine gives it a lease, which revokes it. Without one (SSH, PKI without <c>generate_lease</c>) it lasts until its own end, and
    /// <c>lifeParameter</c> is required.
    /// </summary>
    public bool Leased { get; init; } = true;
}

/// <summary>A secret that an engine makes for one task.</summary>
public sealed class DynamicSecretRoleKind : RoleKind<DynamicSecretTemplate>
{
    /// <summary>The role kind's name.</summary>
    internal const string KindName = "dynamic-secret";

    /// <inheritdoc/>
    public override string Name => KindName;

    /// <inheritdoc/>
    public override string Description => "A secret that an engine makes, such as a database login or a certificate, read with a token of its own.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["username", "password"];

    /// <inheritdoc/>
    protected override IReadOnlyList<string> CredentialFieldsOf(DynamicSecretTemplate template) => template?.Fields ?? CredentialFields;

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(DynamicSecretTemplate template) => Check(template, mayHavePlaceholders: true);

    internal static IEnumerable<ValidationError> Check(DynamicSecretTemplate template, bool mayHavePlaceholders)
    {
        foreach (var error in TemplateRules.Policies(template.Policies, template.TokenRole, mayHavePlaceholders)) yield return error;
        foreach (var error in TemplateRules.Path("path", template.Path, mayHavePlaceholders)) yield return error;
        foreach (var error in TemplateRules.Fields(template.Fields)) yield return error;
        if (IsBeyondEngines(template.Path)) yield return new("path", "This is no secrets engine's path: sys, auth, identity and cubbyhole are not read from.");
        if (template.Parameters.Count > 20) yield return new("parameters", "Give at most 20.");
        foreach (var (name, value) in template.Parameters)
        {
            if (!Names.IsSegment(name)) yield return new($"parameters.{(name.Length > 32 ? name[..32] : name)}", Names.SegmentRule);
            else if (value.Length > 4096 || value.Any(character => char.IsControl(character) || IsInvisible(character)))
                yield return new($"parameters.{name}", "This has at most 4096 printable characters.");
        }

        if (template.Method == SecretMethod.Read && (template.Parameters.Count > 0 || template.LifeParameter is not null))
            yield return new("method", "Parameters are sent only where the method is write.");
        if (template.LifeParameter is { } life && !Names.IsSegment(life)) yield return new("lifeParameter", Names.SegmentRule);
        else if (template.LifeParameter is { } given && template.Parameters.ContainsKey(given)) yield return new("lifeParameter", "The broker fills this member in: it is not to be given as a parameter, too.");
        if (!template.Leased && template.LifeParameter is null)
            yield return new("lifeParameter", "What has no lease must be given an end when it is made.");
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(DynamicSecretTemplate template) => template is { Leased: false }
        ? new(RevocabilityKind.ExpiresOnly, TimeSpan.Zero, "It has no lease: it is good until its own end, whoever has it.")
        : new(RevocabilityKind.Deletes, TimeSpan.Zero, "Sessions that it opened may live on: most engines' revocation does not end them.");

    /// <inheritdoc/>
    protected override string DestinationOf(DynamicSecretTemplate template) => template?.Path ?? "";

    private static bool IsBeyondEngines(string path) => path.Split('/')[0].ToLowerInvariant() is "sys" or "auth" or "identity" or "cubbyhole";

    private static bool IsInvisible(char character) =>
        char.GetUnicodeCategory(character) is System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.Surrogate;
}

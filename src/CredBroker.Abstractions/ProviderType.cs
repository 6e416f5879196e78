using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Abstractions;

/// <summary>The usual base of a provider type: its configuration is a record, and the schema and the strict reading are made from it.</summary>
/// <typeparam name="TConfiguration">An immutable record whose nullability and <c>required</c> members are the schema.</typeparam>
public abstract class ProviderType<TConfiguration> : IProviderType
    where TConfiguration : class
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract string Description { get; }

    /// <inheritdoc/>
    public virtual char NameSeparator => '-';

    /// <inheritdoc/>
    public virtual bool Local => false;

    /// <inheritdoc/>
    public abstract TimeSpan LateEffect { get; }

    /// <inheritdoc/>
    public abstract IReadOnlyList<RoleKind> RoleKinds { get; }

    /// <inheritdoc/>
    public JsonNode ConfigurationSchema => Document<TConfiguration>.Schema;

    /// <inheritdoc/>
    public IReadOnlyList<ValidationError> Validate(JsonElement configuration) => Document<TConfiguration>.Validate(configuration, Validate);

    /// <inheritdoc/>
    public IReadOnlyList<SecretUse> SecretsOf(JsonElement configuration) => SecretsOf(Document<TConfiguration>.Read(configuration));

    /// <inheritdoc/>
    public string AssertionHostOf(JsonElement configuration) => AssertionHostOf(Document<TConfiguration>.Read(configuration));

    /// <inheritdoc/>
    public IProvider Create(ProviderContext context, JsonElement configuration) => Create(context, Document<TConfiguration>.Read(configuration));

    /// <summary>What the schema cannot say: every error, not only the first.</summary>
    protected abstract IEnumerable<ValidationError> Validate(TConfiguration configuration);

    /// <summary>The secrets that the configuration refers to.</summary>
    protected virtual IReadOnlyList<SecretUse> SecretsOf(TConfiguration configuration) => [];

    /// <summary>The host that the broker's own assertion would be sent to.</summary>
    protected virtual string AssertionHostOf(TConfiguration configuration) => "";

    /// <summary>Makes the provider.</summary>
    protected abstract IProvider Create(ProviderContext context, TConfiguration configuration);
}

/// <summary>The usual base of a role kind: its template is a record.</summary>
/// <typeparam name="TTemplate">An immutable record whose nullability and <c>required</c> members are the schema.</typeparam>
public abstract class RoleKind<TTemplate> : RoleKind
    where TTemplate : class
{
    /// <inheritdoc/>
    public override JsonNode TemplateSchema => Document<TTemplate>.Schema;

    /// <inheritdoc/>
    public sealed override IReadOnlyList<ValidationError> Validate(JsonElement template) => Document<TTemplate>.Validate(template, Validate);

    /// <inheritdoc/>
    public sealed override Revocability RevocabilityOf(JsonElement template) => RevocabilityOf(Read(template));

    /// <inheritdoc/>
    public sealed override bool CanMint(JsonElement template) => CanMint(Read(template));

    /// <inheritdoc/>
    public sealed override string DestinationOf(JsonElement template) => DestinationOf(Read(template));

    /// <inheritdoc/>
    public sealed override ExclusiveGroup? ExclusiveGroupOf(JsonElement template) => ExclusiveGroupOf(Read(template));

    /// <inheritdoc/>
    public sealed override IReadOnlyList<string> CredentialFieldsOf(JsonElement template) => CredentialFieldsOf(Read(template));

    /// <summary>Reads a valid template.</summary>
    public TTemplate Read(JsonElement template) => Document<TTemplate>.Read(template);

    /// <summary>What the schema cannot say. Strings may hold placeholders <c>{{name}}</c>.</summary>
    protected abstract IEnumerable<ValidationError> Validate(TTemplate template);

    /// <summary>What revoking means for this template.</summary>
    protected abstract Revocability RevocabilityOf(TTemplate template);

    /// <summary>Whether the credential can make other credentials.</summary>
    protected virtual bool CanMint(TTemplate template) => false;

    /// <summary>Where the credential can be used.</summary>
    protected virtual string DestinationOf(TTemplate template) => "";

    /// <summary>The document at the target that the credentials share.</summary>
    protected virtual ExclusiveGroup? ExclusiveGroupOf(TTemplate template) => null;

    /// <summary>The fields of the credential.</summary>
    protected virtual IReadOnlyList<string> CredentialFieldsOf(TTemplate template) => CredentialFields;
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Abstractions;

/// <summary>A kind of system that credentials can come from. One instance serves the whole process.</summary>
public interface IProviderType
{
    /// <summary>The name under which providers of this type are registered, such as <c>postgresql</c>.</summary>
    string Name { get; }

    /// <summary>What it is, in one sentence.</summary>
    string Description { get; }

    /// <summary>What separates the parts of an external name: <c>-</c>, or <c>_</c> where hyphens hurt.</summary>
    char NameSeparator => '-';

    /// <summary>Nothing exists outside the broker's store until the answer leaves: such a lease is active as soon as it is reserved.</summary>
    bool Local => false;

    /// <summary>The longest time for which a call that was already sent may still take effect at the target.</summary>
    TimeSpan LateEffect { get; }

    /// <summary>What can be asked for.</summary>
    IReadOnlyList<RoleKind> RoleKinds { get; }

    /// <summary>The JSON Schema of the configuration, made from its type.</summary>
    JsonNode ConfigurationSchema { get; }

    /// <summary>Every error of a configuration, with its path; empty when it is valid.</summary>
    IReadOnlyList<ValidationError> Validate(JsonElement configuration);

    /// <summary>The named secret sources that a valid configuration refers to, with the host that each would be sent to.</summary>
    IReadOnlyList<SecretUse> SecretsOf(JsonElement configuration);

    /// <summary>
    /// The host that the broker's own assertion would be sent to, lower-case, and without TLS its port (<c>127.0.0.1:8200</c>); empty where none is, or where the configuration cannot change it. It becomes part of the
    /// assertion's audience: whoever points the provider elsewhere catches one that is worth nothing at the target.
    /// </summary>
    string AssertionHostOf(JsonElement configuration) => "";

    /// <summary>Connects nothing yet: makes the provider for one generation of a valid configuration.</summary>
    IProvider Create(ProviderContext context, JsonElement configuration);
}

/// <summary>Where a configuration would send a secret.</summary>
/// <param name="Reference">The secret source.</param>
/// <param name="Host">
/// The host that receives it, lower-case. Where nothing proves that host, since there is no TLS, its port too (<c>127.0.0.1:8200</c>): who else listens on that machine must not be sent it.
/// </param>
public sealed record SecretUse(SecretRef Reference, string Host)
{
    /// <summary>Who receives what is sent to an address, as <see cref="Host"/> names it: the host that TLS proves, and without TLS its port too.</summary>
    public static string RecipientOf(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var host = address.Host.ToLowerInvariant();
        return address.Scheme == "https" ? host : string.Create(CultureInfo.InvariantCulture, $"{host}:{address.Port}");
    }
}

/// <summary>One error of a document.</summary>
/// <param name="Path">Where, as in <c>config.host</c>.</param>
/// <param name="Message">What is wrong and what would be right.</param>
public sealed record ValidationError(string Path, string Message);

/// <summary>One sort of credential that a provider type can make.</summary>
public abstract class RoleKind
{
    /// <summary>The name that a role refers to.</summary>
    public abstract string Name { get; }

    /// <summary>What it makes, in one sentence.</summary>
    public abstract string Description { get; }

    /// <summary>The JSON Schema of the template, made from its type.</summary>
    public abstract JsonNode TemplateSchema { get; }

    /// <summary>
    /// Every error of a template, with its path. A template as registered may hold placeholders <c>{{name}}</c> in its strings; before issue they are
    /// filled in and the result is validated again.
    /// </summary>
    public abstract IReadOnlyList<ValidationError> Validate(JsonElement template);

    /// <summary>What revoking means for this template.</summary>
    public abstract Revocability RevocabilityOf(JsonElement template);

    /// <summary>Where the credential can be used, for policy and audit: derived from the template, empty if the provider's target says it all.</summary>
    public virtual string DestinationOf(JsonElement template) => "";

    /// <summary>Whether the credential can make other credentials, which its own revocation does not reach.</summary>
    public virtual bool CanMint(JsonElement template) => false;

    /// <summary>The document at the target that the credentials of a template share; null where each stands alone.</summary>
    public virtual ExclusiveGroup? ExclusiveGroupOf(JsonElement template) => null;

    /// <summary>The shortest life that the target can give.</summary>
    public virtual TimeSpan ShortestLife => TimeSpan.Zero;

    /// <summary>The fields of the credential, for documentation.</summary>
    public abstract IReadOnlyList<string> CredentialFields { get; }

    /// <summary>The fields of the credentials of one template, where the template names them.</summary>
    public virtual IReadOnlyList<string> CredentialFieldsOf(JsonElement template) => CredentialFields;
}

/// <summary>What a provider is given.</summary>
public sealed record ProviderContext
{
    /// <summary>The provider's immutable id.</summary>
    public required Uid ProviderUid { get; init; }

    /// <summary>The provider's name.</summary>
    public required string Name { get; init; }

    /// <summary>The installation's id: 6 characters.</summary>
    public required string InstallationId { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>The only way out: every socket passes the operator's egress policy.</summary>
    public required IEgress Egress { get; init; }

    /// <summary>The broker's own identity, for logging in at this provider's target alone.</summary>
    public required IBrokerIdentity Identity { get; init; }

    /// <summary>Signs lease tokens; given to local types alone.</summary>
    public ILeaseTokenSigner? TokenSigner { get; init; }

    /// <summary>Reads a secret source that the operator allowed this provider to use.</summary>
    public required Func<SecretRef, CancellationToken, ValueTask<Secret>> ResolveSecretAsync { get; init; }
}

using CredBroker.Core.Identity;

namespace CredBroker.Server.Configuration;

/// <summary>What only the operator may say: who administers.</summary>
public sealed record OperatorConfiguration
{
    /// <summary>The only sources whose identities may administer, approve and suspend. The API cannot change them.</summary>
    public IReadOnlyList<OperatorIdentitySource> IdentitySources { get; init; } = [];

    /// <summary>The first administrator, by code and not by policy.</summary>
    public RootConfiguration? Root { get; init; }
}

/// <summary>The first administrator.</summary>
public sealed record RootConfiguration
{
    /// <summary>The name of one of the operator's sources.</summary>
    public string IdentitySource { get; init; } = "";

    /// <summary>The subject, exactly.</summary>
    public string Subject { get; init; } = "";
}

/// <summary>An identity source of the operator's, in the form of a manifest.</summary>
public sealed record OperatorIdentitySource
{
    /// <summary>The name, in one space with those registered by the API.</summary>
    public string Name { get; init; } = "";

    /// <inheritdoc cref="IdentitySourceSpec.Type"/>
    public string Type { get; init; } = "oidc";

    /// <inheritdoc cref="IdentitySourceSpec.Environment"/>
    public string Environment { get; init; } = "";

    /// <inheritdoc cref="IdentitySourceSpec.People"/>
    public bool People { get; init; }

    /// <inheritdoc cref="IdentitySourceSpec.Preset"/>
    public string Preset { get; init; } = "";

    /// <inheritdoc cref="IdentitySourceSpec.Oidc"/>
    public OidcSpec Oidc { get; init; } = new();

    /// <summary>As the registry takes it.</summary>
    internal IdentitySourceSpec Spec => new() { Type = Type, Environment = Environment, People = People, Preset = Preset, Oidc = Oidc };
}

/// <summary>A named secret and who may use it.</summary>
public sealed record SecretSourceConfiguration
{
    /// <summary>The name that configurations of providers and hooks refer to.</summary>
    public string Name { get; init; } = "";

    /// <summary>The file with the secret; one line feed at the end is not part of it.</summary>
    public string? File { get; init; }

    /// <summary>The name of the environment variable with the secret.</summary>
    public string? Env { get; init; }

    /// <summary>Who may use it.</summary>
    public IReadOnlyList<SecretConsumerConfiguration> Consumers { get; init; } = [];
}

/// <summary>Who may use a secret: a provider towards one host, or a hook.</summary>
public sealed record SecretConsumerConfiguration
{
    /// <summary>The provider's name.</summary>
    public string? Provider { get; init; }

    /// <summary>The only host that the provider may send it to; with its port (<c>127.0.0.1:8200</c>) where the provider reaches it without TLS.</summary>
    public string? Host { get; init; }

    /// <summary>The hook's name.</summary>
    public string? Hook { get; init; }
}

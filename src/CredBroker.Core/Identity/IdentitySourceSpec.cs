namespace CredBroker.Core.Identity;

/// <summary>
/// Whom the broker trusts to vouch for workloads, as an administrator registers it. What is left out is filled in by the preset;
/// <see cref="IdentitySourceRules"/> says what is wrong with one.
/// </summary>
public sealed record IdentitySourceSpec
{
    /// <summary>The sort of source: <c>oidc</c> is the only one.</summary>
    public string Type { get; init; } = "oidc";

    /// <summary>The environment that its workloads belong to, such as <c>production</c>; empty for none. Crossing environments is refused by default.</summary>
    public string Environment { get; init; } = "";

    /// <summary>It vouches for people, whose log-in tokens are then accepted. Only a source of the operator's may say so.</summary>
    public bool People { get; init; }

    /// <summary>Whose tokens these are: empty, <c>github</c>, <c>gitlab</c>, <c>kubernetes</c>, <c>entra</c>, <c>google</c> or <c>spire</c>.</summary>
    public string Preset { get; init; } = "";

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>By when somebody must look at it again.</summary>
    public DateTimeOffset? ReviewBy { get; init; }

    /// <summary>Issuer, keys and the meaning of claims.</summary>
    public OidcSpec Oidc { get; init; } = new();
}

/// <summary>
/// An issuer of JWTs. A claim is named by its path: member names separated by <c>/</c>, with <c>~1</c> for a slash and <c>~0</c> for a
/// tilde inside a name (RFC 6901, without the leading slash), as in <c>kubernetes.io/serviceaccount/uid</c>. A dot separates nothing.
/// </summary>
public sealed record OidcSpec
{
    /// <summary>The <c>iss</c> of its tokens, compared as a whole string. May be left out with the presets that have one, and with <c>spire</c>.</summary>
    public string? Issuer { get; init; }

    /// <summary>The accepted audiences, compared exactly; a token must name one of them. Left out: the installation's own. An empty list is an error.</summary>
    public IReadOnlyList<string>? Audiences { get; init; }

    /// <summary>Where the discovery document is; left out: below the issuer (OpenID Connect Discovery 1.0, section 4).</summary>
    public string? DiscoveryUrl { get; init; }

    /// <summary>Where the keys are; then no discovery document is asked for.</summary>
    public string? JwksUri { get; init; }

    /// <summary>The keys themselves, as a JWK Set (RFC 7517, section 5), for closed networks. Only for sources of the operator's.</summary>
    public string? JwksInline { get; init; }

    /// <summary>A file with the JWK Set, read again when it changes. Only for sources of the operator's.</summary>
    public string? JwksFile { get; init; }

    /// <summary>The accepted algorithms: of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512.</summary>
    public IReadOnlyList<string>? Algorithms { get; init; }

    /// <summary>The accepted <c>typ</c> headers, compared exactly; an empty string stands for a token without.</summary>
    public IReadOnlyList<string>? Typ { get; init; }

    /// <summary>The longest life that a token may have, from <c>iat</c> to <c>exp</c>: 1 h by default, at most 24 h.</summary>
    public TimeSpan? MaxTokenLife { get; init; }

    /// <summary>The claims that identify the workload for good, where its name can be used again. A token without one of them is refused.</summary>
    public IReadOnlyList<string>? StableIdClaims { get; init; }

    /// <summary>The claims that together name the running instance, such as a pod's uid. Where one is absent, the token names no instance.</summary>
    public IReadOnlyList<string>? InstanceClaims { get; init; }

    /// <summary>Attribute name → claim path: what policy sees as attested, below the source's name.</summary>
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }

    /// <summary>The claim with the names of the workload's teams, a string or a list of strings.</summary>
    public string? TeamsClaim { get; init; }

    /// <summary>What <c>sub</c> must begin with. With <c>spire</c> it is required and begins with the trust domain: <c>spiffe://example.org/</c>.</summary>
    public string? SubjectPrefix { get; init; }

    /// <summary>Claim path → the value that it must have.</summary>
    public IReadOnlyDictionary<string, string>? RequiredClaims { get; init; }
}

using System.Text.Json.Nodes;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>A token of the store.</summary>
internal sealed class Token
{
    public required string Id { get; init; }

    public required string Accessor { get; init; }

    public required IReadOnlyList<string> Policies { get; init; }

    public required string Path { get; init; }

    public required DateTimeOffset IssueTime { get; init; }

    public IReadOnlyDictionary<string, string>? Meta { get; init; }

    public string DisplayName { get; init; } = "token";

    public string EntityId { get; init; } = "";

    public string? Role { get; init; }

    public Token? Parent { get; init; }

    public bool Orphan { get; init; }

    public bool Renewable { get; init; }

    public string Type { get; init; } = "service";

    /// <summary>What was asked for at creation: it is shown, and enforced on renewal only without a role.</summary>
    public TimeSpan ExplicitMax { get; init; }

    /// <summary>The longest life of a log-in, as its auth role has it.</summary>
    public TimeSpan? LoginMax { get; init; }

    public TimeSpan CreationTtl { get; init; }

    public TimeSpan LastGrant { get; set; }

    public int NumUses { get; set; }

    public DateTimeOffset? ExpireTime { get; set; }

    public DateTimeOffset? LastRenewal { get; set; }

    /// <summary>The token's own lease.</summary>
    public required string LeaseId { get; init; }

    /// <summary>The namespace it is of; null for the root.</summary>
    public string? NamespacePath { get; init; }

    public JsonObject Describe(DateTimeOffset now, bool withId)
    {
        var data = new JsonObject
        {
            ["accessor"] = Accessor,
            ["creation_time"] = IssueTime.ToUnixTimeSeconds(),
            ["creation_ttl"] = Durations.Seconds(CreationTtl),
            ["display_name"] = DisplayName,
            ["entity_id"] = EntityId,
            ["expire_time"] = ExpireTime is { } expires ? Durations.Time(expires) : null,
            ["explicit_max_ttl"] = Durations.Seconds(ExplicitMax),
            ["id"] = withId ? Id : "",
            ["meta"] = MetaNode(),
            ["num_uses"] = NumUses,
            ["orphan"] = Orphan,
            ["path"] = Path,
            ["policies"] = Answers.List(Policies),
            ["ttl"] = ExpireTime is { } end ? Durations.Seconds(end - now) : 0,
            ["type"] = Type,
        };
        if (ExpireTime is not null)
        {
            data["issue_time"] = Durations.Time(IssueTime);
            data["renewable"] = Renewable;
        }

        if (LastRenewal is { } renewed)
        {
            data["last_renewal"] = Durations.Time(renewed);
            data["last_renewal_time"] = renewed.ToUnixTimeSeconds();
        }

        if (Role is not null) data["role"] = Role;
        if (NamespacePath is not null) data["namespace_path"] = NamespacePath;
        return data;
    }

    public JsonObject Auth(TimeSpan granted, bool withToken) => new()
    {
        ["client_token"] = withToken ? Id : "",
        ["accessor"] = Accessor,
        ["policies"] = Answers.List(Policies),
        ["token_policies"] = Answers.List(Policies),
        ["metadata"] = MetaNode(),
        ["lease_duration"] = Durations.Seconds(granted),
        ["renewable"] = Renewable,
        ["entity_id"] = EntityId,
        ["token_type"] = Type,
        ["orphan"] = Orphan,
        ["mfa_requirement"] = null,
        ["num_uses"] = NumUses,
    };

    private JsonObject? MetaNode() => Meta is null ? null : new JsonObject(Meta.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));
}

/// <summary>A token role.</summary>
internal sealed record TokenRole(string Name)
{
    public IReadOnlyList<string> AllowedPolicies { get; init; } = [];

    public bool Orphan { get; init; }

    public bool Renewable { get; init; } = true;

    public bool NoDefaultPolicy { get; init; }

    public string PathSuffix { get; init; } = "";

    public TimeSpan TokenExplicitMax { get; init; }

    public TimeSpan Period { get; init; }

    public string TokenType { get; init; } = "default-service";

    public JsonObject Describe() => new()
    {
        ["allowed_entity_aliases"] = null,
        ["allowed_policies"] = Answers.List(AllowedPolicies),
        ["allowed_policies_glob"] = new JsonArray(),
        ["disallowed_policies"] = new JsonArray(),
        ["disallowed_policies_glob"] = new JsonArray(),
        ["explicit_max_ttl"] = 0,
        ["name"] = Name,
        ["orphan"] = Orphan,
        ["path_suffix"] = PathSuffix,
        ["period"] = Durations.Seconds(Period),
        ["renewable"] = Renewable,
        ["token_explicit_max_ttl"] = Durations.Seconds(TokenExplicitMax),
        ["token_no_default_policy"] = NoDefaultPolicy,
        ["token_period"] = 0,
        ["token_type"] = TokenType,
    };
}

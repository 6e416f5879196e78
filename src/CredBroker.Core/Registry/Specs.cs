using System.Text.Json;

namespace CredBroker.Core.Registry;

/// <summary>A provider as it is registered.</summary>
public sealed record ProviderSpec
{
    /// <summary>The provider type's name.</summary>
    public required string Type { get; init; }

    /// <summary>The environment it belongs to; crossing environments is refused unless it is empty.</summary>
    public string Environment { get; init; } = "";

    /// <summary>The type's own configuration.</summary>
    public JsonElement Config { get; init; } = JsonSerializer.SerializeToElement(new { });

    /// <summary>The longest life of its leases.</summary>
    public TimeSpan? MaxTtl { get; init; }

    /// <summary>How many leases may be not proven dead.</summary>
    public int? MaxActiveLeases { get; init; }

    /// <summary>How many leases a minute may be issued, per node.</summary>
    public int? IssueRatePerMinute { get; init; }

    /// <summary>What is done about a difference between the target and the database.</summary>
    public Reconciliation.ReconciliationMode Reconciliation { get; init; } = Core.Reconciliation.ReconciliationMode.Report;

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>By when somebody must look at it again: overdue, it issues nothing new.</summary>
    public DateTimeOffset? ReviewBy { get; init; }
}

/// <summary>A role as it is registered.</summary>
public sealed record RoleSpec
{
    /// <summary>The role kind's name.</summary>
    public required string Kind { get; init; }

    /// <summary>The role kind's template; its strings may hold <c>{{parameter}}</c>.</summary>
    public JsonElement Template { get; init; } = JsonSerializer.SerializeToElement(new { });

    /// <summary>What the caller may choose.</summary>
    public IReadOnlyList<RoleParameter> Parameters { get; init; } = [];

    /// <summary>How sensitive what it opens is, in the installation's own words.</summary>
    public string Sensitivity { get; init; } = "";

    /// <summary>Where the credential may be used; derived from the template when empty.</summary>
    public string Destination { get; init; } = "";

    /// <summary>The longest life of a lease, renewals included.</summary>
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How many leases may be not proven dead.</summary>
    public int? MaxActiveLeases { get; init; }

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>By when somebody must look at it again: overdue, it issues nothing new.</summary>
    public DateTimeOffset? ReviewBy { get; init; }
}

/// <summary>One thing that a caller may choose.</summary>
public sealed record RoleParameter
{
    /// <summary>Its name, as in <c>{{name}}</c> and <c>context.params</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The only values allowed; empty where <see cref="Pattern"/> decides.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>What a whole value must match; by default <c>[A-Za-z0-9._-]</c>, and never <c>.</c> or <c>..</c> as a segment.</summary>
    public string Pattern { get; init; } = "";

    /// <summary>Whether it must be given.</summary>
    public bool Required { get; init; }

    /// <summary>What it is when it is not given.</summary>
    public string Default { get; init; } = "";

    /// <summary>What it means.</summary>
    public string Description { get; init; } = "";
}

/// <summary>A hook as it is registered.</summary>
public sealed record HookSpec
{
    /// <summary>The identity sources whose performers' tasks it may end.</summary>
    public required IReadOnlyList<string> IdentitySources { get; init; }

    /// <summary>The named secret source of its HMAC key (<c>v1</c> signatures); empty where public keys are used.</summary>
    public string Secret { get; init; } = "";

    /// <summary>Ed25519 public keys, <c>whpk_…</c> (<c>v1a</c> signatures).</summary>
    public IReadOnlyList<string> PublicKeys { get; init; } = [];

    /// <summary>The attested claims (the performer's attributes) that a signal may match.</summary>
    public IReadOnlyList<string> MatchClaims { get; init; } = [];

    /// <summary>The declared labels that a signal may match, within the same identity sources.</summary>
    public IReadOnlyList<string> MatchLabels { get; init; } = [];

    /// <summary>The largest tolerance that a hook may have: so long is a delivery remembered, whatever the hook's own is now.</summary>
    public static readonly TimeSpan LongestTolerance = TimeSpan.FromMinutes(15);

    /// <summary>How far a signal's time stamp may be from now.</summary>
    public TimeSpan Tolerance { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>By when somebody must look at it again.</summary>
    public DateTimeOffset? ReviewBy { get; init; }
}

/// <summary>A policy set as it is registered.</summary>
public sealed record PolicySetSpec
{
    /// <summary>What it may do: <c>ceiling</c> (forbids only), <c>scoped</c>, or <c>operator</c>.</summary>
    public string Kind { get; init; } = "scoped";

    /// <summary>The providers that a scoped set may speak of; empty for all.</summary>
    public IReadOnlyList<string> Providers { get; init; } = [];

    /// <summary>The identity sources that a scoped set may speak of; empty for all.</summary>
    public IReadOnlyList<string> IdentitySources { get; init; } = [];

    /// <summary>The actions that a scoped set may speak of; empty for all that are not an administrator's.</summary>
    public IReadOnlyList<string> Actions { get; init; } = [];

    /// <summary>Whether a change of it leaves live leases alone: then it decides over new ones only.</summary>
    public bool KeepLiveLeases { get; init; }

    /// <summary>The Cedar text.</summary>
    public required string Text { get; init; }

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>By when somebody must look at it again.</summary>
    public DateTimeOffset? ReviewBy { get; init; }
}

using System.Globalization;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

/// <summary>Who signed a request.</summary>
internal abstract record AwsPrincipal(string AccessKeyId, string Secret, string Arn, string UserId)
{
    /// <summary>The ARN that policies know it by.</summary>
    public abstract string PolicyArn { get; }
}

internal sealed record AwsUser(string AccessKeyId, string Secret, string Arn, string UserId, IReadOnlyList<IamPolicy> Policies) : AwsPrincipal(AccessKeyId, Secret, Arn, UserId)
{
    public override string PolicyArn => Arn;
}

/// <summary>A session of a role.</summary>
internal sealed record AwsSession(string AccessKeyId, string Secret, string Arn, string UserId) : AwsPrincipal(AccessKeyId, Secret, Arn, UserId)
{
    public required string Token { get; init; }

    public required string RoleArn { get; init; }

    public required string RoleId { get; init; }

    public required string Name { get; init; }

    public string? SourceIdentity { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public IReadOnlyList<IamPolicy> SessionPolicies { get; init; } = [];

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<string> TransitiveKeys { get; init; } = [];

    public override string PolicyArn => RoleArn;
}

/// <summary>A role as IAM keeps it. What it may do is known elsewhere only after a while: <see cref="Seen"/>.</summary>
internal sealed class AwsRole(string name, string path, string id, string account, DateTimeOffset created)
{
    private readonly List<(DateTimeOffset At, RoleView View)> _history = [];

    public string Name { get; } = name;

    public string Path { get; } = path;

    public string Id { get; } = id;

    public string Arn { get; } = $"arn:aws:iam::{account}:role{path}{name}";

    public DateTimeOffset Created { get; } = created;

    public string Trust { get; set; } = "";

    public string Description { get; set; } = "";

    public int MaxSession { get; set; } = 3600;

    public string? Boundary { get; set; }

    public bool Deleted { get; set; }

    public SortedDictionary<string, string> Inline { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> Attached { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Tags { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Makes what stands here now known, from an instant on.</summary>
    public void Publish(DateTimeOffset at, Func<string, IamPolicy> managed) => _history.Add((at, new RoleView(
        Deleted, IamPolicy.Of(Trust, trust: true), [.. Inline.Values.Select(text => IamPolicy.Of(text)), .. Attached.Select(managed)], Boundary is { } boundary ? managed(boundary) : null)));

    /// <summary>The role as it is known at an instant; null if it is not known yet.</summary>
    public RoleView? Seen(DateTimeOffset now, TimeSpan delay) => _history.LastOrDefault(entry => entry.At + delay <= now).View;

    /// <summary>What counts against the limit of inline policies.</summary>
    public int InlineLength(string except) => Inline.Where(policy => policy.Key != except).Sum(policy => LengthOf(policy.Value));

    public static int LengthOf(string document) => document.Count(character => !char.IsWhiteSpace(character));
}

internal sealed record RoleView(bool Deleted, IamPolicy Trust, IReadOnlyList<IamPolicy> Policies, IamPolicy? Boundary);

/// <summary>An answer that is an error, in the service's envelope.</summary>
internal sealed class AwsErrorException(string code, int status, string message, bool sender = true) : Exception(message)
{
    public string Code { get; } = code;

    public int Status { get; } = status;

    public bool Sender { get; } = sender;

    public static AwsErrorException NoRole(string name) => new("NoSuchEntity", 404, $"The role with name {name} cannot be found.");

    public static AwsErrorException Validation(string value, string field, string constraint) => new(
        "ValidationError", 400, string.Create(CultureInfo.InvariantCulture, $"1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {constraint}"));
}

using CredBroker.Abstractions;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>What a login is made with. It owns nothing and is granted nothing directly: it is a member of groups.</summary>
public sealed record LoginTemplate
{
    /// <summary>The groups it is a member of: 1 to 20, each of which the provider's configuration names.</summary>
    public required IReadOnlyList<string> Groups { get; init; }

    /// <summary>How many connections it may hold at once: 1 to 1000.</summary>
    public int ConnectionLimit { get; init; } = 10;

    /// <summary>
    /// The iterations of its SCRAM verifier, 1 to 100000. The password has 192 random bits and gains nothing from them, while each costs
    /// the server time; but some clients refuse fewer than 4096 (RFC 7677, section 4).
    /// </summary>
    public int ScramIterations { get; init; } = 4096;

    /// <summary>The database that it is meant for; that of the provider's configuration if it is left out.</summary>
    public string? Database { get; init; }
}

/// <summary>A login with a password, cut and dropped when its lease ends.</summary>
public sealed class LoginRoleKind : RoleKind<LoginTemplate>
{
    /// <summary>How long after a login was switched off its last session may still appear: a backend that is starting up is not yet listed.</summary>
    internal static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    internal const string KindName = "login";

    /// <inheritdoc/>
    public override string Name => KindName;

    /// <inheritdoc/>
    public override string Description => "A login with a password and membership in groups.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["username", "password", "host", "port", "database"];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(LoginTemplate template) => Check(template, mayHavePlaceholders: true);

    /// <summary>Every error of a template; one that is about to be issued from has no placeholders left.</summary>
    internal static IEnumerable<ValidationError> Check(LoginTemplate template, bool mayHavePlaceholders)
    {
        if (template.Groups.Count is 0 or > 20) yield return new("groups", "Name 1 to 20 groups.");
        for (var i = 0; i < template.Groups.Count; i++)
        {
            var group = mayHavePlaceholders ? WithoutPlaceholders(template.Groups[i]) : template.Groups[i];
            if (Identifier.WhyNotGroup(group) is { } reason) yield return new($"groups[{i}]", reason);
            else if (template.Groups.Take(i).Contains(template.Groups[i])) yield return new($"groups[{i}]", "This group appears twice.");
        }

        if (template.ConnectionLimit is < 1 or > 1000) yield return new("connectionLimit", "This must be between 1 and 1000.");
        if (template.ScramIterations is < 1 or > 100_000) yield return new("scramIterations", "This must be between 1 and 100000.");
        if (template.Database is { } database && !Identifier.IsName(mayHavePlaceholders ? WithoutPlaceholders(database) : database))
            yield return new("database", Identifier.Rule);
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(LoginTemplate template) => new(
        RevocabilityKind.DeletesAndCutsSessions, Settle, "What it made while it was acting as a group (SET ROLE) belongs to that group and stays.");

    /// <inheritdoc/>
    protected override string DestinationOf(LoginTemplate template) => template?.Database ?? "";

    // A placeholder stands for one letter: enough to check what is around it.
    private static string WithoutPlaceholders(string text)
    {
        for (var from = text.IndexOf("{{", StringComparison.Ordinal); from >= 0; from = text.IndexOf("{{", StringComparison.Ordinal))
        {
            var to = text.IndexOf("}}", from, StringComparison.Ordinal);
            if (to < 0) return text;
            text = $"{text[..from]}x{text[(to + 2)..]}";
        }

        return text;
    }
}

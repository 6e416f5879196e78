using System.Globalization;
using System.Text.RegularExpressions;

namespace CredBroker.Providers.PostgreSql;

/// <summary>
/// What may become part of a statement: CREATE ROLE takes no parameters, so each part comes from a fixed alphabet in which nothing needs
/// escaping, and is quoted all the same.
/// </summary>
internal static partial class Identifier
{
    public const string Rule = "This has 1 to 63 of the characters A-Z, a-z, 0-9, _, . and -.";

    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>Whether this is the name of one of our logins.</summary>
    public static bool IsLogin(string name) => LoginPattern().IsMatch(name);

    /// <summary>Why this cannot be a group whose membership is given; null if it can.</summary>
    public static string? WhyNotGroup(string name)
    {
        if (!IsName(name)) return Rule;
        if (name.StartsWith("pg_", StringComparison.OrdinalIgnoreCase) || name.StartsWith("rds_", StringComparison.OrdinalIgnoreCase))
            return "Predefined groups reach beyond any schema, some of them the server's files: they are never given.";
        if (name.StartsWith("cb_", StringComparison.Ordinal) || name.StartsWith("cba_", StringComparison.Ordinal)) return "This is a name of the broker's own, not of a group.";
        return name is "public" or "none" or "postgres" ? "This is not a group." : null;
    }

    /// <summary>Quotes a name that was checked; the server quotes whatever else there is.</summary>
    /// <exception cref="ArgumentException">It was not.</exception>
    public static string Quote(string name) => IsName(name) ? $"\"{name}\"" : throw new ArgumentException("This is no name for a statement.", nameof(name));

    /// <summary>Quotes a mark, or a name that is compared. It can end neither the literal nor the block around it.</summary>
    /// <exception cref="ArgumentException">It has characters that neither of them has.</exception>
    public static string Literal(string text) =>
        LiteralPattern().IsMatch(text) ? $"'{text}'" : throw new ArgumentException("This is no text for a statement.", nameof(text));

    /// <summary>Quotes a SCRAM verifier.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static string Verifier(string text) =>
        VerifierPattern().IsMatch(text) ? $"'{text}'" : throw new ArgumentException("This is no verifier.", nameof(text));

    /// <summary>An instant, to the microsecond: what PostgreSQL keeps.</summary>
    public static string Literal(DateTimeOffset instant) =>
        $"'{instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}+00'";

    [GeneratedRegex(@"\A[A-Za-z0-9_.-]{1,63}\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\Acb_[a-z0-9]{6}_[0-9a-z]{26}\z")]
    private static partial Regex LoginPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_.:-]{1,512}\z")]
    private static partial Regex LiteralPattern();

    [GeneratedRegex(@"\ASCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+\z")]
    private static partial Regex VerifierPattern();
}

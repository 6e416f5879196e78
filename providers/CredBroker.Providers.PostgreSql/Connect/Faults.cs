using System.Net.Sockets;
using System.Security.Authentication;
using CredBroker.Abstractions;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Connect;

/// <summary>
/// Turns what Npgsql throws into what the broker can act on. The cause is never attached: its context can quote the statement, and so a verifier.
/// </summary>
internal static class Faults
{
    /// <summary>The error code with which our own statements say that the deadline has passed.</summary>
    public const string DeadlinePassed = "CB001";

    /// <summary>The error code with which our own statements refuse a group.</summary>
    public const string GroupRefused = "CB002";

    /// <summary>The error code with which our own statements say that the login is not live.</summary>
    public const string NotLive = "CB003";

    /// <summary>Runs a call and translates its failures.</summary>
    public static async Task<T> TranslateAsync<T>(Func<SentMark, Task<T>> call)
    {
        var mark = new SentMark();
        try
        {
            return await call(mark).ConfigureAwait(false);
        }
        catch (Exception e) when (Translate(e, mark.Sent) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>What an exception means; null for one that is not the target's. <paramref name="sent"/>: the statement that makes something was sent.</summary>
    public static ProviderException? Translate(Exception exception, bool sent) => exception switch
    {
        PostgresException e => new(FaultOf(e), Words(e), sent && !IsDefinite(e) ? ProviderEffect.Unknown : ProviderEffect.None, RetryAfterOf(e)),
        OperationCanceledException { InnerException: PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } } =>
            new(ProviderFault.Unreachable, "The call was cancelled, and the server confirms that it undid it.", ProviderEffect.None),
        OperationCanceledException when !sent => new(ProviderFault.Unreachable, "The call was cancelled before anything was sent.", ProviderEffect.None),
        EgressDeniedException e => new(ProviderFault.Misconfigured, Clean(e.Message), ProviderEffect.None),
        NpgsqlException { InnerException: AuthenticationException e } => new(ProviderFault.Misconfigured, $"TLS: {Clean(e.Message)}", Effect(sent)),
        NpgsqlException e => new(ProviderFault.Unreachable, Clean(e.Message), Effect(sent)),
        SocketException or TimeoutException or IOException => new(ProviderFault.Unreachable, Clean(exception.Message), Effect(sent)),
        _ => null,
    };

    private static ProviderEffect Effect(bool sent) => sent ? ProviderEffect.Unknown : ProviderEffect.None;

    /// <summary>
    /// An ERROR is the server's word that the statement's transaction is undone. A FATAL one can strike while a commit waits for a standby,
    /// and a lost connection or a pooler's word (class 08, 40003) says nothing about the server.
    /// </summary>
    private static bool IsDefinite(PostgresException e) =>
        e.InvariantSeverity == "ERROR" && !e.SqlState.StartsWith("08", StringComparison.Ordinal) && e.SqlState != PostgresErrorCodes.StatementCompletionUnknown;

    private static ProviderFault FaultOf(PostgresException e) => e.SqlState switch
    {
        DeadlinePassed or NotLive => ProviderFault.Credential,
        GroupRefused => ProviderFault.Misconfigured,
        PostgresErrorCodes.InsufficientPrivilege => ProviderFault.Denied,
        PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.OutOfMemory or PostgresErrorCodes.ConfigurationLimitExceeded => ProviderFault.Throttled,
        PostgresErrorCodes.DiskFull => ProviderFault.Unreachable,
        PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable => ProviderFault.Throttled,
        PostgresErrorCodes.ReadOnlySqlTransaction => ProviderFault.TargetMismatch,
        PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.InvalidGrantOperation
            or PostgresErrorCodes.ReservedName or PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.SyntaxError
            or PostgresErrorCodes.UndefinedFunction => ProviderFault.Misconfigured,
        var state => state[..2] switch
        {
            "28" => ProviderFault.Denied,
            "08" or "57" or "58" => ProviderFault.Unreachable,
            "53" => ProviderFault.Throttled,
            "0A" => ProviderFault.NotSupported,
            _ => ProviderFault.Credential,
        },
    };

    private static TimeSpan? RetryAfterOf(PostgresException e) => e.SqlState == PostgresErrorCodes.TooManyConnections ? TimeSpan.FromSeconds(1) : null;

    private static string Words(PostgresException e)
    {
        var further = e.SqlState == PostgresErrorCodes.DependentObjectsStillExist ? e.Detail : e.Hint;
        return Clean($"{e.SqlState}: {e.MessageText}{(string.IsNullOrEmpty(further) ? "" : $" ({further})")}");
    }

    private static string Clean(string text)
    {
        var cut = text.Length > 500 ? text[..500] : text;
        return new string([.. cut.Select(character => char.IsControl(character) ? ' ' : character)]);
    }
}

/// <summary>Remembers that the statement which makes something is on its way: from then on silence proves nothing.</summary>
internal sealed class SentMark
{
    /// <summary>Whether it is.</summary>
    public bool Sent { get; private set; }

    /// <summary>It is.</summary>
    public void Set() => Sent = true;
}

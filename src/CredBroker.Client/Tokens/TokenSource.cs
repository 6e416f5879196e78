namespace CredBroker.Client.Tokens;

/// <summary>Where the caller's attested token comes from: a function, a file, or a command that prints one.</summary>
public abstract class TokenSource
{
    /// <summary>The longest accepted token, in bytes.</summary>
    public const int MaxTokenBytes = 65_536;

    /// <summary>The token to use now. Called before every call.</summary>
    /// <exception cref="BrokerException">There is none; the message says why, and never holds a token.</exception>
    public abstract ValueTask<string> GetTokenAsync(CancellationToken cancellationToken);

    /// <summary>A function that returns the current token.</summary>
    public static TokenSource From(Func<CancellationToken, ValueTask<string>> get) => new DelegateTokenSource(get);

    /// <summary>
    /// The caller's own file, readable by nobody else (mode 0600 or 0400), no symbolic link. It is read anew for every call, so that
    /// a rotated token is used at once.
    /// </summary>
    public static TokenSource FromFile(string path) => new FileTokenSource(path, PrivateFile.ReadText);

    /// <summary>
    /// A file that the platform puts there for this workload, such as Kubernetes' projected service account token: owner, mode and links are
    /// the platform's matter. It is read anew for every call.
    /// </summary>
    public static TokenSource FromProjectedFile(string path) => new FileTokenSource(path, PrivateFile.ReadAnyText);

    /// <summary>
    /// A command that prints a token, started without a shell. Its token is kept until a minute before it expires, where it is a JWT;
    /// else the command runs for every call.
    /// </summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="time">The clock that the token's expiry is compared with.</param>
    public static TokenSource FromCommand(IReadOnlyList<string> command, TimeProvider? time = null) =>
        new CommandTokenSource(command, time ?? TimeProvider.System);

    /// <summary>Checks that a text can be sent as a bearer token at all.</summary>
    internal static string Checked(string text, string origin)
    {
        var token = text.Trim();
        if (token.Length == 0) throw Missing($"{origin} holds no token.");
        if (token.Any(c => c is <= ' ' or > '~')) throw Missing($"{origin} holds something that isn't a token: one word of visible ASCII characters.");
        return token;
    }

    internal static BrokerException Missing(string message, Exception? inner = null) =>
        new(Grpc.Core.StatusCode.Unauthenticated, "CREDENTIALS_MISSING", message, inner);

    private sealed class DelegateTokenSource(Func<CancellationToken, ValueTask<string>> get) : TokenSource
    {
        public override async ValueTask<string> GetTokenAsync(CancellationToken cancellationToken) =>
            Checked(await get(cancellationToken).ConfigureAwait(false), "The token source");
    }

    private sealed class FileTokenSource(string path, Func<string, int, string> read) : TokenSource
    {
        public override ValueTask<string> GetTokenAsync(CancellationToken cancellationToken)
        {
            try
            {
                return ValueTask.FromResult(Checked(read(path, MaxTokenBytes), $"The token file {path}"));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                throw Missing($"The token file can't be used: {fault.Message}", fault);
            }
        }
    }
}

using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Manifests;

namespace CredBroker.Cli.Hosting;

/// <summary>
/// Where the broker is and who is calling: from options, then the environment, then the configuration file. A token itself comes
/// from none of these, and the command that prints one only from the file, which must be the user's own with mode 0600: whoever can
/// write it runs programs as the user.
/// </summary>
internal sealed record CliSettings
{
    private const int MaxFileBytes = 65_536;
    private static readonly string[] Keys = ["address", "tokenFile", "tokenCommand", "certificateAuthorityFile"];

    public Uri? Address { get; private init; }

    public string? TokenFile { get; private init; }

    public IReadOnlyList<string>? TokenCommand { get; private init; }

    public string? CertificateAuthorityFile { get; private init; }

    /// <summary>Where the file is looked for.</summary>
    public static string PathIn(CliHost host) => host.Environment("CREDBROKER_CONFIG") is { Length: > 0 } path ? path : Path.Combine(host.ConfigFolder, "credbroker", "config.yaml");

    public static CliSettings Read(CliHost host, string? address, string? tokenFile, string? certificateAuthorityFile)
    {
        var file = FromFile(PathIn(host));
        var tokenPath = tokenFile ?? Variable(host, "CREDBROKER_TOKEN_FILE");
        return new()
        {
            Address = ToAddress(address ?? Variable(host, "CREDBROKER_ADDRESS") ?? file.GetValueOrDefault("address")?[0]),
            // A file that is named nearer than the configuration wins over the configuration's command.
            TokenFile = tokenPath ?? (file.ContainsKey("tokenCommand") ? null : file.GetValueOrDefault("tokenFile")?[0]),
            TokenCommand = tokenPath is null ? file.GetValueOrDefault("tokenCommand") : null,
            CertificateAuthorityFile = certificateAuthorityFile ?? Variable(host, "CREDBROKER_CA_FILE") ?? file.GetValueOrDefault("certificateAuthorityFile")?[0],
        };
    }

    public BrokerClientOptions ToOptions(CliHost host, TimeSpan timeout) => new()
    {
        Address = Address ?? throw new CliException(ExitCodes.Usage, $"Where is the broker? Use --address, CREDBROKER_ADDRESS, or address in {PathIn(host)}."),
        Token = Token(host),
        CertificateAuthorityFile = CertificateAuthorityFile,
        CallTimeout = timeout,
        Time = host.Time,
    };

    private TokenSource Token(CliHost host)
    {
        if (TokenFile is { } file) return TokenSource.FromFile(file);
        if (TokenCommand is { } command) return TokenSource.FromCommand(command, host.Time);
        throw new CliException(ExitCodes.Denied, $"Who is calling? Use --token-file, CREDBROKER_TOKEN_FILE, or tokenFile or tokenCommand in {PathIn(host)}.");
    }

    private static IReadOnlyDictionary<string, IReadOnlyList<string>> FromFile(string path)
    {
        try
        {
            if (!File.Exists(path) && new FileInfo(path).LinkTarget is null) return new Dictionary<string, IReadOnlyList<string>>();
            var values = SettingsFile.Read(PrivateFile.ReadText(path, MaxFileBytes), path, Keys);
            if (values.ContainsKey("tokenFile") && values.ContainsKey("tokenCommand")) throw new CliException(ExitCodes.Usage, $"{path}: either tokenFile or tokenCommand.");
            return values;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"The configuration can't be used: {fault.Message}");
        }
    }

    private static Uri? ToAddress(string? text)
    {
        if (text is null) return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https")
            ? address
            : throw new CliException(ExitCodes.Usage, $"'{text}' is no address such as https://broker.example:8443.");
    }

    private static string? Variable(CliHost host, string name) => host.Environment(name) is { Length: > 0 } value ? value : null;
}

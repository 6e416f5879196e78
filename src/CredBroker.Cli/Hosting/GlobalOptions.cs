using System.CommandLine;
using CredBroker.Cli.Output;

namespace CredBroker.Cli.Hosting;

/// <summary>Options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string?> Address = new("--address") { Description = "The broker's gRPC address: https, or http on loopback. [CREDBROKER_ADDRESS]", HelpName = "url", Recursive = true };

    public static readonly Option<string?> TokenFile = new("--token-file") { Description = "Your own file, mode 0600, with the caller's token. [CREDBROKER_TOKEN_FILE]", HelpName = "file", Recursive = true };

    public static readonly Option<string?> CaFile = new("--ca-file") { Description = "Certificate authorities to trust instead of the system's, as PEM. [CREDBROKER_CA_FILE]", HelpName = "file", Recursive = true };

    public static readonly Option<OutputFormat> Output = new("--output", "-o") { Description = "table for people, which is the default; json or yaml for scripts.", HelpName = "table|json|yaml", Recursive = true };

    public static readonly Option<TimeSpan?> Timeout = new("--timeout")
    {
        Description = "How long one call may take; 30s without it.",
        HelpName = "duration",
        Recursive = true,
        CustomParser = result => Options.ParseDuration(result),
    };

    public static void AddTo(Command root)
    {
        foreach (var option in new Option[] { Address, TokenFile, CaFile, Output, Timeout }) root.Add(option);
    }
}

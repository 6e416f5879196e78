using System.CommandLine;
using CredBroker.Cli.Hosting;
using CredBroker.Manifests;

namespace CredBroker.Cli.Administration;

/// <summary>Manifests that are named on the command line.</summary>
internal static class ManifestInput
{
    public static Option<string?> FileOption() => new("--file", "-f") { Description = "A manifest, a folder of manifests, or - for standard input.", HelpName = "path", Required = true };

    /// <summary>Reads them; all errors at once when there are some.</summary>
    public static ManifestSet Load(CliContext context, string path)
    {
        if (path == "-") return ManifestReader.Read(ReadBounded(context.Host.In), "<stdin>").OrThrow();
        if (!File.Exists(path) && !Directory.Exists(path)) throw new CliException(ExitCodes.Usage, $"There is no file or folder {path}.");
        return ManifestReader.Load(path).OrThrow();
    }

    private static string ReadBounded(TextReader input)
    {
        var buffer = new char[ManifestLimits.Default.MaxFileBytes + 1];
        return new(buffer, 0, input.ReadBlock(buffer, 0, buffer.Length));
    }
}

using CredBroker.Cedar;
using CredBroker.Cli.Hosting;

namespace CredBroker.Cli.Administration;

/// <summary>Lays out Cedar files.</summary>
internal sealed record PolicyFormat(IReadOnlyList<string> Lines, bool IsInvalid, bool WouldChange)
{
    /// <summary>The file, or the Cedar files of a folder and its folders.</summary>
    public static IEnumerable<string> FilesOf(string path)
    {
        if (Directory.Exists(path)) return Directory.EnumerateFiles(path, "*.cedar", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
        return File.Exists(path) ? [path] : throw new CliException(ExitCodes.Usage, $"There is no file or folder {path}.");
    }

    /// <summary>Lays out one file, and writes it where that changes it. A file with errors is left alone.</summary>
    public static PolicyFormat Run(string file, bool write)
    {
        var text = File.ReadAllText(file);
        var formatted = PolicyFormatter.Format(text, file);
        if (!formatted.IsValid) return new([.. formatted.Errors.SelectMany(error => error.Show(text).Split('\n'))], IsInvalid: true, WouldChange: false);
        if (formatted.Value == text) return new([], IsInvalid: false, WouldChange: false);
        if (write) File.WriteAllText(file, formatted.Value);
        return new([write ? $"{file}: laid out" : $"{file}: not laid out"], IsInvalid: false, WouldChange: true);
    }
}

using CredBroker.Cedar;
using CredBroker.Cli.Hosting;

namespace CredBroker.Cli.PolicyTools;

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
        if (!formatted.IsValid) return Invalid(formatted, text);
        if (formatted.Value == text) return new([], IsInvalid: false, WouldChange: false);
        if (write) File.WriteAllText(file, formatted.Value);
        return new([write ? $"{file}: laid out" : $"{file}: not laid out"], IsInvalid: false, WouldChange: true);
    }

    /// <summary>Lays out a text that came by standard input: its lines are the text, unless it is only looked at.</summary>
    public static PolicyFormat OfText(string text, bool check)
    {
        var formatted = PolicyFormatter.Format(text, "<stdin>");
        if (!formatted.IsValid) return Invalid(formatted, text);
        var changes = formatted.Value != text;
        if (!check) return new(formatted.Value.TrimEnd('\n').Split('\n'), IsInvalid: false, changes);
        return new(changes ? ["<stdin>: not laid out"] : [], IsInvalid: false, changes);
    }

    private static PolicyFormat Invalid(Parsed<string> formatted, string text) =>
        new([.. formatted.Errors.SelectMany(error => error.Show(text).Split('\n'))], IsInvalid: true, WouldChange: false);
}

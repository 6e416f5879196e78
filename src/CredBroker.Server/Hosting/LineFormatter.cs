using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace CredBroker.Server.Hosting;

/// <summary>
/// One line an event: time, level, category, message. Whatever others wrote is escaped, so that nobody can forge a line or speak to the terminal.
/// </summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    /// <summary>The name that the console logger finds it by.</summary>
    public const string FormatterName = "line";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        ArgumentNullException.ThrowIfNull(textWriter);
        var line = new StringBuilder()
            .Append(time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture))
            .Append(' ').Append(Short(logEntry.LogLevel)).Append(' ').Append(logEntry.Category).Append(": ");
        Append(line, logEntry.Formatter(logEntry.State, logEntry.Exception));
        if (logEntry.Exception is { } exception) Append(line.Append(" | "), exception.ToString());
        textWriter.WriteLine(line.ToString());
    }

    private static void Append(StringBuilder line, string text)
    {
        foreach (var character in text)
        {
            if (character == '\n') line.Append("\\n");
            else if (char.IsControl(character) || char.GetUnicodeCategory(character) is System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator)
                line.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else line.Append(character);
        }
    }

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        LogLevel.Error => "error",
        _ => "fatal",
    };
}

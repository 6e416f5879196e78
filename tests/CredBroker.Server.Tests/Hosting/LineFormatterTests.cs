using CredBroker.Server.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.Server.Tests.Hosting;

/// <summary>One line an event, whatever others put into it.</summary>
internal sealed class LineFormatterTests
{
    [TestCase("two\nlines", "two\\nlines")]
    [TestCase("\r2026-01-01T00:00:00Z info forged", "\\u000d2026")]
    [TestCase("\u001b[2Jcleared", "\\u001b[2J")]
    [TestCase("\u202eright to left", "\\u202e")]
    [TestCase("\u2028separated", "\\u2028")]
    [TestCase("plain äöü €", "plain äöü €")]
    public void Escapes_what_could_forge_a_line(string message, string shown)
    {
        using var writer = new StringWriter();
        new LineFormatter(TimeProvider.System).Write(new LogEntry<string>(LogLevel.Information, "test", 0, message, new InvalidOperationException(message), (state, _) => state), null, writer);
        var line = writer.ToString();
        Assert.That(line.TrimEnd('\r', '\n'), Does.Contain(shown).And.Not.Contain("\n").And.Not.Contain("\r").And.Not.Contain("\u001b").And.Not.Contain("\u202e"));
    }
}

using System.Text.Json.Nodes;
using CredBroker.Cli.Hosting;
using CredBroker.Manifests;
using Google.Protobuf;
using Spectre.Console;

namespace CredBroker.Cli.Output;

/// <summary>
/// Prints results: tables for people, JSON and YAML for scripts. Whatever others wrote is escaped on every way out, since output
/// that is meant for scripts reaches terminals too.
/// </summary>
internal sealed class Printer(CliHost host, OutputFormat format)
{
    // Wide enough that nothing is ever cut or wrapped where no terminal limits it.
    private const int Unlimited = 100_000;

    public OutputFormat Format { get; } = format;

    /// <summary>One resource.</summary>
    public void Item(IMessage item)
    {
        switch (Format)
        {
            case OutputFormat.Json:
                host.Out.WriteLine(MessageJson.Write(item));
                break;
            case OutputFormat.Yaml:
                host.Out.Write(IsAdministered(item) ? ManifestWriter.Write(item) : ManifestWriter.WriteMessage(item));
                break;
            default:
                Rows(["", ""], MessageJson.Flatten(item).Select(row => new[] { row.Key, row.Value }), headers: false);
                break;
        }
    }

    /// <summary>A list: JSON and YAML have it under the name that REST gives it; administered resources are YAML's documents, ready to apply.</summary>
    public void List<T>(string name, IReadOnlyList<T> items, IReadOnlyList<Column<T>> columns)
        where T : IMessage
    {
        switch (Format)
        {
            case OutputFormat.Json:
                host.Out.WriteLine(MessageJson.Text(new JsonObject { [name] = new JsonArray([.. items.Select(item => MessageJson.Node(item))]) }));
                break;
            case OutputFormat.Yaml when items.Count > 0 && IsAdministered(items[0]):
                host.Out.Write(ManifestWriter.WriteAll(items.Cast<IMessage>()));
                break;
            case OutputFormat.Yaml:
                host.Out.Write(string.Join("---\n", items.Select(item => ManifestWriter.WriteMessage(item))));
                break;
            default:
                Table(items, columns);
                break;
        }
    }

    /// <summary>A table, whatever the format.</summary>
    public void Table<T>(IReadOnlyList<T> items, IReadOnlyList<Column<T>> columns) =>
        Rows([.. columns.Select(column => column.Title)], items.Select(item => columns.Select(column => column.Value(item)).ToArray()), headers: true);

    /// <summary>A sentence to the person, beside the result.</summary>
    public void Note(string text) => host.Error.WriteLine(SafeText.Lines(text));

    /// <summary>One line that may hold what others wrote, as part of the result.</summary>
    public void Line(string text) => host.Out.WriteLine(SafeText.Line(text));

    /// <summary>Lines of text as the result itself.</summary>
    public void Text(string text) => host.Out.Write(text);

    private void Rows(string[] titles, IEnumerable<string[]> rows, bool headers)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = headers };
        foreach (var title in titles) table.AddColumn(new TableColumn(new Text(title)) { NoWrap = host.Columns is null, Padding = new Padding(0, 0, 2, 0) });
        // `Text` takes its content as it is: no markup in what others wrote.
        foreach (var row in rows) table.AddRow(row.Select(value => new Text(SafeText.Line(value))));

        using var rendered = new StringWriter();
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(rendered) });
        console.Profile.Width = host.Columns ?? Unlimited;
        console.Write(table);
        foreach (var line in rendered.ToString().TrimEnd().Split('\n')) host.Out.WriteLine(line.TrimEnd());
    }

    private static bool IsAdministered(IMessage item) => ResourceKind.All.Any(kind => kind.Descriptor == item.Descriptor);
}

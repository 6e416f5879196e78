using System.Runtime.CompilerServices;
using CredBroker.Contracts;

namespace CredBroker.Core.Tests.Documentation;

/// <summary>The page of the schema says what the schema says.</summary>
public sealed class SchemaDocumentTests
{
    [Test]
    public void The_page_is_as_the_schema_is()
    {
        var page = Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs/policy/schema.md");
        var rendered = SchemaDocument.Render(BrokerSchema.ReadText());
        if (Environment.GetEnvironmentVariable("CREDBROKER_UPDATE_DOCS") == "1") File.WriteAllText(page, rendered);
        Assert.That(File.ReadAllText(page), Is.EqualTo(rendered), "run it with CREDBROKER_UPDATE_DOCS=1");
    }

    [Test]
    public void The_page_leaves_nothing_out()
    {
        var (schema, rendered) = (new PolicySchema(BrokerSchema.ReadText()).Schema, SchemaDocument.Render(BrokerSchema.ReadText()));
        var titles = rendered.Split('\n').Where(line => line.StartsWith("### `", StringComparison.Ordinal)).SelectMany(line => line[5..^1].Split(", ")).ToHashSet();
        Assert.That(schema.EntityTypes.Concat(schema.Actions.Select(action => action.Id)).Where(name => !titles.Contains(name)), Is.Empty);
        Assert.That(rendered.Split('\n').Count(line => line.StartsWith("| `", StringComparison.Ordinal)),
            Is.EqualTo(BrokerSchema.ReadText().Split('\n').Count(line => line.StartsWith("  ", StringComparison.Ordinal) && !line.Contains("principal:") && !line.Contains("resource:") && !line.Contains("  context:"))));
    }

    private static string Here([CallerFilePath] string here = "") => here;
}

using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.OpenApi;
using CredBroker.Contracts;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using Google.Protobuf.Reflection;

namespace CredBroker.Server.Tests.Transport;

/// <summary>Rules that the contract keeps about itself.</summary>
[TestFixture]
internal sealed class ContractTests
{
    private static IEnumerable<MessageDescriptor> Messages =>
        ContractDescriptors.Commented.SelectMany(file => file.MessageTypes).SelectMany(message => message.NestedTypes.Prepend(message)).Where(m => !m.IsMapEntry && m.Name != "Rules");

    [Test]
    public void Limits_every_text_list_and_map()
    {
        var unlimited =
            from message in Messages
            from field in message.Fields.InDeclarationOrder()
            let rules = ContractDescriptors.RulesOf(field)
            let text = field.FieldType is FieldType.String or FieldType.Bytes
                || (field.IsMap && field.MessageType.FindFieldByNumber(2).FieldType == FieldType.String)
            let free = field is { FieldType: FieldType.Message, IsRepeated: false } && field.MessageType.FullName == "google.protobuf.Struct"
            where (text && rules is not { MaxLen: > 0 })
                || (field.IsRepeated && rules is not { MaxItems: > 0 })
                || (field.IsMap && rules is not { Keys.MaxLen: > 0 })
                || (free && rules is not { MaxBytes: > 0, MaxDepth: > 0 })
            select field.FullName;

        Assert.That(unlimited, Is.Empty);
    }

    [Test]
    public void Comments_on_everything()
    {
        var silent = Messages.Select(m => (m.FullName, m.Declaration?.LeadingComments))
            .Concat(Messages.SelectMany(m => m.Fields.InDeclarationOrder()).Select(f => (f.FullName, f.Declaration?.LeadingComments)))
            .Concat(ContractDescriptors.Commented.SelectMany(f => f.Services).SelectMany(s => s.Methods).Select(m => (m.FullName, m.Declaration?.LeadingComments)))
            .Concat(Messages.SelectMany(m => m.EnumTypes).Concat(ContractDescriptors.Commented.SelectMany(f => f.EnumTypes)).SelectMany(e => e.Values).Select(v => (v.FullName, v.Declaration?.LeadingComments)))
            .Where(pair => string.IsNullOrWhiteSpace(pair.LeadingComments))
            .Select(pair => pair.FullName);

        Assert.That(silent, Is.Empty);
    }

    [Test]
    public void Offers_every_method_by_rest() => Assert.That(
        ContractDescriptors.Files.SelectMany(f => f.Services).SelectMany(s => s.Methods).Where(m => ContractDescriptors.HttpRuleOf(m) is null).Select(m => m.FullName), Is.Empty);

    [Test]
    public void Defines_every_reason_once()
    {
        var contract = Enum.GetValues<ErrorReason>().Where(reason => reason != ErrorReason.Unspecified);

        Assert.That(ErrorReasons.All.Select(definition => definition.Reason), Is.EquivalentTo(contract));
    }

    [Test]
    public void Knows_every_reason_that_the_core_gives()
    {
        var names = typeof(Reasons).GetFields().Select(field => (string)field.GetRawConstantValue()!);

        Assert.That(names, Is.SubsetOf(ErrorReasons.All.Select(definition => definition.Name)));
    }

    [Test]
    public void Documents_the_errors_as_they_are() => Golden.Holds("docs/errors.md", ErrorDocument.Render());

    [Test]
    public async Task Describes_itself_in_openapi_as_it_is() => Golden.Holds("docs/openapi.v1.json", await ContractDocument.JsonAsync() + "\n");

    [Test]
    public async Task Gives_an_openapi_document_that_its_own_library_reads_without_complaint()
    {
        var read = Microsoft.OpenApi.OpenApiDocument.Parse(await ContractDocument.JsonAsync(), "json");

        Assert.That(read.Diagnostic!.Errors, Is.Empty);
        Assert.That(read.Document!.Paths, Has.Count.GreaterThan(30));
    }
}

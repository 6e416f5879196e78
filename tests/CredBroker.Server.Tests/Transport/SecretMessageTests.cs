using CredBroker.Contracts;
using CredBroker.Contracts.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace CredBroker.Server.Tests.Transport;

[TestFixture]
internal sealed class SecretMessageTests
{
    private const string Secret = "hunter2-hunter2";

    [Test]
    public void Never_prints_a_credential()
    {
        var field = new CredentialField { Value = Secret, MediaType = "text/plain" };
        var credential = Credential.Of([KeyValuePair.Create("password", field)]);
        var issued = new IssueLeaseResponse { Lease = new Lease { Name = "tasks/a/leases/b" }, Credential = credential };
        var renewed = new RenewLeaseResponse { Lease = new Lease { Name = "tasks/a/leases/b" }, Credential = credential };
        var fields = credential.ToDictionary();

        Assert.That(
            new object[] { field, credential, issued, renewed, fields, fields.Single(), fields.Values, issued.Clone(), new[] { issued } }.Select(thing => $"{thing}"),
            Has.None.Contains(Secret));
        Assert.That(issued.ToString(), Does.Contain("tasks/a/leases/b"));
        Assert.That(fields["password"].Value, Is.EqualTo(Secret));
    }

    /// <summary>A message that holds a credential's field, however deep, prints itself; and no list or map of them is in reach but the one that is banned.</summary>
    [Test]
    public void Every_message_that_can_hold_a_credential_keeps_itself_from_being_printed()
    {
        var messages = ContractDescriptors.Files.SelectMany(file => file.MessageTypes).SelectMany(message => message.NestedTypes.Prepend(message)).ToList();
        var holding = messages.Where(message => !message.IsMapEntry && Reaches(message, [])).ToList();
        var collections = messages.SelectMany(message => message.Fields.InDeclarationOrder())
            .Where(field => field is { IsRepeated: true, FieldType: FieldType.Message } && Reaches(field.MessageType, []))
            .Select(field => field.FullName);

        Assert.That(holding.Select(message => message.Name), Is.SupersetOf(new[] { "Credential", "CredentialField", "IssueLeaseResponse", "RenewLeaseResponse" }));
        Assert.That(holding.Where(message => !message.ClrType.IsAssignableTo(typeof(ICustomDiagnosticMessage))).Select(message => message.FullName), Is.Empty);
        Assert.That(collections, Is.EqualTo(new[] { "credbroker.v1.Credential.fields" }), "the library's lists and maps print all that they hold");
        Assert.That(File.ReadAllLines(Path.Combine(Golden.Root, "BannedSymbols.txt")), Has.Some.StartsWith("P:CredBroker.Contracts.V1.Credential.Fields;"));
    }

    private static bool Reaches(MessageDescriptor? message, HashSet<MessageDescriptor> seen) =>
        message is not null && seen.Add(message)
        && (message == CredentialField.Descriptor || message.Fields.InDeclarationOrder().Any(field => field.FieldType == FieldType.Message && Reaches(field.MessageType, seen)));
}

using CredBroker.Contracts;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Manifests.Planning;

/// <summary>Compares what people set, and nothing that the broker sets.</summary>
internal static class Comparison
{
    public static bool Same(IMessage one, IMessage other) => Essence(one).Equals(Essence(other));

    /// <summary>A copy without output-only fields and etag; an empty nested message or document counts as absent,
    /// and what is left out as what the broker takes for it.</summary>
    public static IMessage Essence(IMessage resource)
    {
        var copy = resource.Descriptor.Parser.ParseFrom(resource.ToByteString());
        Strip(copy);
        Defaults.Fill(copy);
        return copy;
    }

    private static void Strip(IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (ContractDescriptors.IsOutputOnly(field) || (field.Name == "etag" && message.Descriptor.FindFieldByName("uid") is not null))
            {
                field.Accessor.Clear(message);
            }
            else if (field is { FieldType: FieldType.Message, IsRepeated: false } && field.Accessor.GetValue(message) is IMessage nested)
            {
                if (!IsValue(field.MessageType)) Strip(nested);
                if (nested.CalculateSize() == 0 && field.MessageType != Duration.Descriptor && field.MessageType != Timestamp.Descriptor) field.Accessor.Clear(message);
            }
        }
    }

    private static bool IsValue(MessageDescriptor type) => type == Struct.Descriptor || type == Duration.Descriptor || type == Timestamp.Descriptor;
}

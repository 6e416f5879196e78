using CredBroker.Contracts.V1;

namespace CredBroker.Client;

internal static class ErrorReasons
{
    private static readonly Dictionary<string, ErrorReason> ByName = ErrorsReflection.Descriptor.EnumTypes
        .Single(type => type.ClrType == typeof(ErrorReason)).Values
        .ToDictionary(value => value.Name, value => (ErrorReason)value.Number, StringComparer.Ordinal);

    public static ErrorReason Parse(string reason) => ByName.GetValueOrDefault(reason);
}

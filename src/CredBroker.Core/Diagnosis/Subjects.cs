using CredBroker.Abstractions;

namespace CredBroker.Core.Diagnosis;

/// <summary>How things are called where people read of them.</summary>
internal static class Subjects
{
    public static string Provider(string name) => $"providers/{name}";

    public static string Of(ProviderFault fault) => fault switch
    {
        ProviderFault.Unreachable => "the target cannot be reached",
        ProviderFault.Throttled => "the target says that it is asked too often",
        ProviderFault.Denied => "the target denies the broker a right",
        ProviderFault.Misconfigured => "the provider's configuration is wrong",
        ProviderFault.NotSupported => "the target cannot do it",
        ProviderFault.TargetMismatch => "another target answers than the one that issued",
        _ => "the target refuses this credential",
    };
}

using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;

namespace CredBroker.AspNetCore.Services;

/// <summary>Who may read the registry: auditors all of it, administrators what they administer. For others it isn't there.</summary>
internal sealed class RegistryReaders(RegistryService registry, Decider decider)
{
    public bool MayRead<TSpec>(Caller caller, ResourceType<TSpec> type, string name, string? parent)
        where TSpec : class =>
        caller.IsRoot || decider.Audit(caller, null).Allowed || registry.Refusal(RegistryAuthor.Of(caller), type, name, parent) is null;
}

using CredBroker.Abstractions;

namespace CredBroker.Core.Identity;

/// <summary>An identity source as the registry holds it.</summary>
/// <param name="Uid">The immutable id.</param>
/// <param name="Name">The name, unique among the living.</param>
/// <param name="Version">The generation: every change makes another.</param>
/// <param name="Spec">What was registered, without the preset's defaults.</param>
/// <param name="OperatorOwned">It comes from the operator's own configuration file, which the API cannot change.</param>
public sealed record RegisteredIdentitySource(Uid Uid, string Name, long Version, IdentitySourceSpec Spec, bool OperatorOwned);

/// <summary>The registry's identity sources.</summary>
public interface IIdentitySourceCatalog
{
    /// <summary>All that are registered now. The same instance is returned until something changes.</summary>
    IReadOnlyList<RegisteredIdentitySource> Current { get; }
}

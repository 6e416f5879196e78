using CredBroker.Abstractions;

namespace CredBroker.Policies;

/// <summary>What policies can find in <c>resource.revocability</c>.</summary>
public static class RevocabilityNames
{
    /// <summary>All of them, from the strongest to the weakest.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<RevocabilityKind>().Select(kind => new Revocability(kind, TimeSpan.Zero, "").PolicyName)];
}

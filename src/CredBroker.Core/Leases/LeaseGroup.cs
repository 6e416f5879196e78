using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Abstractions;

namespace CredBroker.Core.Leases;

/// <summary>
/// The document at the target that a lease shares with others, as it was when the lease was reserved. Two providers that are registered at one target
/// share it, because it is the target's.
/// </summary>
/// <param name="Id">What identifies it: derived from the target's identity and the name.</param>
/// <param name="Name">Its name, as the role kind declared it.</param>
/// <param name="Capacity">How many credentials it has room for.</param>
public sealed record LeaseGroup(Uid Id, string Name, int Capacity)
{
    /// <summary>How far a target's clock may be off before the broker issues nothing there: a slot is not free again any sooner.</summary>
    public static TimeSpan ClockMargin { get; } = TimeSpan.FromSeconds(30);

    /// <summary>The group of a target.</summary>
    public static LeaseGroup Of(string targetIdentity, ExclusiveGroup group)
    {
        ArgumentNullException.ThrowIfNull(targetIdentity);
        ArgumentNullException.ThrowIfNull(group);
        // With its length before it, the identity cannot be continued by the name.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{targetIdentity.Length}:{targetIdentity}:{group.Name}")));
        return new LeaseGroup(Uid.FromBytes(hash.AsSpan(0, 16)), group.Name, group.Capacity);
    }
}

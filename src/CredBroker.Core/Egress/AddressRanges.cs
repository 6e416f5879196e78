using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace CredBroker.Core.Egress;

/// <summary>What an address is, whatever its spelling: IPv6 has several ways to say an IPv4 address, and all lead to the same machine.</summary>
internal static class AddressRanges
{
    /// <summary>
    /// Never reachable, whatever the policy says: this host by the null address, link-local (RFC 3927, RFC 4291), multicast and broadcast, and
    /// the clouds' metadata services, which hand a credential to whoever asks.
    /// </summary>
    private static readonly IPNetwork[] AlwaysDenied = Networks(
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/128", "fe80::/10", "ff00::/8",
        "100.100.100.200/32", // Alibaba Cloud
        "168.63.129.16/32", // Azure's wire server
        "192.0.0.192/32", // Oracle Cloud
        "fd00:ec2::/32", // AWS
        "fd20:ce::254/128"); // Google Cloud

    /// <summary>Loopback, private and reserved (RFC 6890, RFC 4193): reachable only where the operator says so.</summary>
    private static readonly IPNetwork[] NotPublic = Networks(
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "240.0.0.0/4", "::1/128", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fec0::/10");

    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");
    private static readonly IPNetwork Translated = IPNetwork.Parse("::ffff:0:0:0/96"); // RFC 2765
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork LocalNat64 = IPNetwork.Parse("64:ff9b:1::/48");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Teredo = IPNetwork.Parse("2001::/32");

    public static bool IsAlwaysDenied(IPAddress address) => AlwaysDenied.Any(network => network.Contains(address));

    public static bool IsPublic(IPAddress address) => !NotPublic.Any(network => network.Contains(address));

    /// <summary>The address itself, and each IPv4 address that it stands for: all of them must be allowed.</summary>
    public static IReadOnlyList<IPAddress> Meanings(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return [address];
        if (address.IsIPv4MappedToIPv6) return [address.MapToIPv4()];
        var plain = new IPAddress(address.GetAddressBytes()); // Without a scope, which no network contains.
        var bytes = plain.GetAddressBytes();
        if (Compatible.Contains(plain) && BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(12)) > 1) return [plain, new IPAddress(bytes[12..16])];
        if (Translated.Contains(plain) || Nat64.Contains(plain) || LocalNat64.Contains(plain)) return [plain, new IPAddress(bytes[12..16])];
        if (SixToFour.Contains(plain)) return [plain, new IPAddress(bytes[2..6])];
        return Teredo.Contains(plain)
            ? [plain, new IPAddress(bytes[4..8]), new IPAddress(bytes[12..16].Select(value => (byte)~value).ToArray())]
            : [plain];
    }

    private static IPNetwork[] Networks(params string[] networks) => [.. networks.Select(network => IPNetwork.Parse(network))];
}

using System.Globalization;
using System.Net;

namespace CredBroker.Server.Configuration;

/// <summary>Addresses to listen on: <c>127.0.0.1:8420</c>, <c>[::1]:8420</c>. No names: what a name means can change.</summary>
internal static class ListenAddress
{
    /// <summary>What is expected.</summary>
    public const string Expected = "This must be an IP address and a port, such as 127.0.0.1:8420 or [::1]:8420; 0.0.0.0 and [::] stand for all.";

    public static bool TryParse(string text, out IPEndPoint address)
    {
        address = new IPEndPoint(IPAddress.None, 0);
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return false;
        var host = text[..colon];
        var isV6 = host is ['[', .., ']'];
        if (!IPAddress.TryParse(isV6 ? host[1..^1] : host, out var ip) || isV6 != (ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)) return false;
        if (!isV6 && host.Count(character => character == '.') != 3) return false; // "127.1" is an address to some, a mistake to most.
        address = new IPEndPoint(ip, port);
        return true;
    }

    /// <summary>An address that is known to be one.</summary>
    public static IPEndPoint Parse(string text) => TryParse(text, out var address) ? address : throw new FormatException(Expected);

    /// <summary>A proxy's address, or a network of them; never everybody.</summary>
    public static bool TryParseProxy(string text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network)) return network.PrefixLength > 0;
        if (!IPAddress.TryParse(text, out var ip)) return false;
        network = new IPNetwork(ip, ip.GetAddressBytes().Length * 8);
        return true;
    }
}

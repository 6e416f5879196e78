using System.Net;

namespace CredBroker.Core.Egress;

/// <summary>One rule: a network, or a host and perhaps all below it.</summary>
internal sealed record EgressRule(IPNetwork? Network, string? Host, bool Below)
{
    public static EgressRule? Parse(string? text)
    {
        if (text is not { Length: > 0 and <= 255 }) return null;
        if (IPNetwork.TryParse(text, out var network)) return HasHostBits(text, network) ? null : new EgressRule(network, null, false);
        if (IPAddress.TryParse(text, out var address))
            return text.Contains('%', StringComparison.Ordinal) ? null : new EgressRule(new IPNetwork(address, address.GetAddressBytes().Length * 8), null, false);
        var below = text.StartsWith("*.", StringComparison.Ordinal);
        var host = Canonical(below ? text[2..] : text);
        return IsHost(host) ? new EgressRule(null, host, below) : null;
    }

    public bool Matches(string canonicalHost) =>
        Host is not null && (Below ? canonicalHost.EndsWith("." + Host, StringComparison.Ordinal) : canonicalHost == Host);

    public bool Matches(IPAddress address) => Network is { } network && network.Contains(address);

    /// <summary>Host names have no case, and a trailing dot changes nothing.</summary>
    public static string Canonical(string host) => host.TrimEnd('.').ToLowerInvariant();

    /// <summary>10.0.0.1/8 reads as 10.0.0.0/8: whoever wrote it may have meant something smaller.</summary>
    private static bool HasHostBits(string text, IPNetwork network) => !IPAddress.Parse(text[..text.IndexOf('/', StringComparison.Ordinal)]).Equals(network.BaseAddress);

    private static bool IsHost(string host) =>
        host.Length > 0 && host.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'))
        && !host.All(character => char.IsAsciiDigit(character) || character == '.');
}

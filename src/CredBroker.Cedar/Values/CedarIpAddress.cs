using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CredBroker.Cedar;

/// <summary>An <c>ipaddr</c>: an IPv4 or IPv6 address, or a range of them (CIDR).</summary>
public sealed class CedarIpAddress : CedarValue
{
    private static readonly CedarIpAddress LoopbackV4 = new(true, (UInt128)127 << 24, 8);
    private static readonly CedarIpAddress LoopbackV6 = new(false, 1, 128);
    private static readonly CedarIpAddress MulticastV4 = new(true, (UInt128)224 << 24, 4);
    private static readonly CedarIpAddress MulticastV6 = new(false, (UInt128)0xff00 << 112, 8);

    private readonly UInt128 _bits;

    private CedarIpAddress(bool isIpv4, UInt128 bits, int prefix) => (IsIpv4, _bits, Prefix) = (isIpv4, bits, prefix);

    /// <summary>Whether it is IPv4, else IPv6.</summary>
    public bool IsIpv4 { get; }

    /// <summary>Length of the network prefix: 32 (IPv4) or 128 (IPv6) for a single address.</summary>
    public int Prefix { get; }

    /// <summary>Whether all of it lies in 127.0.0.0/8 or is ::1.</summary>
    public bool IsLoopback => IsInRange(IsIpv4 ? LoopbackV4 : LoopbackV6);

    /// <summary>Whether all of it lies in 224.0.0.0/4 or ff00::/8.</summary>
    public bool IsMulticast => IsInRange(IsIpv4 ? MulticastV4 : MulticastV6);

    /// <inheritdoc/>
    public override string TypeName => "ipaddr";

    private int Size => IsIpv4 ? 32 : 128;

    // Shifting a UInt128 by 128 shifts by nothing, so the widest mask is spelt out.
    private UInt128 HostMask => Size - Prefix is 128 ? UInt128.MaxValue : (UInt128.One << (Size - Prefix)) - 1;

    /// <summary>The address of a peer. IPv4 mapped into IPv6 becomes IPv4, so that policies meet one form.</summary>
    public static CedarIpAddress From(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        UInt128 bits = 0;
        foreach (var part in plain.GetAddressBytes())
            bits = (bits << 8) | part;
        var isIpv4 = plain.AddressFamily == AddressFamily.InterNetwork;
        return new CedarIpAddress(isIpv4, bits, isIpv4 ? 32 : 128);
    }

    /// <summary>Reads an address, optionally with <c>/prefix</c>. IPv4 embedded in IPv6 and zones are not accepted.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out CedarIpAddress? value)
    {
        value = null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = slash < 0 ? text : text[..slash];
        var isIpv4 = !address.Contains(':', StringComparison.Ordinal);
        var size = isIpv4 ? 32 : 128;
        var prefix = size;
        if (slash >= 0 && !TryNumber(text[(slash + 1)..], isIpv4 ? 2 : 3, size, out prefix))
            return false;
        if ((isIpv4 ? ParseV4(address) : ParseV6(address)) is not { } bits)
            return false;
        value = new CedarIpAddress(isIpv4, bits, prefix);
        return true;
    }

    /// <summary>Whether every address of this one is an address of <paramref name="range"/>.</summary>
    public bool IsInRange(CedarIpAddress range) => IsIpv4 == range.IsIpv4
        && (_bits & ~HostMask) >= (range._bits & ~range.HostMask) && (_bits | HostMask) <= (range._bits | range.HostMask);

    private static bool TryNumber(string text, int digits, int max, out int number)
    {
        number = 0;
        return text.Length >= 1 && text.Length <= digits && (text[0] != '0' || text.Length == 1) && text.All(char.IsAsciiDigit)
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= max;
    }

    private static UInt128? ParseV4(string text)
    {
        var parts = text.Split('.');
        if (parts.Length != 4)
            return null;
        UInt128 bits = 0;
        foreach (var part in parts)
        {
            if (!TryNumber(part, 3, 255, out var number))
                return null;
            bits = (bits << 8) | (uint)number;
        }
        return bits;
    }

    private static UInt128? ParseV6(string text)
    {
        var halves = text.Split("::");
        if (halves.Length > 2)
            return null;
        var left = Groups(halves[0]);
        var right = halves.Length == 2 ? Groups(halves[1]) : [];
        if (left is null || right is null)
            return null;
        var missing = 8 - left.Count - right.Count;
        if (halves.Length == 2 ? missing < 1 : missing != 0)
            return null;
        UInt128 bits = 0;
        foreach (var group in left.Concat(Enumerable.Repeat((ushort)0, missing)).Concat(right))
            bits = (bits << 16) | group;
        return bits;
    }

    private static List<ushort>? Groups(string text)
    {
        var groups = new List<ushort>(8);
        if (text.Length == 0)
            return groups;
        foreach (var part in text.Split(':'))
        {
            if (part.Length is 0 or > 4 || !part.All(char.IsAsciiHexDigit) || groups.Count == 8)
                return null;
            groups.Add(ushort.Parse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        }
        return groups;
    }

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) => other is CedarIpAddress ip && ip.IsIpv4 == IsIpv4 && ip._bits == _bits && ip.Prefix == Prefix;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(13, IsIpv4, _bits, Prefix);

    /// <inheritdoc/>
    public override string ToString() => $"ip(\"{ToLiteral()}\")";

    internal string ToLiteral()
    {
        // The framework would write ::ffff:1.2.3.4, which Cedar doesn't read.
        var address = IsIpv4
            ? string.Join('.', Enumerable.Range(0, 4).Select(i => ((int)(_bits >> (24 - 8 * i)) & 255).ToString(CultureInfo.InvariantCulture)))
            : string.Join(':', Enumerable.Range(0, 8).Select(i => ((int)(_bits >> (112 - 16 * i)) & 0xffff).ToString("x", CultureInfo.InvariantCulture)));
        return string.Create(CultureInfo.InvariantCulture, $"{address}{(Prefix == Size ? "" : $"/{Prefix}")}");
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts;

/// <summary>What may become part of a request or of a policy.</summary>
internal static partial class Names
{
    /// <summary>The length of an external name: <c>cb-</c>, an installation, <c>-</c>, a lease.</summary>
    public const int ExternalLength = 3 + 6 + 1 + Uid.Length;

    /// <summary>The name of our one inline policy on a role that is shared. Nothing else is ever written there.</summary>
    public const string DenyPolicy = "credbroker-revocations";

    /// <summary>Whether this is the name of something of ours.</summary>
    public static bool IsExternal([NotNullWhen(true)] string? name) => name is not null && ExternalPattern().IsMatch(name);

    /// <summary>When the lease of this name was reserved, which is before anything was issued for it.</summary>
    public static DateTimeOffset? ReservedAt(string name)
    {
        if (!IsExternal(name) || !Uid.TryParse(name[^Uid.Length..], out var uid)) return null;
        var bytes = uid.ToBytes();
        var milliseconds = 0L;
        for (var i = 0; i < 6; i++) milliseconds = (milliseconds << 8) | bytes[i];
        return milliseconds < DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
    }

    /// <exception cref="ProviderException">It is not.</exception>
    public static void RequireExternal(string name)
    {
        if (!IsExternal(name)) throw new ProviderException(ProviderFault.Credential, "The external name is not one of ours.", ProviderEffect.None);
    }

    /// <exception cref="ProviderException">It is none.</exception>
    public static void RequireMark(string mark)
    {
        if (!MarkPattern().IsMatch(mark)) throw new ProviderException(ProviderFault.Credential, "The mark is not one of ours.", ProviderEffect.None);
    }

    /// <summary>What a session tag's value may hold (at most 256 of these characters).</summary>
    public static bool IsTagValue(string value) => TagValuePattern().IsMatch(value);

    /// <summary>What a session tag's key may hold. AWS keeps its own prefix.</summary>
    public static bool IsTagKey(string key) => TagKeyPattern().IsMatch(key) && !key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"\Acb-[0-9a-z]{6}-[0-9a-hjkmnp-tv-z]{26}\z")]
    private static partial Regex ExternalPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_.:-]{1,512}\z")]
    private static partial Regex MarkPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9 _.:/=+@-]{0,256}\z")]
    private static partial Regex TagValuePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9 _.:/=+@-]{1,128}\z")]
    private static partial Regex TagKeyPattern();
}

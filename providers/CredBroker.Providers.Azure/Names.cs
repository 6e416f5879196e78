using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure;

/// <summary>What may become part of an address or a body: each part comes from a fixed alphabet in which nothing needs escaping.</summary>
internal static partial class Names
{
    // A namespace of our own (RFC 9562, section 6.6): what is made for a lease has the same id whoever computes it.
    private static readonly Guid Namespace = new("6f3d8f0a-5f4e-4c58-9f0e-2f6a3a1d7c11");

    public static bool IsExternalName(string name) => ExternalNamePattern().IsMatch(name);

    public static bool IsMark(string mark) => MarkPattern().IsMatch(mark);

    public static bool IsGuid(string text) => GuidPattern().IsMatch(text);

    public static bool IsSecretName(string text) => SecretNamePattern().IsMatch(text);

    public static bool IsVersion(string text) => VersionPattern().IsMatch(text);

    /// <summary>The external name that a mark was made for; null if it is none.</summary>
    public static string? ExternalNameOf(string? mark) =>
        mark is not null && MarkPattern().Match(mark) is { Success: true } match ? $"cb-{match.Groups["installation"].Value}-{match.Groups["lease"].Value}" : null;

    /// <summary>A name-based UUID of version 5 (RFC 9562, section 5.5): the same for the same name, for ever.</summary>
    public static Guid Uuid5(string name)
    {
        var input = Namespace.ToByteArray(bigEndian: true).Concat(Encoding.UTF8.GetBytes(name)).ToArray();
#pragma warning disable CA5350 // What version 5 is defined with; nothing rests on its strength.
        var hash = SHA1.HashData(input).AsSpan(0, 16);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash, bigEndian: true);
    }

    /// <exception cref="ProviderException">The name or the mark is not one of ours.</exception>
    public static void Require(string externalName, string mark)
    {
        if (!IsExternalName(externalName)) throw new ProviderException(ProviderFault.Credential, "The external name is not one of a lease.", ProviderEffect.None);
        if (!IsMark(mark) || ExternalNameOf(mark) != externalName) throw new ProviderException(ProviderFault.Credential, "The mark is not one of this lease.", ProviderEffect.None);
    }

    [GeneratedRegex(@"\Acb-[a-z0-9]{6}-[0-9a-z]{26}\z")]
    private static partial Regex ExternalNamePattern();

    [GeneratedRegex(@"\Acb1:(?<installation>[a-z0-9]{6}):(?<lease>[0-9a-z]{26}):[0-9a-f]{8}:[A-Za-z0-9_-]{43}\z")]
    private static partial Regex MarkPattern();

    [GeneratedRegex(@"\A[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\z")]
    private static partial Regex GuidPattern();

    [GeneratedRegex(@"\A[0-9A-Za-z-]{1,127}\z")]
    private static partial Regex SecretNamePattern();

    [GeneratedRegex(@"\A[0-9a-f]{32}\z")]
    private static partial Regex VersionPattern();
}

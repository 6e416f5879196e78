using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Abstractions;

namespace CredBroker.Core.Signing;

/// <summary>Makes and checks marks. The key is derived from the installation's wrapping key by HKDF (RFC 5869).</summary>
public sealed class LeaseMarks
{
    private readonly string _installationId;
    private readonly List<(string Id, byte[] Key)> _keys;

    /// <summary>Derives the keys.</summary>
    public LeaseMarks(InstallationOptions installation)
    {
        ArgumentNullException.ThrowIfNull(installation);
        _installationId = installation.Id;
        _keys = [.. installation.PreviousWrappingKeys.Prepend(installation.WrappingKey).Select(Derive)];
    }

    /// <summary>The mark of a lease.</summary>
    public LeaseMark Make(Uid leaseId)
    {
        var (id, key) = _keys[0];
        return new LeaseMark(_installationId, leaseId, id, Mac(key, _installationId, leaseId));
    }

    /// <summary>What a text found at a target is worth, and which lease it names: only <see cref="MarkVerdict.Ours"/> proves that.</summary>
    public MarkVerdict Check(string? text, out Uid leaseId)
    {
        leaseId = default;
        if (LeaseMark.Parse(text) is not { } mark) return MarkVerdict.None;
        leaseId = mark.LeaseId;
        if (mark.InstallationId != _installationId) return MarkVerdict.OtherInstallation;
        var given = Encoding.ASCII.GetBytes(mark.Mac);
        var authentic = _keys.Any(key => key.Id == mark.KeyId
            && CryptographicOperations.FixedTimeEquals(given, Encoding.ASCII.GetBytes(Mac(key.Key, mark.InstallationId, mark.LeaseId))));
        return authentic ? MarkVerdict.Ours : MarkVerdict.Forged;
    }

    private static string Mac(byte[] key, string installationId, Uid leaseId) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(LeaseMark.Body(installationId, leaseId))));

    private static (string Id, byte[] Key) Derive(byte[] wrappingKey)
    {
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, wrappingKey, 32, info: "credbroker/lease-mark/v1"u8.ToArray());
        var id = HKDF.DeriveKey(HashAlgorithmName.SHA256, wrappingKey, 4, info: "credbroker/lease-mark-id/v1"u8.ToArray());
        return (Convert.ToHexStringLower(id), key);
    }
}

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

    /// <summary>The id of the key that new marks are made with.</summary>
    public string PresentKeyId => _keys[0].Id;

    /// <summary>The id under which marks say that they were made with a wrapping key.</summary>
    public static string KeyIdOf(byte[] wrappingKey) => Derive(wrappingKey).Id;

    /// <summary>The mark of a new lease.</summary>
    public LeaseMark Make(Uid leaseId) => Make(leaseId, PresentKeyId);

    /// <summary>The mark of a lease, made with the key that its reservation noted; the present one where it noted none.</summary>
    /// <exception cref="ProviderException">That key is not configured any more.</exception>
    public LeaseMark Make(Uid leaseId, string keyId)
    {
        ArgumentNullException.ThrowIfNull(keyId);
        var (id, key) = keyId.Length == 0 ? _keys[0] : _keys.Find(candidate => candidate.Id == keyId);
        if (key is null)
            throw new ProviderException(ProviderFault.Credential, $"The wrapping key {keyId}, which the mark at the target was made with, is not configured.", ProviderEffect.None);
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

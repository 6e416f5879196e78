using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using CredBroker.Core.Signing;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.EntityFrameworkCore.Protection;

/// <summary>
/// Wraps Data Protection's keys by the operator's key, which is outside the database: AES-256-GCM under a key derived from it for this use
/// alone (HKDF, RFC 5869). Earlier wrapping keys still unwrap.
/// </summary>
internal sealed class WrappingKeys : IXmlEncryptor
{
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private readonly (string Id, byte[] Key)[] _keys;

    /// <param name="keys">32 bytes each; the first wraps.</param>
    public WrappingKeys(IReadOnlyList<byte[]> keys)
    {
        MarkKeyIds = keys.Select(LeaseMarks.KeyIdOf).ToHashSet(StringComparer.Ordinal);
        _keys = [.. keys.Select(key => (Convert.ToHexStringLower(Derive(key, "credbroker key ring id", 8)), Derive(key, "credbroker key ring", 32)))];
    }

    /// <summary>The ids under which marks at targets name these keys.</summary>
    public IReadOnlySet<string> MarkKeyIds { get; }

    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var (id, key) = _keys[0];
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var sealedBytes = new byte[NonceSize + plain.Length + TagSize];
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, NonceSize));
        using (var aes = new AesGcm(key, TagSize))
            aes.Encrypt(sealedBytes.AsSpan(0, NonceSize), plain, sealedBytes.AsSpan(NonceSize, plain.Length), sealedBytes.AsSpan(NonceSize + plain.Length), Encoding.UTF8.GetBytes(id));
        CryptographicOperations.ZeroMemory(plain);
        return new EncryptedXmlInfo(new XElement("wrapped", new XAttribute("key", id), Convert.ToBase64String(sealedBytes)), typeof(WrappedKeyDecryptor));
    }

    /// <exception cref="CryptographicException">It was wrapped by a key that is not configured, or it was changed.</exception>
    public XElement Decrypt(XElement encryptedElement)
    {
        var id = (string?)encryptedElement.Attribute("key") ?? "";
        var key = _keys.FirstOrDefault(candidate => candidate.Id == id).Key
            ?? throw new CryptographicException("A key of the key ring was wrapped by another wrapping key than those that are configured. Configure that key too, as a previous one.");
        var sealedBytes = Convert.FromBase64String(encryptedElement.Value);
        var plain = new byte[sealedBytes.Length - NonceSize - TagSize];
        using (var aes = new AesGcm(key, TagSize))
            aes.Decrypt(sealedBytes.AsSpan(0, NonceSize), sealedBytes.AsSpan(NonceSize, plain.Length), sealedBytes.AsSpan(NonceSize + plain.Length), plain, Encoding.UTF8.GetBytes(id));
        return XElement.Parse(Encoding.UTF8.GetString(plain));
    }

    private static byte[] Derive(byte[] key, string use, int length) => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, length, info: Encoding.UTF8.GetBytes(use));
}

/// <summary>Unwraps. Data Protection makes it by its name, which is stored with every wrapped key.</summary>
internal sealed class WrappedKeyDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) => services.GetRequiredService<WrappingKeys>().Decrypt(encryptedElement);
}

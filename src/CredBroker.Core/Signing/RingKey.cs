using System.Buffers.Text;
using System.Security.Cryptography;
using CredBroker.Abstractions;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Signing;

/// <summary>A stored key, ready to sign and to be published.</summary>
internal sealed class RingKey
{
    private const int RsaBits = 3072;

    private RingKey(StoredSigningKey stored, AsymmetricSecurityKey key, PublicJsonWebKey publicKey)
    {
        Stored = stored;
        Key = key;
        PublicKey = publicKey;
        Credentials = new SigningCredentials(key, KeyFamilies.AlgorithmOf(stored.Family));
    }

    public StoredSigningKey Stored { get; }

    public AsymmetricSecurityKey Key { get; }

    public PublicJsonWebKey PublicKey { get; }

    public SigningCredentials Credentials { get; }

    /// <summary>Reads a stored key.</summary>
    /// <exception cref="CryptographicException">It is damaged, or not of its family's kind, or not the key that its id names.</exception>
    public static RingKey Read(StoredSigningKey stored)
    {
        var (key, publicKey) = KeyFamilies.AlgorithmOf(stored.Family) == "RS256" ? ReadRsa(stored.Pkcs8) : ReadEllipticCurve(stored.Pkcs8);
        if (publicKey.KeyId != stored.KeyId) throw new CryptographicException($"The signing key {stored} is not the key that its id names.");
        key.KeyId = stored.KeyId;
        return new RingKey(stored, key, publicKey);
    }

    /// <summary>Makes a key.</summary>
    public static StoredSigningKey Generate(KeyFamily family, int ordinal, DateTimeOffset publishedAt, DateTimeOffset useFrom, TimeProvider time)
    {
        var isRsa = KeyFamilies.AlgorithmOf(family) == "RS256";
        using AsymmetricAlgorithm algorithm = isRsa ? RSA.Create(RsaBits) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pkcs8 = algorithm.ExportPkcs8PrivateKey();
        return new StoredSigningKey
        {
            Uid = Uid.New(time),
            Family = family,
            Ordinal = ordinal,
            KeyId = (isRsa ? ReadRsa(pkcs8) : ReadEllipticCurve(pkcs8)).Public.KeyId,
            Pkcs8 = pkcs8,
            PublishedAt = publishedAt,
            UseFrom = useFrom,
        };
    }

    private static (AsymmetricSecurityKey Key, PublicJsonWebKey Public) ReadRsa(byte[] pkcs8)
    {
        var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(pkcs8, out _);
        var key = new RsaSecurityKey(rsa);
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        return (key, new PublicJsonWebKey
        {
            KeyType = "RSA",
            KeyId = Base64Url.EncodeToString(key.ComputeJwkThumbprint()),
            Algorithm = "RS256",
            Modulus = Base64Url.EncodeToString(parameters.Modulus),
            Exponent = Base64Url.EncodeToString(parameters.Exponent),
        });
    }

    private static (AsymmetricSecurityKey Key, PublicJsonWebKey Public) ReadEllipticCurve(byte[] pkcs8)
    {
        var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(pkcs8, out _);
        var key = new ECDsaSecurityKey(ecdsa);
        var parameters = ecdsa.ExportParameters(includePrivateParameters: false);
        return (key, new PublicJsonWebKey
        {
            KeyType = "EC",
            KeyId = Base64Url.EncodeToString(key.ComputeJwkThumbprint()),
            Algorithm = "ES256",
            Curve = "P-256",
            X = Base64Url.EncodeToString(parameters.Q.X),
            Y = Base64Url.EncodeToString(parameters.Q.Y),
        });
    }
}

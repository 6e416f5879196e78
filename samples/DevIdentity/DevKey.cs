using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace DevIdentity;

/// <summary>A signing key of the development issuer.</summary>
internal sealed class DevKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    public DevKey(string keyId, string algorithm)
    {
        KeyId = keyId;
        Algorithm = algorithm;
        _key = algorithm switch
        {
            "ES256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            "RS256" => RSA.Create(2048),
            _ => throw new ArgumentException("The development issuer signs by ES256 or RS256.", nameof(algorithm)),
        };
    }

    public string KeyId { get; }

    public string Algorithm { get; }

    public byte[] Sign(byte[] data) => _key switch
    {
        ECDsa ecdsa => ecdsa.SignData(data, HashAlgorithmName.SHA256),
        RSA rsa => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        _ => throw new InvalidOperationException(),
    };

    public JsonObject ToJwk()
    {
        var jwk = new JsonObject { ["kid"] = KeyId, ["use"] = "sig", ["alg"] = Algorithm };
        if (_key is ECDsa ecdsa)
        {
            var point = ecdsa.ExportParameters(includePrivateParameters: false).Q;
            (jwk["kty"], jwk["crv"], jwk["x"], jwk["y"]) = ("EC", "P-256", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        }
        else if (_key is RSA rsa)
        {
            var parameters = rsa.ExportParameters(includePrivateParameters: false);
            (jwk["kty"], jwk["n"], jwk["e"]) = ("RSA", Base64Url.EncodeToString(parameters.Modulus), Base64Url.EncodeToString(parameters.Exponent));
        }

        return jwk;
    }

    /// <summary>The public key as PEM: what a key-confusion attack uses as an HMAC key.</summary>
    public string ToPublicPem() => _key.ExportSubjectPublicKeyInfoPem();

    public void Dispose() => _key.Dispose();
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>The broker's own identity in a test: real RS256 assertions, which a stand-in of the target can verify by <see cref="KeySet"/>.</summary>
public sealed class TestIdentity : IBrokerIdentity, IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);
    private readonly RSA _key = RSA.Create(2048);
    private readonly TimeProvider _time;
    private readonly string _installation;

    /// <summary>The identity towards one provider's target.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="provider">The provider.</param>
    /// <param name="installationId">The installation's id.</param>
    public TestIdentity(TimeProvider time, Uid provider, string installationId = "test01")
    {
        _time = time;
        _installation = installationId;
        Subject = $"{installationId}:provider:{provider}";
        Audience = $"credbroker:{Subject}";
    }

    /// <inheritdoc/>
    public string Issuer => "https://broker.test/federation";

    /// <inheritdoc/>
    public string Subject { get; }

    /// <inheritdoc/>
    public string Audience { get; }

    /// <summary>The id of the key that signs.</summary>
    public string KeyId => "test";

    /// <summary>The JWKS document that verifies the assertions (RFC 7517).</summary>
    public string KeySet
    {
        get
        {
            var key = _key.ExportParameters(includePrivateParameters: false);
            return JsonSerializer.Serialize(new { keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = KeyId, n = Base64Url.EncodeToString(key.Modulus), e = Base64Url.EncodeToString(key.Exponent) } } });
        }
    }

    /// <summary>The public key, as SubjectPublicKeyInfo in PEM.</summary>
    public string PublicKeyPem => _key.ExportSubjectPublicKeyInfoPem();

    /// <inheritdoc/>
    public ValueTask<Secret> MintAssertionAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Sign(Subject));

    /// <inheritdoc/>
    public ValueTask<Secret> MintLeaseAssertionAsync(Uid lease, CancellationToken cancellationToken) => ValueTask.FromResult(Sign($"{_installation}:lease:{lease}"));

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    private Secret Sign(string subject)
    {
        var now = _time.GetUtcNow();
        var header = Encode(new { alg = "RS256", typ = "JWT", kid = KeyId });
        var claims = Encode(new
        {
            iss = Issuer,
            sub = subject,
            aud = Audience,
            iat = now.ToUnixTimeSeconds(),
            nbf = now.ToUnixTimeSeconds(),
            exp = (now + Life).ToUnixTimeSeconds(),
            jti = Uid.New(_time).ToString(),
        });
        var signature = _key.SignData(Encoding.ASCII.GetBytes($"{header}.{claims}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return new Secret($"{header}.{claims}.{Base64Url.EncodeToString(signature)}");
    }

    private static string Encode(object part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}

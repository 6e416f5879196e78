using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.Server.Tests.Hosting;

/// <summary>A certificate authority of the test's own: a root that clients know, and one below it that only the server's file has.</summary>
internal sealed class IntermediateAuthority : IDisposable
{
    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _middle;

    public IntermediateAuthority()
    {
        var now = TimeProvider.System.GetUtcNow();
        var rootRequest = Request("CN=test root", _rootKey, authority: true);
        _root = rootRequest.CreateSelfSigned(now.AddHours(-1), now.AddHours(2));
        _middle = Request("CN=test authority", _middleKey, authority: true).Create(_root.SubjectName, X509SignatureGenerator.CreateForECDsa(_rootKey), now.AddHours(-1), now.AddHours(1), [1]);
    }

    /// <summary>A certificate for a loopback address, with its chain, and its key: both as PEM.</summary>
    public (string Chain, string Key) Issue(byte serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request("CN=broker", key, authority: false);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(_middle.SubjectName, X509SignatureGenerator.CreateForECDsa(_middleKey), now.AddHours(-1), now.AddMinutes(50), [serial]);
        return ($"{certificate.ExportCertificatePem()}\n{_middle.ExportCertificatePem()}\n", key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Speaks TLS to who was certified below this root, and to nobody else.</summary>
    public SocketsHttpHandler Handler() => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { _root },
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
        },
    };

    public void Dispose()
    {
        _root.Dispose();
        _middle.Dispose();
        _rootKey.Dispose();
        _middleKey.Dispose();
    }

    private static CertificateRequest Request(string name, ECDsa key, bool authority)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        return request;
    }
}

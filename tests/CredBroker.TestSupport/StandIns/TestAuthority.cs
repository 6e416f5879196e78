using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.TestSupport.StandIns;

/// <summary>An authority that is thrown away with its test: nobody else trusts what it signs.</summary>
public sealed class TestAuthority : IDisposable
{
    // TLS is checked by the machine's clock, whatever a stand-in's says.
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset To = new(2049, 12, 31, 0, 0, 0, TimeSpan.Zero);
    private readonly X509Certificate2 _root;

    /// <summary>Makes one.</summary>
    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // A name of its own: several may be trusted together, and are told apart by it.
        var request = new CertificateRequest($"CN=Throwaway test authority {RandomNumberGenerator.GetHexString(16)}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(From, To);
    }

    /// <summary>Its certificate in PEM: for a process that is told to trust it, as by SSL_CERT_FILE, or for a configuration's own field.</summary>
    public string Pem => _root.ExportCertificatePem();

    /// <summary>What a client that trusts this authority alone checks with.</summary>
    public X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_root);
        return policy;
    }

    /// <summary>A server's certificate for these names, and for loopback.</summary>
    public X509Certificate2 Certify(IEnumerable<string> hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Stand-in", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        foreach (var host in hosts) names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var certificate = request.Create(_root, From, To, RandomNumberGenerator.GetBytes(16));
        using var whole = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pfx), null); // SslStream takes no key that is only in memory on every platform.
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();
}

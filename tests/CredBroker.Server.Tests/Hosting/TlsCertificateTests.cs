using System.Security.Cryptography.X509Certificates;
using CredBroker.Server.Configuration;
using CredBroker.Server.Hosting;
using CredBroker.Server.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Server.Tests.Hosting;

/// <summary>A certificate that is renewed is taken up without a restart, and half a renewal breaks nothing.</summary>
[TestFixture]
internal sealed class TlsCertificateTests
{
    [Test]
    public void A_renewed_certificate_is_taken_up_and_half_a_renewal_is_waited_for()
    {
        using var folder = new TemporaryFolder();
        using var authority = new IntermediateAuthority();
        var time = new FakeTimeProvider();
        var (chain, key) = authority.Issue(1);
        var tls = new TlsConfiguration { Address = "127.0.0.1:1", CertificateFile = folder.Write("tls.crt", chain), KeyFile = folder.Write("tls.key", key) };
        var certificate = new TlsCertificate(tls, time, NullLogger<TlsCertificate>.Instance);
        Assert.That(Serial(certificate), Is.EqualTo("01"));
        Assert.That(certificate.Current().IntermediateCertificates.Select(each => each.Subject), Does.Contain("CN=test authority"));

        var (renewed, renewedKey) = authority.Issue(2);
        folder.Write("tls.crt", renewed);
        File.SetLastWriteTimeUtc(tls.CertificateFile, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Serial(certificate), Is.EqualTo("01"), "its key is not there yet");
        folder.Write("tls.key", renewedKey);
        Assert.That(Serial(certificate), Is.EqualTo("01"), "it looks once a minute");
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Serial(certificate), Is.EqualTo("02"));
    }

    private static string Serial(TlsCertificate certificate) => ((X509Certificate2)certificate.Current().TargetCertificate).SerialNumber;
}

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Server.Configuration;

namespace CredBroker.Server.Hosting;

/// <summary>The server's certificate with its chain, read again when its file has changed, so that a renewal needs no restart.</summary>
internal sealed partial class TlsCertificate(TlsConfiguration tls, TimeProvider time, ILogger<TlsCertificate> logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private SslStreamCertificateContext? _current;
    private DateTime _written;
    private DateTimeOffset _lookedAt;

    /// <summary>The certificate to use now, with what the file holds between it and its root: a client need know the root alone.</summary>
    public SslStreamCertificateContext Current()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_current is not null && now - _lookedAt < LookEvery) return _current;
            _lookedAt = now;
            var written = File.GetLastWriteTimeUtc(tls.CertificateFile);
            if (_current is not null && written == _written) return _current;
            try
            {
                var text = File.ReadAllText(tls.CertificateFile);
                var chain = new X509Certificate2Collection();
                chain.ImportFromPem(text);
                // Offline: nothing is fetched from addresses that a certificate names.
                _current = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(text, PrivateFile.ReadText(tls.KeyFile)), chain, offline: true);
                _written = written;
            }
            catch (Exception e) when (_current is not null && e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
            {
                LogKept(logger, tls.CertificateFile, e); // Certificate and key are replaced one after the other: the next look finds both.
            }

            return _current!;
        }
    }

    [LoggerMessage(EventId = 1501, Level = LogLevel.Warning, Message = "The changed certificate {File} cannot be used yet; the former one is kept")]
    private static partial void LogKept(ILogger logger, string file, Exception exception);
}

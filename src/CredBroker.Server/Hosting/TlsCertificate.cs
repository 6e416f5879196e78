using System.Security.Cryptography.X509Certificates;
using CredBroker.Server.Configuration;

namespace CredBroker.Server.Hosting;

/// <summary>The server's certificate, read again when its file has changed, so that a renewal needs no restart.</summary>
internal sealed partial class TlsCertificate(TlsConfiguration tls, TimeProvider time, ILogger<TlsCertificate> logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private X509Certificate2? _current;
    private DateTime _written;
    private DateTimeOffset _lookedAt;

    /// <summary>The certificate to use now.</summary>
    public X509Certificate2 Current()
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
                _current = X509Certificate2.CreateFromPem(File.ReadAllText(tls.CertificateFile), PrivateFile.ReadText(tls.KeyFile));
                _written = written;
            }
            catch (Exception e) when (_current is not null && e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
            {
                LogKept(logger, tls.CertificateFile, e); // Certificate and key are replaced one after the other: the next look finds both.
            }

            return _current!;
        }
    }

    [LoggerMessage(EventId = 1501, Level = LogLevel.Warning, Message = "The changed certificate {File} cannot be used yet; the former one is kept")]
    private static partial void LogKept(ILogger logger, string file, Exception exception);
}

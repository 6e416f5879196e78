using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.Server.Configuration;

/// <summary>Tokens and credentials never cross a network unencrypted.</summary>
internal static class ListenRules
{
    public static void Check(ServerConfiguration configuration, ConfigurationErrors errors)
    {
        var listen = configuration.Listen;
        var seen = new Dictionary<IPEndPoint, string>();
        var (http, grpc) = listen.Plain;
        CheckPlain("listen.http", http, listen, seen, errors);
        CheckPlain("listen.grpc", grpc, listen, seen, errors);
        if (listen.Tls is { } tls)
        {
            CheckAddress("listen.tls.address", tls.Address, seen, errors);
            CheckCertificate(tls, errors);
        }

        if (listen.BehindTlsProxy is { } proxy) CheckProxy(proxy, errors);
        CheckMetrics(configuration, seen, errors);
        if (listen.StopNotice < TimeSpan.Zero || listen.StopNotice > TimeSpan.FromMinutes(5)) errors.Rule("listen.stopNotice", "This is at most 5m.");
    }

    /// <summary>Whether nobody on another machine can reach the server.</summary>
    public static bool OnlyLoopback(ListenConfiguration listen)
    {
        var (http, grpc) = listen.Plain;
        return new[] { http, grpc, listen.Tls?.Address }.OfType<string>().All(IsLoopback) && listen.BehindTlsProxy is null;
    }

    private static void CheckPlain(string path, string? address, ListenConfiguration listen, Dictionary<IPEndPoint, string> seen, ConfigurationErrors errors)
    {
        if (address is null || !CheckAddress(path, address, seen, errors)) return;
        if (!IsLoopback(address) && listen.BehindTlsProxy is null)
            errors.Rule(path, "Off loopback TLS is required: use listen.tls, or say listen.behindTlsProxy where a proxy in front terminates it.");
    }

    private static bool CheckAddress(string path, string text, Dictionary<IPEndPoint, string> seen, ConfigurationErrors errors)
    {
        if (!ListenAddress.TryParse(text, out var address))
        {
            errors.Rule(path, ListenAddress.Expected);
            return false;
        }

        if (address.Port != 0 && !seen.TryAdd(address, path)) errors.Rule(path, $"This address is taken by {seen[address]}: each needs a port of its own.");
        return true;
    }

    private static void CheckCertificate(TlsConfiguration tls, ConfigurationErrors errors)
    {
        if (tls.CertificateFile.Length == 0) errors.Rule("listen.tls.certificateFile", "The certificate's file is required.");
        if (tls.KeyFile.Length == 0) errors.Rule("listen.tls.keyFile", "The private key's file is required.");
        if (tls.CertificateFile.Length == 0 || tls.KeyFile.Length == 0) return;
        try
        {
            var key = PrivateFile.ReadText(tls.KeyFile);
            if (!File.Exists(tls.CertificateFile)) throw new FileNotFoundException($"There is no file {tls.CertificateFile}.");
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(tls.CertificateFile), key);
        }
        catch (FileNotFoundException e)
        {
            errors.Rule("listen.tls.certificateFile", e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Rule("listen.tls.keyFile", e.Message);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // ArgumentException: the key is another certificate's.
            errors.Rule("listen.tls.certificateFile", "These are not a certificate and its private key as PEM.");
        }
    }

    private static void CheckProxy(TlsProxyConfiguration proxy, ConfigurationErrors errors)
    {
        if (proxy.TrustedProxies.Count == 0) errors.Rule("listen.behindTlsProxy.trustedProxies", "List the proxies: nobody else's word about the caller counts.");
        for (var i = 0; i < proxy.TrustedProxies.Count; i++)
        {
            if (!ListenAddress.TryParseProxy(proxy.TrustedProxies[i], out _))
                errors.Rule($"listen.behindTlsProxy.trustedProxies[{i}]", "This must be a proxy's IP address, or a network such as 10.2.0.0/24 without host bits; not everybody.");
        }
    }

    private static void CheckMetrics(ServerConfiguration configuration, Dictionary<IPEndPoint, string> seen, ConfigurationErrors errors)
    {
        const string Path = "telemetry.metricsAddress";
        if (configuration.Telemetry.MetricsAddress is not { } address || !CheckAddress(Path, address, seen, errors)) return;
        if (!IsLoopback(address) && configuration.Listen.BehindTlsProxy is null)
            errors.Rule(Path, "Off loopback TLS is required: use telemetry.metricsOnEveryAddress with listen.tls, or scrape on this machine.");
    }

    private static bool IsLoopback(string address) => ListenAddress.TryParse(address, out var parsed) && IPAddress.IsLoopback(parsed.Address);
}

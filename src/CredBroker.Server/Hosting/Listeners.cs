using System.Net;
using System.Net.Security;
using CredBroker.Server.Configuration;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using IPNetwork = System.Net.IPNetwork;

namespace CredBroker.Server.Hosting;

/// <summary>The sockets: two ports without TLS, for HTTP/1.1 and HTTP/2 can't share one; one with TLS; one for metrics.</summary>
internal static class Listeners
{
    private const string MetricsOnly = "credbroker.metrics";

    public static void Configure(KestrelServerOptions kestrel, ServerConfiguration configuration)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 4 * 1024 * 1024;
        var (http, grpc) = configuration.Listen.Plain;
        if (http is not null) kestrel.Listen(ListenAddress.Parse(http), options => options.Protocols = HttpProtocols.Http1);
        if (grpc is not null) kestrel.Listen(ListenAddress.Parse(grpc), options => options.Protocols = HttpProtocols.Http2);
        if (configuration.Listen.Tls is { } tls)
        {
            var certificate = new TlsCertificate(tls, kestrel.ApplicationServices.GetRequiredService<TimeProvider>(), kestrel.ApplicationServices.GetRequiredService<ILogger<TlsCertificate>>());
            kestrel.Listen(ListenAddress.Parse(tls.Address), options =>
            {
                options.Protocols = HttpProtocols.Http1AndHttp2;
                options.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current() }),
                });
            });
        }

        if (configuration.Telemetry.MetricsAddress is { } metrics)
        {
            kestrel.Listen(ListenAddress.Parse(metrics), options =>
            {
                options.Protocols = HttpProtocols.Http1;
                options.Use(next => connection =>
                {
                    connection.Items[MetricsOnly] = true;
                    return next(connection);
                });
            });
        }
    }

    /// <summary>Whether a request came by the listener that serves metrics and nothing else. The socket says so, no header.</summary>
    public static bool IsMetricsOnly(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(MetricsOnly) == true;

    /// <summary>Behind a proxy: believes the listed ones alone, and serves nobody else off this machine.</summary>
    public static void UseTlsProxy(this WebApplication app, TlsProxyConfiguration proxy)
    {
        var networks = proxy.TrustedProxies.Select(text => ListenAddress.TryParseProxy(text, out var network) ? network : throw new FormatException(text)).ToArray();
        app.Use((context, next) =>
        {
            if (context.Request.IsHttps || IsTrusted(context.Connection.RemoteIpAddress, networks)) return next(context);
            // Whoever goes round the proxy would send his token in the clear.
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        });
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownIPNetworks.Clear();
        options.KnownProxies.Clear();
        foreach (var network in networks) options.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(options);
    }

    private static bool IsTrusted(IPAddress? address, IPNetwork[] networks)
    {
        if (address is null) return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return IPAddress.IsLoopback(plain) || networks.Any(network => network.Contains(plain));
    }
}

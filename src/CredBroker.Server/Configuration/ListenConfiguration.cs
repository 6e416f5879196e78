namespace CredBroker.Server.Configuration;

/// <summary>Where the server listens. With nothing configured: 127.0.0.1:8420 for REST and 127.0.0.1:8421 for gRPC.</summary>
public sealed record ListenConfiguration
{
    /// <summary>REST where nothing else is configured.</summary>
    public const string DefaultHttp = "127.0.0.1:8420";

    /// <summary>gRPC where nothing else is configured.</summary>
    public const string DefaultGrpc = "127.0.0.1:8421";

    /// <summary>An address without TLS for HTTP/1.1: REST, health, hooks and well-known documents.</summary>
    public string? Http { get; init; }

    /// <summary>An address without TLS for HTTP/2: gRPC.</summary>
    public string? Grpc { get; init; }

    /// <summary>One address with TLS for both.</summary>
    public TlsConfiguration? Tls { get; init; }

    /// <summary>The proxy in front that terminates TLS.</summary>
    public TlsProxyConfiguration? BehindTlsProxy { get; init; }

    /// <summary>How long the server that was told to stop still serves, while <c>/readyz</c> says that it stops.</summary>
    public TimeSpan StopNotice { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What is listened on without TLS, in the end.</summary>
    internal (string? Http, string? Grpc) Plain => Http is null && Grpc is null && Tls is null ? (DefaultHttp, DefaultGrpc) : (Http, Grpc);
}

/// <summary>One address with TLS.</summary>
public sealed record TlsConfiguration
{
    /// <summary>The address, such as <c>0.0.0.0:8443</c>.</summary>
    public string Address { get; init; } = "";

    /// <summary>The certificate and its chain, PEM.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>The private key, PEM.</summary>
    public string KeyFile { get; init; } = "";
}

/// <summary>The proxy in front that terminates TLS.</summary>
public sealed record TlsProxyConfiguration
{
    /// <summary>Its addresses or networks: nobody else's word about the caller's address counts.</summary>
    public IReadOnlyList<string> TrustedProxies { get; init; } = [];
}

using CredBroker.Client.Tokens;

namespace CredBroker.Client;

/// <summary>Where the broker is, and who is calling.</summary>
public sealed record BrokerClientOptions
{
    /// <summary>The broker's gRPC address: <c>https</c>, or <c>http</c> on loopback.</summary>
    public required Uri Address { get; init; }

    /// <summary>Where the caller's attested token comes from. It is asked before every call, so that a renewed token is used at once.</summary>
    public required TokenSource Token { get; init; }

    /// <summary>A PEM file with the certificate authorities to trust instead of the system's.</summary>
    public string? CertificateAuthorityFile { get; init; }

    /// <summary>How long one call may take. 30 seconds.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a call that is safe to repeat is tried when its answer is lost, the first time included. 4.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>The clock of heartbeats and of pauses between tries.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal BrokerClientOptions Checked()
    {
        var loopbackHttp = Address.IsAbsoluteUri && Address.Scheme == Uri.UriSchemeHttp && Address.IsLoopback;
        if (!Address.IsAbsoluteUri || (Address.Scheme != Uri.UriSchemeHttps && !loopbackHttp))
            throw new ArgumentException("The broker's address is https, or http on loopback: a token never travels in the clear.");
        if (Address.UserInfo.Length > 0) throw new ArgumentException("The broker's address holds no user or password.");
        if (CallTimeout <= TimeSpan.Zero) throw new ArgumentException("A call's timeout is positive.");
        if (MaxAttempts < 1) throw new ArgumentException("There is at least one try.");
        return this;
    }
}

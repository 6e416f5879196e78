using System.Net;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Abstractions;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets.Targets;

/// <summary>The stand-in of a provider's target, in front of a watched broker: what it was sent and what it handed out is known.</summary>
internal abstract class WatchedTarget : IAsyncDisposable
{
    /// <summary>The provider type.</summary>
    public abstract string Type { get; }

    /// <summary>The provider's name.</summary>
    public string Provider => $"watched-{Type}";

    /// <summary>The stand-in.</summary>
    public abstract StandInHost Host { get; }

    /// <summary>What went to it and came from it.</summary>
    public abstract Wire Wire { get; }

    /// <summary>Roles, at least one of each kind that the type has.</summary>
    public abstract IReadOnlyList<(string Name, string Kind, string Template)> Roles { get; }

    /// <summary>Whether a call makes something, or logs in: what is worth losing or refusing.</summary>
    public abstract bool Matters(StandInRequest request);

    /// <summary>An answer in the target's own form that quotes, as its error, what it was sent.</summary>
    public abstract StandInAnswer Quote(StandInRequest request);

    /// <summary>The configuration of the provider.</summary>
    public abstract Struct Configuration();

    /// <summary>Items of <c>secretSources</c> in the operator's file.</summary>
    public virtual string SecretSources(Workplace place) => "";

    /// <summary>What an administrator of the target does once the provider is registered.</summary>
    public virtual Task TrustAsync(Provider provider, Workplace place) => Task.CompletedTask;

    public virtual async ValueTask DisposeAsync() => await Host.DisposeAsync();

    /// <summary>An item of <c>secretSources</c>: a file that this provider alone may use, towards loopback.</summary>
    protected string SecretSource(Workplace place, string name, string secret) => $$"""
          - name: {{name}}
            file: {{place.Write($"{name}.secret", secret)}}
            consumers: [{provider: {{Provider}}, host: 127.0.0.1}]

        """;
}

/// <summary>The way out of a watched broker: the operator's policy, and the system's authorities are those of the stand-ins.</summary>
internal sealed class TrustingEgress(IEgress inner, X509Certificate2Collection system) : IEgress
{
    public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancellationToken) => inner.ResolveAsync(host, port, cancellationToken);

    public HttpMessageHandler CreateHttpHandler(X509Certificate2Collection? authorities = null) => inner.CreateHttpHandler(authorities ?? system);
}

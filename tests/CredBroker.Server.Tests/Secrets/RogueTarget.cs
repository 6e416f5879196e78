using CredBroker.Server.Tests.Secrets.Targets;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>
/// A provider type that sends a secret, and an attacker's server that pretends to be its target: a case of <see cref="RepointedProviderTests"/>. Every type that
/// sends one has at least one: a test asks for it.
/// </summary>
internal abstract class RogueTarget
{
    /// <summary>Every case there is.</summary>
    public static IReadOnlyList<RogueTarget> All { get; } = [.. RoguePostgres.Ways, .. RogueVault.Ways, .. RogueAzure.Ways];

    /// <summary>How the attacker's server behaves, for the test's name.</summary>
    public abstract string Name { get; }

    /// <summary>The provider type that it attacks.</summary>
    public abstract string Type { get; }

    /// <summary>Whether the provider speaks with a server at another port of the host that the operator declared. It may where the host must prove itself, and the server cannot.</summary>
    public virtual bool IsSpokenWith => true;

    /// <summary>The configuration of a registered provider, pointed at another server.</summary>
    public abstract Struct Point(Struct configuration, string host, int port);

    /// <summary>Speaks with the provider, and keeps what it says.</summary>
    public abstract Task AnswerAsync(Stream stream, Action<byte[]> keep, CancellationToken cancellationToken);

    /// <summary>Whether anything that was caught opens the real target.</summary>
    public abstract Task<bool> WorksAsync(RealTargets targets, IReadOnlyList<byte[]> caught);

    /// <summary>Lets the attacker's server have what the provider must never send it.</summary>
    public abstract Task TellAsync(RealTargets targets, RecordingListener listener);

    public sealed override string ToString() => Name;
}

/// <summary>The targets that the registered providers are for.</summary>
internal sealed record RealTargets(TargetDatabase Database, WatchedVault Vault, WatchedAzure Azure) : IAsyncDisposable
{
    public string ProviderOf(string type) => type == "postgresql" ? DatabaseStory.Provider : Of(type).Provider;

    public Struct ConfigurationOf(string type) => type == "postgresql" ? DatabaseStory.Configuration(Database) : Of(type).Configuration();

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await Vault.DisposeAsync();
        await Azure.DisposeAsync();
    }

    private WatchedTarget Of(string type) => type == "vault" ? Vault : Azure;
}

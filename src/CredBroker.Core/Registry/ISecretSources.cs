using CredBroker.Abstractions;

namespace CredBroker.Core.Registry;

/// <summary>
/// The named secret sources of the operator's file, each with the consumers that may use it. Nothing else can name a file or a variable,
/// so that nobody who may edit a provider can have a secret sent to a place of their own.
/// </summary>
public interface ISecretSources
{
    /// <summary>Why this consumer may not use the source towards this host; null when it may. A hook has no host.</summary>
    string? Refusal(string source, SecretConsumer consumer);

    /// <summary>The secret, read anew, so that a changed file needs no restart.</summary>
    /// <exception cref="ProviderException">It cannot be read, or this consumer may not use it.</exception>
    ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken);
}

/// <summary>Who would use a secret.</summary>
/// <param name="Kind"><c>provider</c> or <c>hook</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Host">Where it would be sent, lower-case; empty for a hook.</param>
public sealed record SecretConsumer(string Kind, string Name, string Host);

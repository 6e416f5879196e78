using CredBroker.Abstractions;
using CredBroker.Core.Registry;
using CredBroker.Server.Configuration;

namespace CredBroker.Server.Secrets;

/// <summary>
/// The named secrets of the operator's file. A secret is handed out only to a consumer that the file lists, and a provider's only towards the
/// host that it lists: who may edit a provider can't have a secret sent to a place of their own.
/// </summary>
internal sealed class SecretSources(IReadOnlyList<SecretSourceConfiguration> sources, Func<string, string?> environment) : ISecretSources
{
    private readonly Dictionary<string, SecretSourceConfiguration> _sources = sources.ToDictionary(source => source.Name, StringComparer.Ordinal);

    public string? Refusal(string source, SecretConsumer consumer)
    {
        ArgumentNullException.ThrowIfNull(consumer);
        // One answer for an unknown name and for somebody else's: the names of others' secrets are nobody's business.
        return _sources.TryGetValue(source, out var known) && known.Consumers.Any(allowed => Matches(allowed, consumer))
            ? null
            : $"There is no secret source {Printable(source)} for the {consumer.Kind} {consumer.Name}{(consumer.Host.Length == 0 ? "" : $" towards {Printable(consumer.Host)}")}. The operator declares it in secretSources.";
    }

    public ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken)
    {
        if (Refusal(source, consumer) is { } refusal) throw new ProviderException(ProviderFault.Misconfigured, refusal, ProviderEffect.None);
        return ValueTask.FromResult(new Secret(Read(_sources[source])));
    }

    private string Read(SecretSourceConfiguration source)
    {
        if (source.Env is { } variable)
        {
            return environment(variable) is { Length: > 0 } value
                ? value
                : throw new ProviderException(ProviderFault.Misconfigured, $"The secret source {source.Name} is empty.", ProviderEffect.None);
        }

        try
        {
            return PrivateFile.ReadText(source.File!) is { Length: > 0 } text
                ? text
                : throw new ProviderException(ProviderFault.Misconfigured, $"The secret source {source.Name} is empty.", ProviderEffect.None);
        }
        catch (IOException e)
        {
            throw new ProviderException(ProviderFault.Misconfigured, $"The secret source {source.Name} cannot be read: {e.Message}", ProviderEffect.None);
        }
    }

    private static bool Matches(SecretConsumerConfiguration allowed, SecretConsumer consumer) => consumer.Kind switch
    {
        "provider" => allowed.Provider == consumer.Name && string.Equals(allowed.Host?.TrimEnd('.'), consumer.Host.TrimEnd('.'), StringComparison.OrdinalIgnoreCase),
        "hook" => allowed.Hook == consumer.Name,
        _ => false,
    };

    private static string Printable(string text) => new([.. text.Take(64).Select(character => character is > ' ' and <= '~' ? character : '?')]);
}

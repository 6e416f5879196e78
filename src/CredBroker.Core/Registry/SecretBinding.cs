namespace CredBroker.Core.Registry;

/// <summary>
/// The use of a named secret by a consumer, towards one host. It belongs to the resource that was first registered with it, by its id and for good: neither who
/// comes later by the same name nor the same resource at another address gets anything by it.
/// </summary>
/// <param name="Source">The secret source.</param>
/// <param name="Consumer">Who uses it, by name, and towards which host.</param>
public sealed record SecretBinding(string Source, SecretConsumer Consumer)
{
    /// <summary>The binding with its host in the one spelling: what names the same place must be the same binding.</summary>
    public static SecretBinding Of(string source, SecretConsumer consumer)
    {
        ArgumentNullException.ThrowIfNull(consumer);
        return new(source, consumer with { Host = consumer.Host.TrimEnd('.').ToLowerInvariant() });
    }
}

namespace CredBroker.Server.Configuration;

/// <summary>What was written, before it means anything, and where.</summary>
/// <param name="Origin">A file and its line, or an environment variable.</param>
internal abstract record ConfigurationNode(string Origin)
{
    /// <summary>One value; empty when it was written without quotes and is nothing.</summary>
    public sealed record Scalar(string Origin, string Text, bool Empty) : ConfigurationNode(Origin);

    /// <summary>A list.</summary>
    public sealed record Sequence(string Origin, List<ConfigurationNode> Items) : ConfigurationNode(Origin);

    /// <summary>Keys and values, in order.</summary>
    public sealed record Mapping(string Origin, Dictionary<string, ConfigurationNode> Members) : ConfigurationNode(Origin);
}

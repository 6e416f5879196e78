namespace CredBroker.Cli.Output;

/// <summary>A column of a table: its title, and what it shows of an item.</summary>
internal sealed record Column<T>(string Title, Func<T, string> Value);

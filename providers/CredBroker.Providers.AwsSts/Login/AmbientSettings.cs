namespace CredBroker.Providers.AwsSts.Login;

/// <summary>What the operator gave the broker's process: its environment, and the files of its user.</summary>
/// <param name="Variable">Reads an environment variable.</param>
/// <param name="ReadFile">Reads a file that the environment names.</param>
internal sealed record AmbientSettings(Func<string, string?> Variable, Func<string, CancellationToken, Task<string>> ReadFile)
{
    /// <summary>The variable with which the operator lets providers use these: their names, separated by commas, or <c>*</c>.</summary>
    public const string AllowVariable = "CREDBROKER_AWS_AMBIENT_CREDENTIALS";

    /// <summary>Those of this process.</summary>
    public static AmbientSettings OfProcess { get; } = new(Environment.GetEnvironmentVariable, File.ReadAllTextAsync);

    /// <summary>Whether the operator lets this provider use them. Who may register a provider must not thereby get what was given to the process.</summary>
    public bool IsAllowedFor(string provider) =>
        Variable(AllowVariable)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { } names && (names.Contains("*") || names.Contains(provider));
}

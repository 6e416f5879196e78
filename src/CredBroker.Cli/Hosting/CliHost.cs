namespace CredBroker.Cli.Hosting;

/// <summary>What surrounds the command: its streams, environment and clock.</summary>
internal sealed record CliHost
{
    public required TextReader In { get; init; }

    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    public required Func<string, string?> Environment { get; init; }

    /// <summary>The user's configuration folder, <c>~/.config</c> unless XDG_CONFIG_HOME says otherwise.</summary>
    public required string ConfigFolder { get; init; }

    /// <summary>Somebody is there to answer questions.</summary>
    public bool Interactive { get; init; }

    /// <summary>The terminal's columns; null when output isn't one.</summary>
    public int? Columns { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public static CliHost OfThisProcess()
    {
        var home = System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile);
        var xdg = System.Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        return new()
        {
            In = Console.In,
            Out = Console.Out,
            Error = Console.Error,
            Environment = System.Environment.GetEnvironmentVariable,
            ConfigFolder = Path.IsPathRooted(xdg) ? xdg : Path.Combine(home, ".config"),
            Interactive = !Console.IsInputRedirected && !Console.IsErrorRedirected,
            Columns = Console.IsOutputRedirected ? null : Math.Max(80, Console.WindowWidth),
        };
    }
}

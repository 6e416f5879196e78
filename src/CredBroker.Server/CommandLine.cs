namespace CredBroker.Server;

/// <summary>What the operator asked for.</summary>
internal sealed record CommandLine(ServerCommand Command, string? File)
{
    public const string Usage = """
        usage: credbroker-server [--config FILE] [--check | --migrate]

          --config FILE   the configuration; default: credbroker.yaml in this folder, or environment variables alone
          --check         say everything that is wrong with configuration and manifests, change nothing, and exit
          --migrate       bring the database up to date, and exit
          --version       say the version
          --help          say this

        Exit codes: 0 fine, 1 wrong configuration, 2 wrong command line, 3 could not start.
        """;

    /// <summary>Null when the arguments are wrong.</summary>
    public static CommandLine? Parse(IReadOnlyList<string> arguments)
    {
        var result = new CommandLine(ServerCommand.Serve, null);
        for (var i = 0; i < arguments.Count; i++)
        {
            var next = (arguments[i], result) switch
            {
                ("--config", { File: null }) when i + 1 < arguments.Count => result with { File = arguments[++i] },
                ("--check", { Command: ServerCommand.Serve }) => result with { Command = ServerCommand.Check },
                ("--migrate", { Command: ServerCommand.Serve }) => result with { Command = ServerCommand.Migrate },
                ("--version", { Command: ServerCommand.Serve }) => result with { Command = ServerCommand.Version },
                ("--help" or "-h", { Command: ServerCommand.Serve }) => result with { Command = ServerCommand.Help },
                _ => null,
            };
            if (next is null) return null;
            result = next;
        }

        return result;
    }
}

/// <summary>What the server can be asked to do.</summary>
internal enum ServerCommand
{
    /// <summary>Serve until told to stop.</summary>
    Serve,

    /// <summary>Check the configuration.</summary>
    Check,

    /// <summary>Migrate the database.</summary>
    Migrate,

    /// <summary>Say the version.</summary>
    Version,

    /// <summary>Say how to use it.</summary>
    Help,
}

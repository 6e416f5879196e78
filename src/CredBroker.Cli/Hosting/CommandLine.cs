using System.CommandLine;
using CredBroker.Cli.Commands;
using CredBroker.Client;
using CredBroker.Manifests;

namespace CredBroker.Cli.Hosting;

/// <summary>The command's tree, and the one place where its faults become messages and exit codes.</summary>
internal static class CommandLine
{
    // No response files: `@` is just a character, as in everything that people type.
    private static readonly ParserConfiguration Parsing = new() { ResponseFileTokenReplacer = null };

    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellationToken = default)
    {
        if (args.Any(arg => arg == "--token" || arg.StartsWith("--token=", StringComparison.Ordinal)))
        {
            // Said without repeating what follows: every user of the machine can read a command line, and so can a log of this message.
            Error(host, "A token is never given on a command line. Use --token-file, and have that token revoked.");
            return ExitCodes.Usage;
        }

        var parsed = Build(host).Parse(args, Parsing);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) Error(host, error.Message);
            host.Error.WriteLine("See --help.");
            return ExitCodes.Usage;
        }

        return await parsed.InvokeAsync(new() { Output = host.Out, Error = host.Error, EnableDefaultExceptionHandler = false }, cancellationToken);
    }

    public static RootCommand Build(CliHost host)
    {
        var root = new RootCommand("Credentials for tasks: issued by policy, dead when the task is.");
        GlobalOptions.AddTo(root);
        root.Add(TaskCommands.Build(host));
        root.Add(LeaseCommands.Build(host));
        root.Add(ReceiptCommands.Build(host));
        root.Add(ProviderTypeCommands.Build(host));
        root.Add(ProviderCommands.Build(host));
        root.Add(RoleCommands.Build(host));
        root.Add(IdentitySourceCommands.Build(host));
        root.Add(HookCommands.Build(host));
        root.Add(PolicyCommands.Build(host));
        root.Add(SuspensionCommands.Build(host));
        root.Add(WorkloadCommands.Build(host));
        root.Add(DecisionCommands.Build(host));
        root.Add(AuditCommands.Build(host));
        root.Add(ReconcileCommand.Build(host));
        root.Add(QuarantineCommands.Build(host));
        root.Add(DoctorCommand.Build(host));
        foreach (var command in ManifestCommands.Build(host)) root.Add(command);
        return root;
    }

    /// <summary>Gives a command what it does.</summary>
    public static Command Does(this Command command, CliHost host, Func<CliContext, Task<int>> action)
    {
        command.SetAction(async (parsed, cancellation) =>
        {
            using var context = new CliContext(host, parsed, cancellation);
            return await GuardAsync(host, () => action(context));
        });
        return command;
    }

    /// <summary>Gives a command what it does, where doing it is all there is to say.</summary>
    public static Command Does(this Command command, CliHost host, Func<CliContext, Task> action) => command.Does(host, async context =>
    {
        await action(context);
        return ExitCodes.Ok;
    });

    private static async Task<int> GuardAsync(CliHost host, Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (CliException fault)
        {
            Error(host, fault.Message);
            return fault.ExitCode;
        }
        catch (ManifestException fault)
        {
            foreach (var error in fault.Errors) Error(host, error.ToString());
            return ExitCodes.Usage;
        }
        catch (BrokerException fault)
        {
            Report(host, fault);
            return ExitCodes.Of(fault);
        }
        catch (OperationCanceledException)
        {
            Error(host, "Interrupted.");
            return ExitCodes.Cancelled;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Error(host, fault.Message);
            return ExitCodes.Failed;
        }
    }

    private static void Report(CliHost host, BrokerException fault)
    {
        Error(host, fault.Reason.Length > 0 ? $"{fault.Message} ({fault.Reason})" : fault.Message);
        foreach (var violation in fault.FieldViolations) Detail(host, $"{violation.Field}: {violation.Description}");
        foreach (var (key, value) in fault.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) Detail(host, $"{key}: {value}");
        if (fault.RetryDelay is { } delay) Detail(host, FormattableString.Invariant($"try again in {delay.TotalSeconds:0.#} seconds"));
    }

    private static void Error(CliHost host, string message) => host.Error.WriteLine($"error: {SafeText.Lines(message)}");

    private static void Detail(CliHost host, string message) => host.Error.WriteLine($"  {SafeText.Line(message)}");
}

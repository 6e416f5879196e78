using System.CommandLine;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Manifests;

namespace CredBroker.Cli.Commands;

internal static class IssueCommand
{
    public static Command Build(CliHost host)
    {
        var task = Options.Name("The task that it is for.", "task");
        var role = Options.Name("What is asked for, such as books/reader.", "role");
        var parameters = Options.Pairs("--param", "A value of one of the role's parameters; may be given several times.");
        var ttl = Options.Duration("--ttl", "How long it should live. The longest that is allowed without it.");
        var destination = Destination();
        var output = new CredentialOutput();
        var command = new Command("issue", "Asks for a credential. It is shown this once.") { task, role, parameters, ttl, destination };
        output.AddTo(command);
        return command.Does(host, async context =>
        {
            output.Check(context);
            var lease = await context.Client.IssueAsync(
                Options.Full("tasks", context.Get(task)), AdminCommands.FullName(ResourceKind.Role, context.Get(role)), Options.ToPairs(context.Get(parameters)), context.Get(ttl),
                context.Get(destination), context.Cancellation);
            try
            {
                if (!output.Write(context, lease.Name, lease.ExpireTime, lease.Credential)) context.Printer.Item(lease.Lease);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Nobody has it: it must not live on.
                await context.Client.RevokeAsync(lease.Name, cancellationToken: CancellationToken.None);
                throw new CliException(ExitCodes.Failed, $"The credential couldn't be written, and {lease.Name} is revoked: {fault.Message}");
            }
        });
    }

    public static Option<string?> Destination() => Options.Text("--destination", "Where you say that you use it: policy may look at it.", "place");
}

internal static class RenewCommand
{
    public static Command Build(CliHost host)
    {
        var name = Options.Name("The lease's name, or its id.", "lease");
        var ttl = Options.Duration("--ttl", "How long it should live from now. The longest that is allowed without it.");
        var destination = IssueCommand.Destination();
        var output = new CredentialOutput();
        var command = new Command("renew", "Lengthens a credential's life. Fields that change with it go where you say; most credentials have none.") { name, ttl, destination };
        output.AddTo(command);
        return command.Does(host, async context =>
        {
            output.Check(context);
            var answer = await context.Client.RenewAsync(LeaseCommands.FullName(context.Get(name)), context.Get(ttl), context.Get(destination), context.Cancellation);
            var fields = Client.SecretValue.Of(answer.Credential);
            if (fields.Count == 0 || !output.Write(context, answer.Lease.Name, answer.ExpireTime.ToDateTimeOffset(), fields)) context.Printer.Item(answer.Lease);
        });
    }
}

using System.CommandLine;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;

namespace CredBroker.Cli.Commands;

internal static class DoctorCommand
{
    private static readonly Column<Ailment>[] Columns = [new("SEVERITY", a => Show.Name(a.Severity)), new("CODE", a => a.Code), new("SUBJECT", a => a.Subject), new("WHAT IS WRONG", a => a.What), new("WHAT TO DO", a => a.Remedy)];

    public static Command Build(CliHost host) =>
        new Command("doctor", "Says in plain words what is wrong with the broker, and what to do. Exit code 8 when something is wrong; notices alone are 0.").Does(host, async context =>
        {
            var found = await context.Client.Operations.DiagnoseAsync(new(), cancellationToken: context.Cancellation);
            if (context.Printer.Format != OutputFormat.Table)
            {
                context.Printer.List("ailments", found.Ailments, Columns);
            }
            else
            {
                if (found.Ailments.Count == 0) context.Printer.Note("Nothing is wrong.");
                foreach (var ailment in found.Ailments)
                {
                    context.Printer.Line($"{Show.Name(ailment.Severity)}: {ailment.Subject} ({ailment.Code})");
                    context.Printer.Line($"  {ailment.What}");
                    context.Printer.Line($"  -> {ailment.Remedy}");
                }
            }

            return found.Ailments.Any(ailment => ailment.Severity is not Ailment.Types.Severity.Notice) ? ExitCodes.Findings : ExitCodes.Ok;
        });
}

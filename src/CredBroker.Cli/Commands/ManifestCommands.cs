using System.CommandLine;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Client;
using CredBroker.Manifests;
using CredBroker.Manifests.Planning;
using Google.Protobuf;

namespace CredBroker.Cli.Commands;

/// <summary>The broker's registry as files: apply, diff, export.</summary>
internal static class ManifestCommands
{
    public static IEnumerable<Command> Build(CliHost host) => [Apply(host), Diff(host), Export(host)];

    private static Command Apply(CliHost host)
    {
        var file = ManifestInput.FileOption();
        var prune = PruneOption();
        var reuse = AdminCommands.ReuseOption();
        var yes = AdminCommands.YesOption();
        var expect = AdminCommands.ExpectOption();
        return new Command("apply", "Makes identity sources, providers, roles, hooks and policy sets what manifests say.") { file, prune, reuse, expect, yes }.Does(host, async context =>
        {
            var target = new BrokerTarget(context.Client, context.Get(reuse), context.Get(expect) ?? 0);
            var plan = await PlanAsync(context, context.Get(file)!, target, context.Get(prune));
            var deletions = plan.Changes.Where(step => step.Action == PlanAction.Delete).ToList();
            if (deletions.Count > 0) context.Confirm($"This deletes {string.Join(", ", deletions.Select(step => step.Name))}.", context.Get(yes));
            return await ApplyAsync(context, plan, target);
        });
    }

    private static async Task<int> ApplyAsync(CliContext context, ManifestPlan plan, BrokerTarget target)
    {
        var done = 0;
        try
        {
            await plan.ApplyAsync(
                target,
                step =>
                {
                    done++;
                    context.Host.Out.WriteLine($"{Past(step.Action),-10}{step.Name}");
                },
                context.Cancellation);
            return ExitCodes.Ok;
        }
        catch (BrokerException fault) when (plan.Steps.Take(done).Any(step => step.Action != PlanAction.Unchanged))
        {
            context.Host.Error.WriteLine(SafeText.Lines($"error: {plan.Steps[done].Name}: {fault.Message}"));
            foreach (var violation in fault.FieldViolations) context.Host.Error.WriteLine(SafeText.Line($"  {violation.Field}: {violation.Description}"));
            foreach (var step in plan.Steps.Skip(done).Where(step => step.Action != PlanAction.Unchanged)) context.Host.Out.WriteLine($"{"not done",-10}{step.Name}");
            return ExitCodes.NotProven;
        }
    }

    private static Command Diff(CliHost host)
    {
        var file = ManifestInput.FileOption();
        var prune = PruneOption();
        return new Command("diff", "Shows what apply would change. Exit code 8 when there is something.") { file, prune }.Does(host, async context =>
        {
            var plan = await PlanAsync(context, context.Get(file)!, new BrokerTarget(context.Client), context.Get(prune));
            foreach (var step in plan.Changes) context.Printer.Text(step.Diff());
            return plan.Changes.Any() ? ExitCodes.Findings : ExitCodes.Ok;
        });
    }

    private static Command Export(CliHost host)
    {
        var kinds = Options.Many("--kind", "Only this kind; may be given several times.", "kind");
        kinds.AcceptOnlyFromAmong([.. ResourceKind.All.Select(kind => kind.Name)]);
        return new Command("export", "Prints everything that is administered as manifests.") { kinds }.Does(host, async context =>
        {
            var asked = context.Get(kinds);
            var target = new BrokerTarget(context.Client);
            var all = new List<IMessage>();
            foreach (var kind in ResourceKind.All.Where(kind => asked is not { Length: > 0 } || asked.Contains(kind.Name))) all.AddRange(await target.ListAsync(kind, context.Cancellation));
            context.Printer.Text(ManifestWriter.WriteAll(all, withStatus: false));
        });
    }

    private static async Task<ManifestPlan> PlanAsync(CliContext context, string path, BrokerTarget target, bool prune)
    {
        var manifests = ManifestInput.Load(context, path).Manifests;
        return await ManifestPlan.MakeAsync(manifests, target, prune ? IsManagedByApi : null, context.Cancellation);
    }

    // What the operator's own files manage isn't ours to delete.
    private static bool IsManagedByApi(IMessage resource) => (string)resource.Descriptor.FindFieldByName("managed_by").Accessor.GetValue(resource) is "api" or "";

    private static Option<bool> PruneOption() => Options.Flag("--prune", "Delete what is in no manifest and was made by the API. Never done without asking, or --yes.");

    private static string Past(PlanAction action) => action switch
    {
        PlanAction.Create => "created",
        PlanAction.Update => "updated",
        PlanAction.Delete => "deleted",
        _ => "unchanged",
    };
}

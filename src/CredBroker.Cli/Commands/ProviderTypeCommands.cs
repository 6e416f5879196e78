using System.CommandLine;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;

namespace CredBroker.Cli.Commands;

internal static class ProviderTypeCommands
{
    private static readonly Column<ProviderType>[] Columns =
    [
        new("NAME", t => t.Name), new("DESCRIPTION", t => t.Description),
        new("ROLE KINDS", t => string.Join(", ", t.RoleKinds.Select(kind => kind.Kind))),
    ];

    public static Command Build(CliHost host)
    {
        var noun = new Command("provider-types", "What kinds of providers this broker knows.") { Aliases = { "provider-type" } };
        noun.Add(new Command("list", "Lists all.").Does(host, async context => context.Printer.List(
            "providerTypes",
            await context.ListAsync<ProviderType>(1000, async (token, size) =>
            {
                var page = await context.Client.ProviderTypes.ListProviderTypesAsync(new() { PageToken = token, PageSize = size }, cancellationToken: context.Cancellation);
                return (page.ProviderTypes, page.NextPageToken);
            }),
            Columns)));

        var name = Options.Name("The type's name.");
        noun.Add(new Command("get", "Shows one, with the JSON Schemas of its configuration and templates.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.ProviderTypes.GetProviderTypeAsync(new() { Name = Options.Full("providerTypes", context.Get(name)) }, cancellationToken: context.Cancellation))));
        return noun;
    }
}

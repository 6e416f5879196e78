using CredBroker.Manifests;
using CredBroker.Providers.AwsSts;
using CredBroker.Providers.Azure;
using CredBroker.Providers.PostgreSql;
using CredBroker.Providers.Token;
using CredBroker.Providers.Vault;
using CredBroker.Server;
using CredBroker.Server.Configuration;
using CredBroker.Server.Hosting;
using CredBroker.Server.Startup;

if (CommandLine.Parse(args) is not { } line) return Say(Console.Error, CommandLine.Usage, 2);
if (line.Command == ServerCommand.Help) return Say(Console.Out, CommandLine.Usage, 0);
if (line.Command == ServerCommand.Version) return Say(Console.Out, typeof(CommandLine).Assembly.GetName().Version!.ToString(3), 0);

var reader = new ConfigurationReader(EnvironmentOverlay.Current());
var read = reader.Read(line.File, create: line.Command != ServerCommand.Check);
if (read is ConfigurationResult.Invalid invalid) return Say(Console.Error, string.Join('\n', invalid.Errors), 1);
var valid = (ConfigurationResult.Valid)read;
if (line.Command == ServerCommand.Check)
{
    var errors = valid.Configuration.Manifests.Folder is { } folder ? ManifestReader.Load(folder).Errors : [];
    return errors.Count > 0 ? Say(Console.Error, string.Join('\n', errors), 1) : Say(Console.Out, "The configuration is right.", 0);
}

try
{
    var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "credbroker-server" });
    builder.AddCredBroker(valid).UseConfiguredStorage()
        .AddProvider<TokenProviderType>()
        .AddProvider<PostgreSqlProviderType>()
        .AddProvider<VaultProviderType>()
        .AddProvider<AzureProviderType>()
        .AddProvider<AwsStsProviderType>();
    await using var app = builder.Build();
    var start = app.Services.GetRequiredService<BrokerStart>();
    if (line.Command == ServerCommand.Migrate)
    {
        await start.MigrateAsync(CancellationToken.None);
        return Say(Console.Out, "The database is up to date.", 0);
    }

    await start.PrepareAsync(valid, CancellationToken.None);
    await app.UseCredBroker(valid.Configuration).RunAsync();
    return start.ExitCode;
}
catch (Exception e) when (StartupFailure.Explain(e) is { } why)
{
    return Say(Console.Error, why, 3);
}

static int Say(TextWriter where, string text, int code)
{
    where.WriteLine(text);
    return code;
}

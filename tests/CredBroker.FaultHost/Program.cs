using CredBroker.Abstractions;
using CredBroker.EntityFrameworkCore.Writing;
using CredBroker.FaultHost;
using CredBroker.Providers.PostgreSql;
using CredBroker.Server.Configuration;
using CredBroker.Server.Hosting;
using CredBroker.Server.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

// The server as it composes itself, with a kill point at every seam. Arguments: the configuration's file, the step ("" to recover), and the target.
var (file, step) = (args[0], args[1]);
var read = new ConfigurationReader(EnvironmentOverlay.Current()).Read(file, create: true);
if (read is not ConfigurationResult.Valid valid)
{
    foreach (var error in ((ConfigurationResult.Invalid)read).Errors) Console.Error.WriteLine(error);
    return 2;
}

var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "credbroker-server" });
builder.AddCredBroker(valid).UseConfiguredStorage().AddProvider<PostgreSqlProviderType>();
var (kill, mishaps) = (new KillPoint(step), new Mishaps());
Watched.Stores(builder.Services, kill);
Watched.Providers<IPostgreSqlAbilities>(builder.Services, kill, mishaps);
builder.Services.AddSingleton(new CommitHook(kill.BeforeCommit));
await using var app = builder.Build();
await app.Services.GetRequiredService<BrokerStart>().PrepareAsync(valid, CancellationToken.None);
var story = new Story(app.Services, mishaps, new Target(args[2], int.Parse(args[3], System.Globalization.CultureInfo.InvariantCulture), args[4], args[5], args[6]));
await story.PrepareAsync();
await app.UseCredBroker(valid.Configuration).StartAsync();
kill.Armed = true;
try
{
    return step.Length == 0 ? await story.RecoverAsync() : await (KillSteps.IsOfDifferences(step) ? story.DifferAsync() : story.TellAsync());
}
catch (InvalidOperationException e)
{
    // On a slow machine a call may miss its deadline: the story is told again.
    Console.Error.WriteLine(e.Message);
    return Story.NotReached;
}
finally
{
    await app.StopAsync();
}

/// <summary>What a provider for PostgreSQL is able to.</summary>
internal interface IPostgreSqlAbilities : IProvider, IRenewingProvider, IListingProvider, IProbingProvider, IAnchoringProvider;

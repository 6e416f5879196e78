using System.Runtime.InteropServices;
using CredBroker.Client;
using Quickstart;

if (Arguments.Parse(args) is not { } arguments)
{
    Console.Error.WriteLine(Arguments.Usage);
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
var narrator = new Narrator(Console.Out);
try
{
    if (arguments.PostgreSql is { } connection) await TellOfDatabaseAsync(connection);
    else await TellOfTokensAsync();
    Console.WriteLine("\nEverything did what it said. Nothing is left behind.");
    return 0;
}
catch (Exception e) when (stop.IsCancellationRequested && (e is OperationCanceledException || IsExpected(e)))
{
    // A terminal sends Ctrl+C to the server too: whichever ends first, what is left is cleared away here.
    Console.WriteLine("\nStopped. Nothing is left behind.");
    return arguments.Stay ? 0 : 130;
}
catch (Exception e) when (IsExpected(e))
{
    Console.Error.WriteLine($"\nFAILED: {e.Message}");
    return 1;
}

async Task TellOfTokensAsync()
{
    using var place = new Workplace();
    await using var installation = await Installation.StartAsync(place, "", narrator, stop.Token);
    var story = new TokenStory(installation, narrator);
    await story.RegisterAsync(stop.Token);
    await story.TellAsync(stop.Token);
    if (arguments.Stay) await Stay.UntilToldAsync(installation, narrator, stop.Token);
}

async Task TellOfDatabaseAsync(string connection)
{
    using var place = new Workplace();
    await using var target = await TargetDatabase.PrepareAsync(connection, stop.Token);
    await using var installation = await Installation.StartAsync(place, DatabaseStory.SecretSources(place, target), narrator, stop.Token);
    var story = new DatabaseStory(installation, target, narrator);
    await story.RegisterAsync(stop.Token);
    await story.TellAsync(stop.Token);
    if (arguments.Stay) await Stay.UntilToldAsync(installation, narrator, stop.Token);
}

static bool IsExpected(Exception e) => e is QuickstartException or BrokerException or HttpRequestException or IOException or Npgsql.NpgsqlException;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true; // What was started is stopped in order.
    stop.Cancel();
}

using System.Globalization;
using CredBroker.Benchmarks.Cedar;
using CredBroker.Benchmarks.Load;
using CredBroker.Benchmarks.Providers;

// Decisions of the policy library alone, beside the official implementation.
if (args is ["policy"])
{
    PolicyMeasurement.Run(Console.Out, TimeSpan.FromSeconds(5));
    return 0;
}

// A first, small measure of the whole: the real server as a process, SQLite, the token provider, callers over gRPC on the same machine.
if (args is not ([("issue" or "dead" or "providers")] or [("issue" or "dead" or "providers"), _] or [("issue" or "dead" or "providers"), _, _])
    || (args.Length > 1 && !int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
    || (args.Length > 2 && !int.TryParse(args[2], NumberStyles.None, CultureInfo.InvariantCulture, out _)))
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project tests/CredBroker.Benchmarks -- policy | issue|dead|providers [CALLERS [SECONDS]]");
    return 2;
}

var callers = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 16;
var seconds = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 15;
if (args[0] == "providers")
{
    // Each provider by itself against the stand-in of its target, which shares the processors with it.
    Console.WriteLine($"providers: {callers} callers, {seconds} s each, {Environment.ProcessorCount} processors shared with the stand-ins");
    var all = true;
    foreach (var scenario in ProviderScenario.All) all &= await ProviderMeasurements.RunAsync(scenario, callers, TimeSpan.FromSeconds(seconds));
    return all ? 0 : 1;
}

await using var broker = await MeasuredBroker.StartAsync();
Console.WriteLine($"{args[0]}: {callers} callers, {seconds} s, {Environment.ProcessorCount} processors shared with the callers, SQLite, provider token");
var runs = (3, TimeSpan.FromSeconds(seconds));
var result = args[0] == "issue" ? await Scenarios.IssueAsync(broker, callers, runs) : await Scenarios.TimeToDeadAsync(broker, callers, runs);
Console.WriteLine(result.Summary());
return result.Failures == 0 ? 0 : 1;

using System.Globalization;
using CredBroker.Benchmarks;

// A first, small measure of the whole: the real server as a process, SQLite, the token provider, callers over gRPC on the same machine.
if (args is not ([("issue" or "dead")] or [("issue" or "dead"), _] or [("issue" or "dead"), _, _])
    || (args.Length > 1 && !int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
    || (args.Length > 2 && !int.TryParse(args[2], NumberStyles.None, CultureInfo.InvariantCulture, out _)))
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project tests/CredBroker.Benchmarks -- issue|dead [CALLERS [SECONDS]]");
    return 2;
}

var callers = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 16;
var seconds = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 15;
await using var broker = await MeasuredBroker.StartAsync();
Console.WriteLine($"{args[0]}: {callers} callers, {seconds} s, {Environment.ProcessorCount} processors shared with the callers, SQLite, provider token");
var samples = args[0] == "issue"
    ? await Measurements.IssueAsync(broker, callers, TimeSpan.FromSeconds(seconds))
    : await Measurements.TimeToDeadAsync(broker, callers, TimeSpan.FromSeconds(seconds));
Console.WriteLine(samples.Summary());
return samples.Failures == 0 ? 0 : 1;

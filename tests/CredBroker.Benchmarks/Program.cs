using System.Globalization;
using CredBroker.Benchmarks.Cedar;
using CredBroker.Benchmarks.Load;
using CredBroker.Benchmarks.Providers;

const string Usage = """
    usage: dotnet run -c Release --project tests/CredBroker.Benchmarks -- COMMAND
      policy                          decisions of the policy library alone, beside the official implementation
      providers [CALLERS [SECONDS]]   each provider by itself, against the stand-in of its target
      issue|dead [CALLERS [SECONDS]]  the real server as a process: credentials issued, tasks ended and proven dead
      load [ROW...]                   the rows of docs/performance.md; all of them take about half an hour
    """;

switch (args)
{
    case ["policy"]:
        PolicyMeasurement.Run(Console.Out, TimeSpan.FromSeconds(5));
        return 0;
    case ["load", .. var rows]:
        return await LoadCommand.RunAsync(rows);
    case [("issue" or "dead" or "providers") and var command, .. var numbers] when numbers.Length <= 2 && numbers.All(IsNumber):
        return await MeasureAsync(command, Number(numbers, 0, 16), TimeSpan.FromSeconds(Number(numbers, 1, 15)));
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

static bool IsNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0;

static int Number(string[] numbers, int place, int otherwise) => numbers.Length > place ? int.Parse(numbers[place], CultureInfo.InvariantCulture) : otherwise;

static async Task<int> MeasureAsync(string command, int callers, TimeSpan length)
{
    Console.WriteLine($"{command}: {callers} callers, {length.TotalSeconds:0} s each, {Environment.ProcessorCount} processors shared with them");
    if (command == "providers")
    {
        var all = true;
        foreach (var scenario in ProviderScenario.All) all &= await ProviderMeasurements.RunAsync(scenario, callers, length);
        return all ? 0 : 1;
    }

    await using var broker = await MeasuredBroker.StartAsync(new SetUp());
    var result = command == "issue" ? await IssueScenarios.IssueAsync(broker, callers, (3, length)) : await IssueScenarios.TimeToDeadAsync(broker, callers, (3, length));
    Console.WriteLine(result.Summary());
    return result.Failures == 0 ? 0 : 1;
}

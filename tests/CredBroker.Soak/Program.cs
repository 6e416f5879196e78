using System.Globalization;
using CredBroker.Soak;

// Two nodes under load and faults, for as long as asked: see tests/soak.sh.
if (args.Length > 2 || !args.All(argument => int.TryParse(argument, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
{
    Console.Error.WriteLine("usage: tests/soak.sh [MINUTES [AGENTS]]");
    return 2;
}

var minutes = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 60;
var agents = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 6;
await using var soak = await Soak.StartAsync(agents);
return await soak.RunAsync(TimeSpan.FromMinutes(minutes)) ? 0 : 1;

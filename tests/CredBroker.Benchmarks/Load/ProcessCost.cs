using System.Globalization;

namespace CredBroker.Benchmarks.Load;

/// <summary>What a process has cost so far, as Linux counts it.</summary>
/// <param name="Cpu">Processor time, of all threads.</param>
/// <param name="ResidentMiB">Memory that is resident now.</param>
/// <param name="WrittenMiB">What it had written to files.</param>
internal sealed record ProcessCost(TimeSpan Cpu, double ResidentMiB, double WrittenMiB)
{
    private const double TicksASecond = 100;
    private const double MiB = 1024 * 1024;

    public static ProcessCost Of(int id)
    {
        var folder = $"/proc/{id}";
        // The name in parentheses may hold anything: fields are counted behind it (proc(5)).
        var fields = File.ReadAllText(folder + "/stat").Split(") ")[^1].Split(' ');
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return new ProcessCost(TimeSpan.FromSeconds(ticks / TicksASecond), Field(folder + "/status", "VmRSS:") / 1024, Field(folder + "/io", "write_bytes:") / MiB);
    }

    private static double Field(string file, string name) =>
        double.Parse(File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}

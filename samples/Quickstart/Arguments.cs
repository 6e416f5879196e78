namespace Quickstart;

/// <summary>What was asked for.</summary>
/// <param name="Stay">Leave everything running until Ctrl+C.</param>
/// <param name="PostgreSql">An administrator's connection to a PostgreSQL server, to issue database logins instead of tokens.</param>
internal sealed record Arguments(bool Stay, string? PostgreSql)
{
    public const string Usage = "usage: dotnet run --project samples/Quickstart [-- [--stay] [--postgresql CONNECTION]]";

    public static Arguments? Parse(IReadOnlyList<string> arguments)
    {
        var result = new Arguments(false, null);
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--stay") result = result with { Stay = true };
            else if (arguments[i] == "--postgresql" && i + 1 < arguments.Count) result = result with { PostgreSql = arguments[++i] };
            else return null;
        }

        return result;
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>Durations as Go reads and writes them.</summary>
internal static partial class Durations
{
    public static TimeSpan? Read(JsonObject body, string member, bool isField = false)
    {
        if (body[member] is not { } node) return null;
        if (node.GetValueKind() == JsonValueKind.Number) return TimeSpan.FromSeconds(node.GetValue<double>());
        if (node.GetValueKind() != JsonValueKind.String)
            throw Refusal.Of(400, $"Field validation failed: error converting input for field \"{member}\": could not parse duration from input");
        return Parse(node.GetValue<string>()) ?? throw Refusal.Of(400, isField
            ? $"Field validation failed: error converting input for field \"{member}\": time: invalid duration \"{node.GetValue<string>()}\""
            : $"time: invalid duration \"{node.GetValue<string>()}\"");
    }

    public static TimeSpan? Parse(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)) return TimeSpan.FromSeconds(seconds);
        var match = Pattern().Match(text);
        if (!match.Success || text.Length == 0) return null;
        double Part(string name) => match.Groups[name].Success ? double.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture) : 0;
        var value = TimeSpan.FromHours(Part("h")) + TimeSpan.FromMinutes(Part("m")) + TimeSpan.FromSeconds(Part("s"));
        return match.Groups["sign"].Value == "-" ? -value : value;
    }

    public static string Show(TimeSpan value)
    {
        var text = new StringBuilder();
        var hours = (long)value.TotalHours;
        if (hours > 0) text.Append(CultureInfo.InvariantCulture, $"{hours}h");
        if (value.Minutes > 0) text.Append(CultureInfo.InvariantCulture, $"{value.Minutes}m");
        if (value.Seconds > 0) text.Append(CultureInfo.InvariantCulture, $"{value.Seconds}s");
        return text.Length == 0 ? "0s" : text.ToString();
    }

    public static long Seconds(TimeSpan value) => (long)Math.Floor(value.TotalSeconds);

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\A(?<sign>-?)(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?\z")]
    private static partial Regex Pattern();
}

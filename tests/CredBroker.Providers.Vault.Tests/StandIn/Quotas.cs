using System.Globalization;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>Rate limits: a bucket for a path, with headers if the operator wants them.</summary>
internal sealed class Quotas(TimeProvider clock)
{
    private readonly Dictionary<string, Limit> _limits = new(StringComparer.Ordinal);
    private bool _headers;

    public StandInAnswer? Handle(Call call, string[] segments)
    {
        switch (call.Method, segments)
        {
            case ("POST", [_, "config"]):
                _headers = call.Flag("enable_rate_limit_response_headers");
                return Answers.Empty(204);
            case ("POST", [_, "rate-limit", var name]):
                if ((call.Body["rate"]?.GetValue<double>() ?? 0) <= 0) throw Refusal.Of(400, "'rate' is invalid");
                _limits[name] = new Limit(name, call.Body["path"]!.GetValue<string>(), call.Body["rate"]!.GetValue<int>(), Durations.Read(call.Body, "interval") ?? TimeSpan.FromSeconds(1), Durations.Read(call.Body, "block_interval") ?? TimeSpan.Zero);
                return Answers.Empty(204);
            case ("GET", [_, "rate-limit", var name]):
                return _limits.TryGetValue(name, out var limit) ? Answers.Data(limit.Describe()) : Answers.Error(404);
            case ("DELETE", [_, "rate-limit", var name]):
                _limits.Remove(name);
                return Answers.Empty(204);
            default:
                return null;
        }
    }

    /// <summary>Counts a call; the answer is what it is refused with, and the headers of whatever is answered.</summary>
    public (StandInAnswer? Refused, IReadOnlyDictionary<string, string> Headers) Count(string path)
    {
        if (_limits.Values.FirstOrDefault(limit => path.StartsWith($"{limit.Path}/", StringComparison.Ordinal)) is not { } limit) return (null, new Dictionary<string, string>());
        var now = clock.GetUtcNow();
        if (limit.BlockedUntil > now) return (Refuse(path), Headers(("Retry-After", Whole(limit.BlockedUntil - now))));
        if (limit.ResetAt <= now) (limit.Left, limit.ResetAt) = (limit.Rate, now + limit.Interval);
        var exceeded = limit.Left == 0;
        if (!exceeded) limit.Left--;
        else if (limit.Block > TimeSpan.Zero) limit.BlockedUntil = now + limit.Block;
        var common = new[] { ("X-Ratelimit-Limit", limit.Rate), ("X-Ratelimit-Remaining", limit.Left), ("X-Ratelimit-Reset", Whole(limit.ResetAt - now)) };
        return exceeded
            ? (Refuse(path), Headers([.. common, ("Retry-After", limit.Block > TimeSpan.Zero ? Whole(limit.Block) : Whole(limit.ResetAt - now))]))
            : (null, Headers(common));
    }

    private static StandInAnswer Refuse(string path) => Answers.Error(429, $"request path \"{path}\": rate limit quota exceeded");

    private static int Whole(TimeSpan value) => (int)value.TotalSeconds;

    private Dictionary<string, string> Headers(params (string Name, int Value)[] headers) =>
        _headers ? headers.ToDictionary(header => header.Name, header => header.Value.ToString(CultureInfo.InvariantCulture)) : [];

    private sealed record Limit(string Name, string Path, int Rate, TimeSpan Interval, TimeSpan Block)
    {
        public int Left { get; set; } = Rate;

        public DateTimeOffset ResetAt { get; set; }

        public DateTimeOffset BlockedUntil { get; set; }

        public JsonObject Describe() => new()
        {
            ["block_interval"] = (int)Block.TotalSeconds,
            ["inheritable"] = false,
            ["interval"] = (int)Interval.TotalSeconds,
            ["name"] = Name,
            ["path"] = $"{Path}/",
            ["rate"] = Rate,
            ["role"] = "",
            ["type"] = "rate-limit",
        };
    }
}

using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>Response wrapping: an answer is kept, for one who comes with the wrapping token, once.</summary>
internal sealed class Wrappings(TimeProvider clock)
{
    private const string Gone = "wrapping token is not valid or does not exist";
    private readonly Dictionary<string, Wrapping> _kept = new(StringComparer.Ordinal);

    public StandInAnswer Wrap(StandInAnswer answer, string path, TimeSpan ttl)
    {
        var body = JsonNode.Parse(answer.Body)!.AsObject();
        var wrapping = new Wrapping($"s.{Random.Text(24)}", path, clock.GetUtcNow(), ttl, answer);
        _kept[wrapping.Token] = wrapping;
        var info = new JsonObject
        {
            ["token"] = wrapping.Token,
            ["accessor"] = Random.Text(24),
            ["ttl"] = Durations.Seconds(ttl),
            ["creation_time"] = Durations.Time(wrapping.CreatedAt),
            ["creation_path"] = path,
        };
        if (body["auth"]?["accessor"] is { } accessor) info["wrapped_accessor"] = accessor.DeepClone();
        var envelope = Answers.Envelope(wrap: info);
        envelope["request_id"] = "";
        return Answers.Json(200, envelope);
    }

    public StandInAnswer LookUp(Call call)
    {
        var wrapping = Find(call.Text("token") ?? "") ?? throw Refusal.Of(400, Gone);
        return Answers.Data(new JsonObject { ["creation_path"] = wrapping.Path, ["creation_time"] = Durations.Time(wrapping.CreatedAt), ["creation_ttl"] = Durations.Seconds(wrapping.Ttl) });
    }

    public StandInAnswer Unwrap(string? header, string? body)
    {
        var wrapping = Find(body ?? header ?? "") ?? throw Refusal.Of(400, Gone);
        _kept.Remove(wrapping.Token);
        return wrapping.Answer;
    }

    private Wrapping? Find(string token) => _kept.TryGetValue(token, out var wrapping) && clock.GetUtcNow() < wrapping.CreatedAt + wrapping.Ttl ? wrapping : null;

    private sealed record Wrapping(string Token, string Path, DateTimeOffset CreatedAt, TimeSpan Ttl, StandInAnswer Answer);
}

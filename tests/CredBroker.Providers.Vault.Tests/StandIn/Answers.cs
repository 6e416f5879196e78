using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>The forms that the server answers in.</summary>
internal static class Answers
{
    public const string Denied = "1 error occurred:\n\t* permission denied\n\n";

    public static StandInAnswer Empty(int status) => StandInAnswer.Empty(status, "application/json").With("Cache-Control", "no-store");

    public static StandInAnswer Json(int status, JsonNode body) => StandInAnswer.Json(status, body).With("Cache-Control", "no-store");

    public static StandInAnswer Error(int status, params string[] errors) => Json(status, new JsonObject { ["errors"] = List(errors) });

    /// <summary>An error as an engine reports it.</summary>
    public static StandInAnswer Reported(int status, string error) => Error(status, $"1 error occurred:\n\t* {error}\n\n");

    public static StandInAnswer Data(JsonNode? data, IEnumerable<string>? warnings = null, int status = 200) => Json(status, Envelope(data: data, warnings: warnings));

    public static JsonObject Envelope(
        JsonNode? data = null, JsonNode? auth = null, JsonNode? wrap = null, IEnumerable<string>? warnings = null, string leaseId = "", bool renewable = false, long duration = 0)
    {
        var said = warnings?.ToList() ?? [];
        return new JsonObject
        {
            ["request_id"] = Random.Uuid(),
            ["lease_id"] = leaseId,
            ["renewable"] = renewable,
            ["lease_duration"] = duration,
            ["data"] = data,
            ["wrap_info"] = wrap,
            ["warnings"] = said.Count == 0 ? null : List(said),
            ["auth"] = auth,
        };
    }

    public static JsonArray List(IEnumerable<string> items) => new([.. items.Select(item => JsonValue.Create(item))]);
}

/// <summary>A request that cannot be done: what is answered instead.</summary>
internal sealed class Refusal(StandInAnswer answer) : Exception
{
    public StandInAnswer Answer { get; } = answer;

    public static Refusal Of(int status, params string[] errors) => new(Answers.Error(status, errors));

    public static Refusal Reported(int status, string error) => new(Answers.Reported(status, error));
}

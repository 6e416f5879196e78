using System.Globalization;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.Validation;
using CredBroker.AspNetCore.Webhooks;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using CredBroker.Core.Hooks;
using CredBroker.Core.Tasks;

namespace CredBroker.AspNetCore.Endpoints;

/// <summary>Reads a signal's body: <c>{"type":"task.ended","data":{"task":…} or {"match":{claim:value}},"outcome":…}</c>.</summary>
internal static class HookBody
{
    private const string TaskEnded = "task.ended";
    private const int MostMatches = 16;
    private static readonly JsonSerializerOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };
    private static readonly Rules Text = new() { MinLen = 1, MaxLen = 512 };

    /// <summary>The signal; null for one of another type.</summary>
    public static Result<HookSignal?> Read(byte[] body, WebhookHeaders headers, DateTimeOffset now)
    {
        JsonElement root;
        try
        {
            root = JsonSerializer.Deserialize<JsonElement>(body, Strict);
        }
        catch (JsonException)
        {
            return ErrorStatus.Error(ErrorReason.BodyUnreadable, "The body is not one JSON object without duplicates, nested no deeper than 8.");
        }

        if (root.ValueKind != JsonValueKind.Object || TextIn(root, "type") is not { } type) return Wrong("type", "It is needed, as a string.");
        if (type != TaskEnded) return new Result<HookSignal?>.Ok(null);
        if (!root.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object) return Wrong("data", "It is needed, as an object.");
        if (data.EnumerateObject().FirstOrDefault(member => member.Name is not ("task" or "match" or "outcome")) is { Value.ValueKind: not JsonValueKind.Undefined } unknown)
            return Wrong($"data.{Printable.Quote(unknown.Name)}", "There is no such field.");
        if (OutcomeOf(data) is not { } outcome) return Wrong("data.outcome", "It is succeeded, failed or cancelled.");
        var task = TaskOf(data);
        if (task is Result<Uid?>.Refused { Error: var noTask }) return noTask;
        var match = MatchOf(data);
        if (match is not Result<IReadOnlyDictionary<string, string>>.Ok { Value: var matches }) return ((Result<IReadOnlyDictionary<string, string>>.Refused)match).Error;
        var named = ((Result<Uid?>.Ok)task).Value;
        if ((named is null) == (matches.Count == 0)) return Wrong("data", "Either task or match is needed.");
        var sentAt = long.TryParse(headers.Timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : now;
        return new HookSignal(headers.Id, sentAt, named, matches, outcome);
    }

    private static TaskOutcome? OutcomeOf(JsonElement data) => TextIn(data, "outcome")?.ToLowerInvariant() switch
    {
        "succeeded" => TaskOutcome.Succeeded,
        "failed" => TaskOutcome.Failed,
        "cancelled" => TaskOutcome.Cancelled,
        _ => null,
    };

    private static Result<Uid?> TaskOf(JsonElement data)
    {
        if (!data.TryGetProperty("task", out _)) return new Result<Uid?>.Ok(null);
        return TextIn(data, "task") is { } name && name.StartsWith("tasks/", StringComparison.Ordinal) && Uid.TryParse(name["tasks/".Length..], out var task)
            ? new Result<Uid?>.Ok(task)
            : Error("data.task", "It is a task's name, tasks/{task}.");
    }

    private static Result<IReadOnlyDictionary<string, string>> MatchOf(JsonElement data)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!data.TryGetProperty("match", out var match)) return found;
        if (match.ValueKind != JsonValueKind.Object) return Error("data.match", "It is an object of claims and their values.");
        foreach (var member in match.EnumerateObject())
        {
            if (found.Count == MostMatches) return Error("data.match", "It has too many claims.");
            if (TextIn(match, member.Name) is not { } value || TextRules.Fault(value, Text) is not null || TextRules.Fault(member.Name, Text) is not null)
                return Error($"data.match[{Printable.Quote(member.Name)}]", "Its value is a string of 1 to 512 printable characters.");
            found[member.Name] = value;
        }

        return found;
    }

    private static string? TextIn(JsonElement json, string name)
    {
        try
        {
            return json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: no string can hold it.
            return null;
        }
    }

    private static Result<HookSignal?> Wrong(string field, string message) => Error(field, message);

    private static BrokerError Error(string field, string message) => ErrorStatus.Error(ErrorReason.FieldsInvalid, $"The signal is wrong: {field}: {message}", [new(field, message)]);
}

using System.Globalization;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>The KV engine, version 2.</summary>
internal sealed class KeyValueEngine : IEngine
{
    private readonly Dictionary<string, List<Version>> _secrets = new(StringComparer.Ordinal);

    public string Type => "kv";

    public string Accessor { get; } = $"kv_{Random.Hex(8)}";

    public bool IsOpen(string path) => false;

    public StandInAnswer? Handle(Call call, string path)
    {
        var (verb, rest) = path.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? (path[..slash], path[(slash + 1)..]) : (path, "");
        return (call.Method, verb) switch
        {
            ("POST", "data") => Put(call, rest),
            ("GET", "data") => Get(call, rest),
            ("DELETE", "data") => Change(rest, [_secrets.GetValueOrDefault(rest)?.Count ?? 0], version => version.DeletionTime = Durations.Time(call.Now)),
            ("POST", "undelete") => Change(rest, VersionsOf(call), version => version.DeletionTime = ""),
            ("POST", "destroy") => Change(rest, VersionsOf(call), version => version.Destroyed = true),
            ("GET", "metadata") => _secrets.TryGetValue(rest, out var versions) ? Answers.Data(Metadata(versions)) : Answers.Error(404),
            ("LIST", "metadata") => List(rest),
            ("DELETE", "metadata") => _secrets.Remove(rest) ? Answers.Empty(204) : Answers.Empty(204),
            ("GET" or "POST", _) => Answers.Data(null, [$"Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the OpenBao CLI, use 'bao kv {(call.Method == "GET" ? "get" : "put")}' for this operation."], 404),
            _ => null,
        };
    }

    private StandInAnswer Put(Call call, string path)
    {
        if (!_secrets.TryGetValue(path, out var versions)) versions = [];
        if (call.Body["options"]?["cas"]?.GetValue<int>() is { } cas && cas != versions.Count) throw Refusal.Of(400, "check-and-set parameter did not match the current version");
        versions.Add(new Version { Number = versions.Count + 1, Data = call.Body["data"]!.DeepClone(), CreatedTime = Durations.Time(call.Now) });
        _secrets[path] = versions;
        return Answers.Data(versions[^1].Describe());
    }

    private StandInAnswer Get(Call call, string path)
    {
        if (!_secrets.TryGetValue(path, out var versions)) return Answers.Error(404);
        var number = call.Query("version") is { } asked ? int.Parse(asked, CultureInfo.InvariantCulture) : versions.Count;
        if (number == 0) number = versions.Count;
        if (number > versions.Count) return Answers.Error(404);
        var version = versions[number - 1];
        var gone = version.Destroyed || version.DeletionTime.Length > 0;
        return Answers.Data(new JsonObject { ["data"] = gone ? null : version.Data.DeepClone(), ["metadata"] = version.Describe() }, status: gone ? 404 : 200);
    }

    private StandInAnswer Change(string path, IEnumerable<int> numbers, Action<Version> change)
    {
        if (_secrets.TryGetValue(path, out var versions))
            foreach (var version in versions.Where(version => numbers.Contains(version.Number))) change(version);
        return Answers.Empty(204);
    }

    private StandInAnswer List(string folder)
    {
        var keys = _secrets.Keys.Where(path => path.StartsWith($"{folder}/", StringComparison.Ordinal)).Select(path => path[(folder.Length + 1)..]).ToList();
        return keys.Count == 0 ? Answers.Error(404) : Answers.Data(new JsonObject { ["keys"] = Answers.List(keys) });
    }

    private static IReadOnlyList<int> VersionsOf(Call call) => [.. call.Body["versions"]!.AsArray().Select(version => version!.GetValue<int>())];

    private static JsonObject Metadata(List<Version> versions) => new()
    {
        ["cas_required"] = false,
        ["created_time"] = versions[0].CreatedTime,
        ["current_metadata_version"] = 0,
        ["current_version"] = versions.Count,
        ["custom_metadata"] = null,
        ["delete_version_after"] = "0s",
        ["max_versions"] = 0,
        ["metadata_cas_required"] = false,
        ["oldest_version"] = 0,
        ["updated_time"] = versions[^1].CreatedTime,
        ["versions"] = new JsonObject(versions.Select(version => KeyValuePair.Create(
            version.Number.ToString(CultureInfo.InvariantCulture),
            (JsonNode?)new JsonObject { ["created_time"] = version.CreatedTime, ["deletion_time"] = version.DeletionTime, ["destroyed"] = version.Destroyed }))),
    };

    private sealed class Version
    {
        public required int Number { get; init; }

        public required JsonNode Data { get; init; }

        public required string CreatedTime { get; init; }

        public string DeletionTime { get; set; } = "";

        public bool Destroyed { get; set; }

        public JsonObject Describe() => new()
        {
            ["created_time"] = CreatedTime,
            ["custom_metadata"] = null,
            ["deletion_time"] = Destroyed ? "" : DeletionTime,
            ["destroyed"] = Destroyed,
            ["version"] = Number,
        };
    }
}

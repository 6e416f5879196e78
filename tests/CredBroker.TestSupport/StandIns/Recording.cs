using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.TestSupport.StandIns;

/// <summary>Real exchanges with a system, in their order: what a stand-in is held against.</summary>
/// <param name="Name">The file's name without its ending.</param>
/// <param name="System">Which system, and its version.</param>
/// <param name="Source">Where and how it was recorded.</param>
/// <param name="Scenario">What happens in it.</param>
/// <param name="Exchanges">Request and response, in order.</param>
public sealed record Recording(string Name, string System, string Source, string Scenario, IReadOnlyList<RecordedExchange> Exchanges)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { MaxDepth = 512, RespectRequiredConstructorParameters = false };

    /// <summary>The folder that a test project copies its recordings to.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "Recordings");

    /// <summary>The recording of this name.</summary>
    public static Recording Read(string name)
    {
        var file = JsonSerializer.Deserialize<RecordingFile>(File.ReadAllText(Path.Combine(Folder, $"{name}.json")), Options)!;
        return new Recording(name, file.System, file.Source, file.Scenario, file.Exchanges);
    }

    /// <summary>The names of all recordings there are: a test that leaves one out must say why. A folder without any is an error.</summary>
    public static IReadOnlyList<string> All()
    {
        string[] names = [.. Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];
        return names.Length > 0 ? names : throw new InvalidOperationException($"There is no recording in {Folder}.");
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private sealed record RecordingFile(string System, string Source, string Scenario, IReadOnlyList<RecordedExchange> Exchanges);
}

/// <summary>One request and what was answered.</summary>
/// <param name="Name">Unique within the recording.</param>
/// <param name="Note">What is worth knowing.</param>
/// <param name="Request">What was sent.</param>
/// <param name="Response">What was answered.</param>
public sealed record RecordedExchange(string Name, string? Note, RecordedRequest Request, RecordedResponse Response);

/// <summary>What was sent. A body that is not JSON is a string.</summary>
public sealed record RecordedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, JsonNode? Body);

/// <summary>What was answered, with the headers that matter. A body that is not JSON is a string.</summary>
public sealed record RecordedResponse(int Status, IReadOnlyDictionary<string, string> Headers, JsonNode? Body);

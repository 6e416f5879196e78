using System.Text.Json.Nodes;

namespace CredBroker.Core.Tests.Identity;

/// <summary>Recorded tokens and claims; each file names its origin.</summary>
internal static class Recorded
{
    public static JsonObject Read(string name) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Identity", "Recordings", name)))!.AsObject();

    public static DateTimeOffset NowOf(JsonObject file) => DateTimeOffset.FromUnixTimeSeconds(file["now"]!.GetValue<long>());
}

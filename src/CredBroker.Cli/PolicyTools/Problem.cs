using System.Text.Json.Nodes;
using CredBroker.Manifests;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>Something that a check of policies found.</summary>
internal sealed record Problem(string File, int Line, int Column, string Message, bool IsWarning)
{
    /// <summary>As people read it: with the line of the text and carets, where it is about a text.</summary>
    public required IReadOnlyList<string> Lines { get; init; }

    public static Problem Of(PolicySource source, PolicyFault fault)
    {
        var at = fault.At?.Location;
        // The place first, so that editors find it; then how bad it is.
        var marked = fault.At is null || !fault.IsWarning ? fault.At : fault.At with { Message = $"warning: {fault.Message}" };
        return new(source.Set.Label, at?.Line ?? 0, at?.Column ?? 0, fault.Message, fault.IsWarning)
        {
            Lines = marked?.Show(source.Set.Text).Split('\n') ?? [$"{source.Set.Label}: {fault.Field}: {fault.Message}"],
        };
    }

    public static Problem Of(ManifestError error) => new(error.Source.File, error.Source.Line, error.Source.Column, error.Message, IsWarning: false) { Lines = [error.ToString()] };

    public JsonObject ToJson() => new() { ["file"] = File, ["line"] = Line, ["column"] = Column, ["severity"] = IsWarning ? "warning" : "error", ["message"] = Message };
}

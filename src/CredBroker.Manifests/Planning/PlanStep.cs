using Google.Protobuf;

namespace CredBroker.Manifests.Planning;

/// <summary>What applying does to one resource.</summary>
public enum PlanAction
{
    /// <summary>It's as the manifest says.</summary>
    Unchanged,

    /// <summary>It isn't there.</summary>
    Create,

    /// <summary>It differs.</summary>
    Update,

    /// <summary>It's there, in no manifest, and pruning was asked for.</summary>
    Delete,
}

/// <summary>One step of a plan.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Kind">The resource's kind.</param>
/// <param name="Name">Its full name.</param>
/// <param name="Desired">What the manifest says; null when it's deleted.</param>
/// <param name="Current">What is there; null when it's created.</param>
public sealed record PlanStep(PlanAction Action, ResourceKind Kind, string Name, Manifest? Desired, IMessage? Current)
{
    /// <summary>What changes, as a unified diff of manifests; empty when nothing does. Safe to show.</summary>
    public string Diff() => Action == PlanAction.Unchanged ? "" : UnifiedDiff.Make(Text(Current), Text(Desired?.Resource), Name);

    private static string Text(IMessage? resource) => resource is null ? "" : ManifestWriter.Write(Comparison.Essence(resource), withStatus: false);
}

using Google.Protobuf;

namespace CredBroker.Manifests.Planning;

/// <summary>What applying manifests would do, and the doing of it.</summary>
public sealed class ManifestPlan
{
    private ManifestPlan(IReadOnlyList<PlanStep> steps) => Steps = steps;

    /// <summary>In the order in which they're done: creations and updates from sources to policies, then deletions the other way.</summary>
    public IReadOnlyList<PlanStep> Steps { get; }

    /// <summary>The steps that change something.</summary>
    public IEnumerable<PlanStep> Changes => Steps.Where(step => step.Action != PlanAction.Unchanged);

    /// <summary>Compares manifests with what is there. Changes nothing.</summary>
    /// <param name="manifests">What is wanted.</param>
    /// <param name="target">What is there.</param>
    /// <param name="prune">Which resources without a manifest are to be deleted; without it none is.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<ManifestPlan> MakeAsync(
        IReadOnlyList<Manifest> manifests, IManifestTarget target, Func<IMessage, bool>? prune = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manifests);
        ArgumentNullException.ThrowIfNull(target);
        var steps = new List<PlanStep>();
        foreach (var manifest in manifests)
        {
            var current = await target.GetAsync(manifest.Kind, manifest.Name, cancellationToken).ConfigureAwait(false);
            steps.Add(new(Compare(manifest, current), manifest.Kind, manifest.Name, manifest, current));
        }

        if (prune is not null) steps.AddRange(await DeletionsAsync(manifests, target, prune, cancellationToken).ConfigureAwait(false));
        return new(steps);
    }

    /// <summary>Does every step that changes something. Stops at the first that fails: what follows may rest on it.</summary>
    /// <param name="target">Where.</param>
    /// <param name="done">Told of every step once it's done.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    public async Task ApplyAsync(IManifestTarget target, Action<PlanStep>? done = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(target);
        foreach (var step in Steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await ApplyAsync(step, target, cancellationToken).ConfigureAwait(false);
            done?.Invoke(step);
        }
    }

    private static Task ApplyAsync(PlanStep step, IManifestTarget target, CancellationToken cancellationToken) => step.Action switch
    {
        PlanAction.Create => target.CreateAsync(step.Desired!, cancellationToken),
        PlanAction.Update => target.UpdateAsync(step.Desired!, ResourceKind.EtagOf(step.Current!), cancellationToken),
        PlanAction.Delete => target.DeleteAsync(step.Kind, step.Name, ResourceKind.EtagOf(step.Current!), cancellationToken),
        _ => Task.CompletedTask,
    };

    private static PlanAction Compare(Manifest desired, IMessage? current) =>
        current is null ? PlanAction.Create : Comparison.Same(desired.Resource, current) ? PlanAction.Unchanged : PlanAction.Update;

    private static async Task<List<PlanStep>> DeletionsAsync(
        IReadOnlyList<Manifest> manifests, IManifestTarget target, Func<IMessage, bool> prune, CancellationToken cancellationToken)
    {
        var wanted = manifests.Select(manifest => manifest.Name).ToHashSet(StringComparer.Ordinal);
        var steps = new List<PlanStep>();
        foreach (var kind in ResourceKind.All.Reverse())
        {
            foreach (var resource in await target.ListAsync(kind, cancellationToken).ConfigureAwait(false))
            {
                var name = ResourceKind.NameOf(resource);
                if (!wanted.Contains(name) && prune(resource)) steps.Add(new(PlanAction.Delete, kind, name, null, resource));
            }
        }

        return steps;
    }
}

using System.Text.Json.Nodes;
using CredBroker.Core.Audit;
using CredBroker.Core.Registry;
using CredBroker.Manifests;
using CredBroker.Manifests.Planning;

namespace CredBroker.Server.Startup;

/// <summary>Applies the folder of manifests, as a principal of its own. What it writes is marked with the folder's hash, and the API can't change it.</summary>
internal sealed partial class ManifestFolder(RegistryShelves shelves, IAuditLog audit, ILogger<ManifestFolder> logger)
{
    private const string Principal = "manifests";

    public async Task ApplyAsync(string folder, bool prune, int expectRevoked, CancellationToken cancellationToken)
    {
        var set = ManifestReader.Load(folder);
        if (set.Errors.Count > 0) throw new StartupException(string.Join('\n', set.Errors));
        var author = RegistryAuthor.Folder(Principal, set.Hash);
        var target = shelves.For(author, expectRevoked);
        var plan = await ManifestPlan.MakeAsync(set.Manifests, target, prune ? IsOurs : null, cancellationToken);
        var changes = 0;
        await plan.ApplyAsync(target, step =>
        {
            if (step.Action == PlanAction.Unchanged) return;
            changes++;
            LogStep(logger, step.Action, step.Name);
        }, cancellationToken);
        if (changes == 0) return;
        var detail = new JsonObject { ["sha256"] = set.Hash, ["changes"] = changes };
        await audit.AppendAsync(new AuditDraft(AuditTypes.ManifestsApplied, author.Actor) { Detail = detail }, cancellationToken);
    }

    // Only what an earlier folder wrote: what was registered by the API is never pruned by files.
    private static bool IsOurs(Google.Protobuf.IMessage resource) =>
        ((string)resource.Descriptor.FindFieldByName("managed_by").Accessor.GetValue(resource)).StartsWith(ManagedBy.FilePrefix, StringComparison.Ordinal);

    [LoggerMessage(EventId = 1504, Level = LogLevel.Information, Message = "Manifests: {Action} {Name}")]
    private static partial void LogStep(ILogger logger, PlanAction action, string name);
}

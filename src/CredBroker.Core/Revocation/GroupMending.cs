using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocation;

/// <summary>
/// What to do when a write to a group's document may have come after that of the next one in turn: whatever the late write did not name lives again,
/// although it was proven dead. It is revoked anew, and somebody is told.
/// </summary>
public sealed partial class GroupMending(ILeaseStore leases, ILeaseGroups groups, ILogger<GroupMending> logger)
{
    /// <summary>Reopens what was proven dead in the group and was not named by the late write.</summary>
    public async Task ReopenAsync(Uid group, IReadOnlySet<string> named)
    {
        try
        {
            var lost = (await groups.ProvenAsync(group, CancellationToken.None)).Where(proven => !named.Contains(proven.ExternalName)).ToList();
            if (lost.Count > 0) LogReopened(logger, group, lost.Count);
            foreach (var proven in lost)
                await leases.ApplyAsync(new LeaseChange(proven.Lease, new LeaseEvent.Reappeared("A late write of the shared document may have undone its denial."), Actor.Broker), CancellationToken.None);
        }
        catch (Exception e)
        {
            LogNotReopened(logger, group, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A write to the document of group {Group} came after its claim had run out: {Count} leases that were proven dead may live, and are revoked again")]
    private static partial void LogReopened(ILogger logger, Uid group, int count);

    [LoggerMessage(Level = LogLevel.Critical, Message = "A write to the document of group {Group} came after its claim had run out, and what it may have revived could not be looked up: somebody must look")]
    private static partial void LogNotReopened(ILogger logger, Uid group, Exception error);
}

using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Arm;
using CredBroker.Providers.Azure.Connect;
using CredBroker.Providers.Azure.Graph;

namespace CredBroker.Providers.Azure.AppLease;

/// <summary>
/// Ends an application: first its role assignments, which go on counting for a deleted principal's tokens, then its passwords, then the application, for good.
/// Each step can be repeated; each look does all of them.
/// </summary>
internal sealed class AppRevocation(Applications graph, RoleAssignments arm, AzureConfiguration configuration, string target)
{
    public async Task<RevokeOutcome> RunAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        Names.Require(request.ExternalName, request.Mark);
        var handle = AzureHandle.Open(request.Handle, target);
        var (application, now) = await graph.FindAsync(request.ExternalName, cancellationToken).ConfigureAwait(false);
        if (handle is { Taken: true })
            return new RevokeOutcome.Gone(target, new Evidence("nothing_made", "The name was taken when it was to be issued, so nothing was made.", now));
        if (application is not null && application.Notes != request.Mark)
            throw new ProviderException(ProviderFault.Credential, $"The application {request.ExternalName} does not carry our mark in its notes: nothing was touched. Put the mark back, or delete it by hand.", ProviderEffect.None);

        var removed = false;
        var assignments = handle?.Assignments ?? await FindAssignmentsAsync(request.Mark, cancellationToken).ConfigureAwait(false);
        foreach (var id in assignments)
        {
            (var was, now) = await arm.DeleteAsync(id, cancellationToken).ConfigureAwait(false);
            removed |= was;
        }

        removed |= await DeleteAsync(request, handle, application, cancellationToken).ConfigureAwait(false);
        if (application is not null) (application, now) = await graph.FindAsync(request.ExternalName, cancellationToken).ConfigureAwait(false);
        handle = handle ?? (removed ? new AzureHandle { Target = target, Assignments = assignments, Delivered = true } : null);
        return Settling.Judge(
            request, handle, target, removed || application is not null, now, handle is { SettleSeconds: > 0 } ? TimeSpan.FromSeconds(handle.SettleSeconds) : Templates.DefaultSettle,
            known => EvidenceOf(request, known, assignments.Count, now));
    }

    private async Task<bool> DeleteAsync(RevokeRequest request, AzureHandle? handle, Application? application, CancellationToken cancellationToken)
    {
        var removed = false;
        if (application?.Id is { } id)
        {
            foreach (var keyId in (application.PasswordCredentials ?? []).Select(password => password.KeyId).OfType<string>())
                await graph.RemovePasswordAsync(id, keyId, cancellationToken).ConfigureAwait(false);
            removed = await graph.DeleteAsync(id, cancellationToken).ConfigureAwait(false);
        }

        // A deleted application can be restored with its passwords, so it is deleted once more; it may take a moment to be there.
        IReadOnlyList<string> deleted = (application?.Id ?? handle?.Application) is { } known
            ? [known]
            : await graph.FindDeletedAsync(request.ExternalName, request.Mark, cancellationToken).ConfigureAwait(false);
        foreach (var restorable in deleted) removed |= await graph.PurgeAsync(restorable, cancellationToken).ConfigureAwait(false);
        return removed;
    }

    // Without a handle nothing says where: whatever carries the lease's mark.
    private async Task<IReadOnlyList<AssignmentId>> FindAssignmentsAsync(string mark, CancellationToken cancellationToken)
    {
        var found = new HashSet<AssignmentId>();
        foreach (var scope in configuration.Scopes)
        {
            await foreach (var assignment in arm.ListAsync(scope, cancellationToken).ConfigureAwait(false))
                if (assignment.Properties?.Description == mark && RoleAssignments.IdOf(assignment) is { } id) found.Add(id);
        }

        return [.. found];
    }

    private static Evidence EvidenceOf(RevokeRequest request, AzureHandle known, int assignments, DateTimeOffset now)
    {
        var since = known.RemovedAt is { } at ? $", since {Applications.Instant(at)}" : "";
        var tokens = known is { Delivered: true, TokensEndAt: { } end } && end > now
            ? $" A token taken before may live until {Applications.Instant(end)} at the latest; it has none of these roles."
            : "";
        return new Evidence("application_absent", $"Microsoft Graph has no application {request.ExternalName}; of {assignments} role assignments none is left{since}.{tokens}", now);
    }
}

using System.Runtime.CompilerServices;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.LeaseRoles;

/// <summary>Lists the roles below the path that carry a name of this installation. The mark is in the description, which a listing shows.</summary>
internal sealed class LeaseRoleListing(AwsApi api, ProviderContext context, LeaseRolesConfiguration place)
{
    public async IAsyncEnumerable<OutstandingCredential> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? marker = null;
        do
        {
            var (roles, next) = await api.ListRolesAsync(place.Path, marker, cancellationToken).ConfigureAwait(false);
            foreach (var role in roles.Where(role => role.Name.StartsWith($"cb-{context.InstallationId}-", StringComparison.Ordinal)))
                yield return new OutstandingCredential(role.Name, role.Description.Length > 0 ? role.Description : null, null);
            marker = next;
        }
        while (marker is not null);
    }
}

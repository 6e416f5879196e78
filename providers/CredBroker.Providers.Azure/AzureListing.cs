using System.Runtime.CompilerServices;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Arm;
using CredBroker.Providers.Azure.Assignment;
using CredBroker.Providers.Azure.Graph;
using CredBroker.Providers.Azure.KeyVault;

namespace CredBroker.Providers.Azure;

/// <summary>Everything that carries a name of this installation: applications, passwords, role assignments and secrets, each name once.</summary>
internal sealed class AzureListing(Applications graph, RoleAssignments arm, VaultSecrets secrets, AzureConfiguration configuration, string installationId)
{
    private readonly string _prefix = $"cb-{installationId}-";

    /// <summary>
    /// The kinds of which all that lives is listed: not the passwords of shared applications, whose tokens keep every right for a day after the password is gone, and not what was only read.
    /// </summary>
    public IReadOnlyCollection<string> Kinds { get; } =
    [
        .. configuration.Applications ? ["app-password", "app-federated"] : Array.Empty<string>(),
        .. configuration.Scopes.Count > 0 ? ["role-assignment"] : Array.Empty<string>(),
        .. configuration.Vaults.Count > 0 ? ["keyvault-secret-write"] : Array.Empty<string>(),
    ];

    public async IAsyncEnumerable<OutstandingCredential> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var found in AllAsync(cancellationToken).ConfigureAwait(false))
            if (found.ExternalName.StartsWith(_prefix, StringComparison.Ordinal) && seen.Add(found.ExternalName)) yield return found;
    }

    private async IAsyncEnumerable<OutstandingCredential> AllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (configuration.Applications)
        {
            await foreach (var application in graph.ListAsync(_prefix, cancellationToken).ConfigureAwait(false))
                yield return new OutstandingCredential(application.UniqueName ?? application.DisplayName ?? "", application.Notes, LatestEnd(application.PasswordCredentials));
        }

        foreach (var id in configuration.SharedApplications)
        {
            var (application, _) = await graph.GetByIdAsync(id, cancellationToken).ConfigureAwait(false);
            foreach (var password in application?.PasswordCredentials ?? [])
                yield return new OutstandingCredential(Names.ExternalNameOf(password.DisplayName) ?? password.DisplayName ?? "", Names.ExternalNameOf(password.DisplayName) is null ? null : password.DisplayName, LatestEnd([password]));
        }

        foreach (var scope in configuration.Scopes)
        {
            await foreach (var assignment in arm.ListAsync(scope, cancellationToken).ConfigureAwait(false))
                foreach (var mark in SharedAssignments.MarksOf(assignment) ?? []) yield return new OutstandingCredential(Names.ExternalNameOf(mark)!, mark, null);
        }

        foreach (var vault in configuration.Vaults)
            foreach (var secret in await secrets.ListAsync(vault, _prefix, cancellationToken).ConfigureAwait(false)) yield return secret;
    }

    private static DateTimeOffset? LatestEnd(IReadOnlyList<Connect.Password>? passwords)
    {
        DateTimeOffset? latest = null;
        foreach (var password in passwords ?? [])
            if (DateTimeOffset.TryParse(password.EndDateTime, System.Globalization.CultureInfo.InvariantCulture, out var end) && (latest is null || end > latest)) latest = end;
        return latest;
    }
}

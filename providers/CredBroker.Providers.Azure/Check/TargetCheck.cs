using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Arm;
using CredBroker.Providers.Azure.Connect;
using CredBroker.Providers.Azure.Graph;
using CredBroker.Providers.Azure.KeyVault;

namespace CredBroker.Providers.Azure.Check;

/// <summary>Asks each service what the broker may do there. It only reads.</summary>
internal sealed class TargetCheck(
    AzureHttp http, Applications graph, RoleAssignments arm, VaultClients clients, ProviderContext context, AzureConfiguration configuration, string target)
{
    private static readonly TimeSpan MostSkew = TimeSpan.FromSeconds(30);

    public async Task<ProviderHealth> RunAsync(CancellationToken cancellationToken)
    {
        var findings = new List<HealthFinding>();
        findings.AddRange(OfCredential());
        if (configuration.Applications || configuration.SharedApplications.Count > 0) findings.AddRange(await OfGraphAsync(cancellationToken).ConfigureAwait(false));
        foreach (var id in configuration.SharedApplications) findings.AddRange(await OfSharedAsync(id, cancellationToken).ConfigureAwait(false));
        foreach (var scope in configuration.Scopes) findings.AddRange(await OfScopeAsync(scope, cancellationToken).ConfigureAwait(false));
        foreach (var vault in configuration.Vaults) findings.Add(await OfVaultAsync(vault, cancellationToken).ConfigureAwait(false));
        return new ProviderHealth(target, findings);
    }

    private IEnumerable<HealthFinding> OfCredential() => configuration.Credential.Kind switch
    {
        AzureCredentialKind.WorkloadIdentity => [new(FindingLevel.Ok, "log-in", $"By the broker's own assertion: issuer {context.Identity.Issuer}, subject {context.Identity.Subject}, audience {context.Identity.Audience}.")],
        AzureCredentialKind.ClientCertificate => [new(FindingLevel.Warning, "log-in", "A certificate is a standing secret of the broker's.", Federate)],
        _ => [new(FindingLevel.Warning, "log-in", "A client secret is a standing secret of the broker's, and whoever has it is the broker at Azure from anywhere.", Federate)],
    };

    private string Federate =>
        $$"""az ad app federated-credential create --id {{configuration.Credential.ClientId}} --parameters '{"name":"credbroker","issuer":"{{context.Identity.Issuer}}","subject":"{{context.Identity.Subject}}","audiences":["{{context.Identity.Audience}}"]}'""";

    private async Task<IReadOnlyList<HealthFinding>> OfGraphAsync(CancellationToken cancellationToken)
    {
        var findings = new List<HealthFinding>();
        var claims = BrokerTokens.ClaimsOf(await http.Tokens.GetAsync(http.Addresses.GraphScope, cancellationToken).ConfigureAwait(false));
        if (claims?.Roles is not { } roles) findings.Add(new(FindingLevel.Warning, "Microsoft Graph", "The broker's token does not show which permissions it has."));
        else if (roles.Contains("Application.ReadWrite.All")) findings.Add(new(FindingLevel.Warning, "Application.ReadWrite.All", "The broker may change every application of the tenant: whoever takes the broker takes them all.", Grant));
        else if (roles.Contains("Application.ReadWrite.OwnedBy")) findings.Add(new(FindingLevel.Ok, "Application.ReadWrite.OwnedBy", "The broker may make applications, and change those that it owns."));
        else findings.Add(new(FindingLevel.Missing, "Application.ReadWrite.OwnedBy", "The broker may not make applications.", Grant));
        try
        {
            var (_, now) = await graph.FindAsync($"cb-{context.InstallationId}-{new string('0', Uid.Length)}", cancellationToken).ConfigureAwait(false);
            var skew = (now - context.Time.GetUtcNow()).Duration();
            if (skew > MostSkew) findings.Add(new(FindingLevel.Warning, "clock", $"The broker's clock and Azure's are {skew.TotalSeconds:F0} s apart: assertions may be refused.", "Synchronise the broker's clock."));
        }
        catch (ProviderException e) when (e.Fault == ProviderFault.Denied)
        {
            findings.Add(new(FindingLevel.Missing, "read applications", $"Microsoft Graph refuses to look an application up: {e.Message}", Grant));
        }

        return findings;
    }

    // 18a4783c-… is the permission Application.ReadWrite.OwnedBy of Microsoft Graph (00000003-0000-0000-c000-000000000000), the same in every tenant.
    private string Grant =>
        $"az ad app permission add --id {configuration.Credential.ClientId} --api 00000003-0000-0000-c000-000000000000 --api-permissions 18a4783c-866b-4cc7-a460-3d5e5662c884=Role "
        + $"&& az ad app permission admin-consent --id {configuration.Credential.ClientId}";

    private async Task<IReadOnlyList<HealthFinding>> OfSharedAsync(string id, CancellationToken cancellationToken)
    {
        var subject = $"application {id}";
        try
        {
            var (application, _) = await graph.GetByIdAsync(id, cancellationToken).ConfigureAwait(false);
            if (application is null) return [new(FindingLevel.Missing, subject, "There is no such application.")];
            var findings = new List<HealthFinding> { new(FindingLevel.Ok, subject, $"It has {application.PasswordCredentials?.Count ?? 0} passwords. Only its owners may change them: {OwnerHint(id)}") };
            if (application.SignInAudience is "AzureADandPersonalMicrosoftAccount" or "PersonalMicrosoftAccount")
                findings.Add(new(FindingLevel.Warning, subject, "It is open to personal accounts: Microsoft Graph allows 60 writes a minute to such applications.", $"az ad app update --id {id} --sign-in-audience AzureADMyOrg"));
            return findings;
        }
        catch (ProviderException e) when (e.Fault == ProviderFault.Denied)
        {
            return [new(FindingLevel.Missing, subject, "The broker may not see it.", OwnerHint(id))];
        }
    }

    private static string OwnerHint(string id) => $"az ad app owner add --id {id} --owner-object-id <object id of the broker's service principal>";

    private async Task<IReadOnlyList<HealthFinding>> OfScopeAsync(string scope, CancellationToken cancellationToken)
    {
        var permissions = await arm.PermissionsAsync(scope, cancellationToken).ConfigureAwait(false) ?? [];
        var findings = new List<HealthFinding>();
        foreach (var action in ActionPattern.Needed)
        {
            findings.Add(permissions.Any(set => ActionPattern.Allows(set, action))
                ? new(FindingLevel.Ok, $"{action} at {scope}", "The broker may.")
                : new(FindingLevel.Missing, $"{action} at {scope}", "The broker may not.", ActionPattern.Fix(scope, configuration.Credential.ClientId)));
        }

        if (permissions.Any(set => set.Actions?.Contains("*") == true))
            findings.Add(new(FindingLevel.Warning, $"* at {scope}", "The broker may do everything there, though it needs to assign roles alone.", ActionPattern.Fix(scope, configuration.Credential.ClientId)));
        return findings;
    }

    private async Task<HealthFinding> OfVaultAsync(string vault, CancellationToken cancellationToken)
    {
        try
        {
            await clients.ListAsync(clients.Of(vault).GetPropertiesOfSecretVersionsAsync($"cb-{context.InstallationId}-check", cancellationToken), cancellationToken).ConfigureAwait(false);
            return new(FindingLevel.Ok, $"vault {vault}", "The broker may look secrets up. Whether it may write and disable them shows only when it does.");
        }
        catch (ProviderException e) when (e.Fault == ProviderFault.Denied)
        {
            return new(
                FindingLevel.Missing, $"vault {vault}", $"The vault refuses the broker: {e.Message}",
                $"az role assignment create --role \"Key Vault Secrets Officer\" --assignee {configuration.Credential.ClientId} --scope <the vault's resource id>");
        }
    }
}

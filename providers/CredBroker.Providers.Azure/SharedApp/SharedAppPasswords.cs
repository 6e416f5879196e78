using CredBroker.Abstractions;
using CredBroker.Providers.Azure.AppLease;
using CredBroker.Providers.Azure.Connect;
using CredBroker.Providers.Azure.Graph;

namespace CredBroker.Providers.Azure.SharedApp;

/// <summary>
/// A password on an application that others use too. Its display name is the lease's mark, by which it is found, and told apart. A token taken with it keeps
/// the application's rights until it ends, so the lease is settling for as long.
/// </summary>
internal sealed class SharedAppPasswords(Applications graph, ProviderContext context, AzureConfiguration configuration, AzureAddresses addresses, string target)
{
    public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<SharedAppPasswordTemplate>.Read(request.Template);
        Templates.Require(SharedAppPasswordRoleKind.Check(template), configuration, []);
        if (!configuration.SharedApplications.Contains(template.Application, StringComparer.OrdinalIgnoreCase))
            throw Templates.Refuse($"The provider's configuration does not name the application {template.Application}.");
        Names.Require(request.ExternalName, request.Mark);
        var end = DateTimeOffset.FromUnixTimeSeconds(request.ExpiresAt.ToUnixTimeSeconds());
        var handle = new AzureHandle { Target = target, Application = template.Application };
        var steps = new IssueSteps(context.Time, request.Deadline);
        return steps.RunAsync(async () =>
        {
            await steps.RecordAsync(journal, handle, cancellationToken).ConfigureAwait(false);
            var (application, _) = await graph.GetByIdAsync(template.Application, cancellationToken).ConfigureAwait(false);
            if (application?.AppId is not { } appId || !Names.IsGuid(appId)) throw Templates.Refuse($"There is no application {template.Application}, or the broker may not see it.");
            if (Of(application, request.ExternalName).Any()) throw new ProviderException(ProviderFault.Credential, "The application has a password of this lease already.", ProviderEffect.None);

            // The application is not new: whatever is refused is refused.
            var answer = await steps.MakeAsync(() => graph.AddPasswordAsync(template.Application, request.Mark, end, cancellationToken), _ => false, cancellationToken).ConfigureAwait(false);
            var password = answer.Read(AzureJson.Default.Password);
            if (password is not { SecretText.Length: > 0, KeyId: { } keyId } || !Names.IsGuid(keyId))
                throw new ProviderException(ProviderFault.Unreachable, "Microsoft Graph answered without a password.");
            return new IssuedCredential
            {
                Fields = new Dictionary<string, CredentialField>
                {
                    ["tenant_id"] = new(new Secret(configuration.TenantId)),
                    ["client_id"] = new(new Secret(appId)),
                    ["client_secret"] = new(new Secret(password.SecretText)),
                    ["authority_host"] = new(new Secret(addresses.Authority.AbsoluteUri)),
                },
                Handle = (handle with { KeyId = keyId, Delivered = true, TokensEndAt = end + AppIssue.LongestToken }).Seal(),
                ExpiresAt = end,
            };
        });
    }

    public async Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        Names.Require(request.ExternalName, request.Mark);
        var handle = AzureHandle.Open(request.Handle, target);
        var removed = false;
        var now = DateTimeOffset.MinValue;
        foreach (var id in handle?.Application is { } known ? [known] : configuration.SharedApplications)
        {
            (var application, now) = await graph.GetByIdAsync(id, cancellationToken).ConfigureAwait(false);
            foreach (var password in Of(application, request.ExternalName))
            {
                if (password.DisplayName != request.Mark)
                    throw new ProviderException(ProviderFault.Credential, $"The application {id} has a password of this lease's name without our mark: nothing was touched. Remove it by hand.", ProviderEffect.None);
                await graph.RemovePasswordAsync(id, password.KeyId!, cancellationToken).ConfigureAwait(false);
                removed = true;
                handle ??= new AzureHandle { Target = target, Application = id, Delivered = true };
            }
        }

        if (now == DateTimeOffset.MinValue) throw Templates.Refuse("The provider's configuration names no shared application, and the lease does not say which it was.");
        return Settling.Judge(request, handle, target, removed, now, AppIssue.LongestToken, settled => new Evidence(
            "password_absent",
            settled is { Delivered: true, RemovedAt: { } since }
                ? $"The application has had no password of this lease since {Applications.Instant(since)}, and every token that was taken with it before has ended."
                : "The application has no password of this lease.",
            now));
    }

    /// <summary>The passwords that carry a lease's name: in a mark, or alone.</summary>
    private static IEnumerable<Password> Of(Application? application, string externalName) =>
        (application?.PasswordCredentials ?? []).Where(password => password.KeyId is { } id && Names.IsGuid(id)
            && (password.DisplayName == externalName || Names.ExternalNameOf(password.DisplayName) == externalName));
}

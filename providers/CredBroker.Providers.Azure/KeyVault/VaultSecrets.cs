using System.Buffers.Text;
using System.Security.Cryptography;
using Azure.Security.KeyVault.Secrets;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.KeyVault;

/// <summary>
/// Secrets in key vaults. One that is written carries the lease's name, and its mark as a tag; at the end it is disabled, and the vault's own word that it is
/// (<c>SecretDisabled</c>, not any refusal) is the proof. One that is read cannot be ended.
/// </summary>
internal sealed class VaultSecrets(VaultClients clients, ProviderContext context, AzureConfiguration configuration, string target)
{
    public const string MarkTag = "credbroker-mark";

    /// <summary>Whether a template's vault could be one of a configuration's: what the configuration names is checked there.</summary>
    public static bool IsAddress(string vault) =>
        vault.Length <= 100 && Uri.TryCreate(vault, UriKind.Absolute, out var uri) && uri is { Scheme: "https", PathAndQuery: "/", UserInfo: "", Fragment: "" } && vault.TrimEnd('/') == $"https://{uri.Authority}";

    public Task<IssuedCredential> WriteAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<SecretWriteTemplate>.Read(request.Template);
        Templates.Require(SecretWriteRoleKind.Check(template), configuration, []);
        RequireVault(template.Vault);
        Names.Require(request.ExternalName, request.Mark);
        var handle = new AzureHandle { Target = target, Vault = template.Vault };
        var steps = new IssueSteps(context.Time, request.Deadline);
        return steps.RunAsync(async () =>
        {
            await steps.RecordAsync(journal, handle, cancellationToken).ConfigureAwait(false);
            var client = clients.Of(template.Vault);
            var (versions, _) = await VersionsAsync(client, request.ExternalName, cancellationToken).ConfigureAwait(false);
            if (versions.Count > 0) throw new ProviderException(ProviderFault.Credential, "There is a secret of this name already.", ProviderEffect.None);
            steps.RequireTime();
            var end = DateTimeOffset.FromUnixTimeSeconds(request.ExpiresAt.ToUnixTimeSeconds());
            var value = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(template.Bytes));
            var secret = new KeyVaultSecret(request.ExternalName, value) { Properties = { ContentType = "text/plain", ExpiresOn = end, Tags = { [MarkTag] = request.Mark } } };
            var (written, _, _) = await clients.AskAsync(() => client.SetSecretAsync(secret, cancellationToken), makes: true, (_, _) => false, cancellationToken).ConfigureAwait(false);
            steps.Made();
            var version = written!.Properties.Version;
            if (version is null || !Names.IsVersion(version)) throw new ProviderException(ProviderFault.Unreachable, "The vault answered without a version.");
            return new IssuedCredential
            {
                Fields = Fields(value, template.Vault, request.ExternalName, version),
                Handle = (handle with { Version = version, Delivered = true }).Seal(),
                ExpiresAt = end,
            };
        });
    }

    public async Task<IssuedCredential> ReadAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<SecretReadTemplate>.Read(request.Template);
        Templates.Require(SecretReadRoleKind.Check(template, mayHavePlaceholders: false), configuration, []);
        RequireVault(template.Vault);
        Names.Require(request.ExternalName, request.Mark);
        var handle = new AzureHandle { Target = target, Vault = template.Vault, Version = template.Name };
        var steps = new IssueSteps(context.Time, request.Deadline);
        await steps.RecordAsync(journal, handle, cancellationToken).ConfigureAwait(false);
        var client = clients.Of(template.Vault);
        var (read, _, _) = await clients.AskAsync(() => client.GetSecretAsync(template.Name, template.Version, null, cancellationToken), makes: true, (_, _) => false, cancellationToken).ConfigureAwait(false);
        return new IssuedCredential
        {
            Fields = Fields(read!.Value, template.Vault, template.Name, read.Properties.Version ?? ""),
            Handle = (handle with { Delivered = true }).Seal(),
            ExpiresAt = request.ExpiresAt,
        };
    }

    public async Task<RevokeOutcome> RevokeWrittenAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        Names.Require(request.ExternalName, request.Mark);
        var handle = AzureHandle.Open(request.Handle, target);
        RevokeOutcome? outcome = null;
        foreach (var vault in handle?.Vault is { } known ? [known] : configuration.Vaults)
        {
            outcome = await RevokeInAsync(vault, request, cancellationToken).ConfigureAwait(false);
            // Nothing of this name in one vault says nothing about the next.
            if (outcome is not RevokeOutcome.Gone { Evidence.Kind: "secret_absent" }) return outcome;
        }

        return outcome ?? throw Templates.Refuse("The provider's configuration names no vault, and the lease does not say which it was.");
    }

    /// <summary>What was read lives on. Its lease ends when its time has passed by the vault's clock.</summary>
    public async Task<RevokeOutcome> RevokeReadAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        Names.Require(request.ExternalName, request.Mark);
        var handle = AzureHandle.Open(request.Handle, target);
        var vault = handle?.Vault ?? configuration.Vaults.FirstOrDefault() ?? throw Templates.Refuse("The provider's configuration names no vault.");
        var (_, now) = await VersionsAsync(clients.Of(vault), request.ExternalName, cancellationToken).ConfigureAwait(false);
        if (request.MayStillArriveUntil is { } arrival && now <= arrival) return new RevokeOutcome.Settling(target, arrival.AddSeconds(1), "The value may still be on its way.");
        // Without a handle it may have been.
        if (handle is { Delivered: false })
            return new RevokeOutcome.Gone(target, new Evidence("nothing_delivered", "No value was delivered for this lease.", now));
        return now < request.PossibleDeathAt
            ? new RevokeOutcome.ExpiresAt(target, request.PossibleDeathAt)
            : new RevokeOutcome.Expired(target, new Evidence("value_not_invalidated", $"The lease's time has passed. The value of {handle?.Version ?? "a secret"} in {vault} was read and is not invalidated: rotate it if it must end.", now));
    }

    /// <summary>Every secret of this installation that is not disabled.</summary>
    public async Task<IReadOnlyList<OutstandingCredential>> ListAsync(string vault, string prefix, CancellationToken cancellationToken)
    {
        var client = clients.Of(vault);
        var (found, _) = await clients.ListAsync(client.GetPropertiesOfSecretsAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        return
        [
            .. found.Where(secret => secret.Name.StartsWith(prefix, StringComparison.Ordinal) && secret.Enabled != false)
                .Select(secret => new OutstandingCredential(secret.Name, secret.Tags.TryGetValue(MarkTag, out var mark) ? mark : null, null)),
        ];
    }

    private async Task<RevokeOutcome> RevokeInAsync(string vault, RevokeRequest request, CancellationToken cancellationToken)
    {
        var client = clients.Of(vault);
        var (versions, now) = await VersionsAsync(client, request.ExternalName, cancellationToken).ConfigureAwait(false);
        if (versions.Any(version => !version.Tags.TryGetValue(MarkTag, out var mark) || mark != request.Mark))
            throw new ProviderException(ProviderFault.Credential, $"The secret {request.ExternalName} in {vault} has a version that does not carry our mark: nothing was touched. Put the tag back, or disable it by hand.", ProviderEffect.None);
        if (versions.Count == 0) return await JudgeAbsentAsync(client, request, now, cancellationToken).ConfigureAwait(false);

        foreach (var version in versions)
        {
            if (version.Enabled != false)
            {
                version.Enabled = false;
                await clients.AskAsync(() => client.UpdateSecretPropertiesAsync(version, cancellationToken), makes: false, (_, _) => false, cancellationToken).ConfigureAwait(false);
            }

            (var read, _, now) = await clients.AskAsync(
                () => client.GetSecretAsync(request.ExternalName, version.Version, null, cancellationToken), makes: false,
                (status, error) => status == 403 && error.Inner?.Code == "SecretDisabled", cancellationToken).ConfigureAwait(false);
            if (read is not null) return new RevokeOutcome.Settling(target, now.AddSeconds(5), "The version is disabled, and the vault still gives it out.");
        }

        if (request.MayStillArriveUntil is { } arrival && now <= arrival) return new RevokeOutcome.Settling(target, arrival.AddSeconds(1), "The issuing call may still arrive, as another version.");
        var kept = await DeleteAsync(client, request.ExternalName, cancellationToken).ConfigureAwait(false);
        return new RevokeOutcome.Gone(target, new Evidence("secret_disabled", $"The vault {vault} refuses {request.ExternalName} as SecretDisabled, in each of its {versions.Count} versions.{kept}", now));
    }

    // Where there is no such secret: it may have been deleted, here or by hand, and could then be recovered as it was.
    private async Task<RevokeOutcome> JudgeAbsentAsync(SecretClient client, RevokeRequest request, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (deleted, _, later) = await clients.AskAsync(
            () => client.GetDeletedSecretAsync(request.ExternalName, cancellationToken), makes: false, (status, _) => status == 404, cancellationToken).ConfigureAwait(false);
        if (request.MayStillArriveUntil is { } arrival && later <= arrival) return new RevokeOutcome.Settling(target, arrival.AddSeconds(1), "It is not there. The issuing call may still arrive.");
        if (deleted is null) return new RevokeOutcome.Gone(target, new Evidence("secret_absent", $"The vault has no secret {request.ExternalName}, live or deleted.", later > now ? later : now));
        var state = deleted.Properties.Enabled == false ? "disabled and deleted" : "deleted";
        return new RevokeOutcome.Gone(target, new Evidence("secret_deleted", $"The secret {request.ExternalName} is {state}: the vault gives it out to nobody. Whoever may recover secrets could bring it back until it is purged.", later));
    }

    /// <summary>What is proven unreadable is tidied away; that it cannot be is no reason to say that it is alive.</summary>
    private async Task<string> DeleteAsync(SecretClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            await clients.AskAsync(async () =>
            {
                var operation = await client.StartDeleteSecretAsync(name, cancellationToken).ConfigureAwait(false);
                return global::Azure.Response.FromValue(operation.Value, operation.GetRawResponse());
            }, makes: false, (status, _) => status == 404, cancellationToken).ConfigureAwait(false);
            return "";
        }
        catch (ProviderException e) when (e.Fault == ProviderFault.Denied)
        {
            return " It was not deleted: the broker has no right to.";
        }
    }

    private Task<(IReadOnlyList<SecretProperties> Found, DateTimeOffset Now)> VersionsAsync(SecretClient client, string name, CancellationToken cancellationToken) =>
        clients.ListAsync(client.GetPropertiesOfSecretVersionsAsync(name, cancellationToken), cancellationToken);

    private void RequireVault(string vault)
    {
        if (!configuration.Vaults.Contains(vault, StringComparer.OrdinalIgnoreCase)) throw Templates.Refuse($"The provider's configuration does not name the vault {vault}.");
    }

    private static Dictionary<string, CredentialField> Fields(string value, string vault, string name, string version) => new()
    {
        ["value"] = new(new Secret(value)),
        ["vault"] = new(new Secret(vault)),
        ["name"] = new(new Secret(name)),
        ["version"] = new(new Secret(version)),
    };
}

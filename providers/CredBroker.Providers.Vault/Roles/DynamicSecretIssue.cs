using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Children;
using CredBroker.Providers.Vault.Client;
using CredBroker.Providers.Vault.Session;

namespace CredBroker.Providers.Vault.Roles;

/// <summary>
/// Reads a secret with a child token of its own, under which the lease hangs: make the token, put it on record, give it its life, read, and put the lease's id on
/// record before anybody has the secret.
/// </summary>
internal sealed class DynamicSecretIssue(ProviderContext context, BrokerSessions sessions, ChildTokens tokens, ChildRenewal renewal)
{
    public async Task<IssuedCredential> RunAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<DynamicSecretTemplate>.Read(request.Template);
        TemplateRules.Require(DynamicSecretRoleKind.Check(template, mayHavePlaceholders: false));
        var child = await tokens.CreateAsync(request, new ChildWish(template.TokenRole, template.Policies) { Path = template.Leased ? template.Path : null }, cancellationToken).ConfigureAwait(false);
        var handle = new ChildHandle(child.Identity, child.Accessor) { Path = template.Leased ? template.Path : null, Lasts = !template.Leased };
        await RecordAsync(journal, handle, cancellationToken).ConfigureAwait(false);
        var ends = child.ExpiresAt;
        if (ends < request.ExpiresAt - TimeSpan.FromSeconds(1)) ends = await tokens.ExtendAsync(child.Accessor, request.ExpiresAt, cancellationToken).ConfigureAwait(false);

        var reply = await sessions.SendAsAsync(child.Token, CallFor(template, request), cancellationToken).ConfigureAwait(false);
        if (!reply.Succeeded) throw await RefusedAsync(child, reply, cancellationToken).ConfigureAwait(false);
        var lease = reply.Answer.LeaseId is { Length: > 0 } id ? id : null;
        if (lease is not null)
        {
            // A lease's id starts with its path, and only such a one is ever sent back.
            if (lease.Length > 1024 || !Names.IsPath(lease[..Math.Max(lease.LastIndexOf('/'), 0)]) || !lease.StartsWith(template.Path, StringComparison.Ordinal)) throw Faults.Unintelligible(reply.Call);
            handle = handle with { Leases = [lease], Lasts = false, Path = template.Path };
            await RecordAsync(journal, handle, cancellationToken).ConfigureAwait(false);
        }

        if (lease is null == template.Leased) throw await OtherwiseAsync(child, lease, cancellationToken).ConfigureAwait(false);
        if (Answers.Take(reply.Answer.Data, template.Fields, out var missing) is not { } fields)
            throw new ProviderException(ProviderFault.Misconfigured, $"The answer of {template.Path} has no {missing}.");
        if (lease is not null) ends = Earlier(ends, await LeaseEndAsync(lease, reply.Answer, ends, cancellationToken).ConfigureAwait(false));
        return new IssuedCredential { Fields = fields, Handle = handle.Seal(), ExpiresAt = ends };
    }

    private static async Task RecordAsync(IIssueJournal journal, ChildHandle handle, CancellationToken cancellationToken)
    {
        if (!await journal.RecordAsync(handle.Seal(), cancellationToken).ConfigureAwait(false)) throw new ProviderException(ProviderFault.Credential, "The lease is no longer wanted.");
    }

    private VaultCall CallFor(DynamicSecretTemplate template, IssueRequest request)
    {
        if (template.Method == SecretMethod.Read) return VaultCall.Get(template.Path, reachesEngine: true);
        var body = new Dictionary<string, string>(template.Parameters, StringComparer.Ordinal);
        if (template.LifeParameter is { } life) body[life] = Durations.Format(request.ExpiresAt - context.Time.GetUtcNow());
        return VaultCall.Post(template.Path, JsonSerializer.SerializeToUtf8Bytes(body, VaultJson.Default.IReadOnlyDictionaryStringString), reachesEngine: true);
    }

    // The child is of no use any more. With it goes whatever the engine made: that nothing is left is said only where the engine definitely refused.
    private async Task<ProviderException> RefusedAsync(Child child, VaultReply reply, CancellationToken cancellationToken)
    {
        var refused = Faults.From(reply);
        if (reply.RefusesToken) refused = new ProviderException(ProviderFault.Credential, "The child token was dead before it was used.", ProviderEffect.None);
        return refused.Effect == ProviderEffect.None ? await tokens.DiscardAsync(child, refused, cancellationToken).ConfigureAwait(false) : refused;
    }

    // Nobody has what was made, and its token ends; with a lease, the broker's revocation proves it.
    private async Task<ProviderException> OtherwiseAsync(Child child, string? lease, CancellationToken cancellationToken)
    {
        var words = lease is null
            ? "The engine gave no lease, so that this cannot be revoked: say leased: false, with a lifeParameter."
            : "The engine gave a lease, and the role says that it gives none: say leased: true.";
        var because = new ProviderException(ProviderFault.Misconfigured, words, lease is null ? ProviderEffect.None : ProviderEffect.Unknown);
        return lease is null ? await tokens.DiscardAsync(child, because, cancellationToken).ConfigureAwait(false) : because;
    }

    private async Task<DateTimeOffset> LeaseEndAsync(string lease, VaultAnswer answer, DateTimeOffset wanted, CancellationToken cancellationToken)
    {
        var ends = context.Time.GetUtcNow() + TimeSpan.FromSeconds(Math.Max(answer.LeaseDuration, 0));
        if (ends >= wanted - TimeSpan.FromSeconds(1) || !answer.Renewable) return ends;
        return await renewal.ExtendLeaseAsync(lease, wanted, cancellationToken).ConfigureAwait(false);
    }

    private static DateTimeOffset Earlier(DateTimeOffset left, DateTimeOffset right) => left < right ? left : right;
}

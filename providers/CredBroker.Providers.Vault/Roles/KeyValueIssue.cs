using System.Globalization;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Children;
using CredBroker.Providers.Vault.Session;
using CredBroker.Providers.Vault.Client;

namespace CredBroker.Providers.Vault.Roles;

/// <summary>
/// Reads a stored value with a child token of its own, which the broker keeps to itself: the broker's own has no right to read it. The token stays until the lease
/// ends, so that the target knows who has the value, and with it goes the only right to read it again.
/// </summary>
internal sealed class KeyValueIssue(BrokerSessions sessions, ChildTokens tokens)
{
    public async Task<IssuedCredential> RunAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<KeyValueTemplate>.Read(request.Template);
        TemplateRules.Require(KeyValueRoleKind.Check(template, mayHavePlaceholders: false));
        var child = await tokens.CreateAsync(request, new ChildWish(template.TokenRole, template.Policies), cancellationToken).ConfigureAwait(false);
        var handle = new ChildHandle(child.Identity, child.Accessor) { Lasts = true }.Seal();
        if (!await journal.RecordAsync(handle, cancellationToken).ConfigureAwait(false)) throw new ProviderException(ProviderFault.Credential, "The lease is no longer wanted.");
        var ends = child.ExpiresAt;
        if (ends < request.ExpiresAt - TimeSpan.FromSeconds(1)) ends = await tokens.ExtendAsync(child.Accessor, request.ExpiresAt, cancellationToken).ConfigureAwait(false);

        var query = template.Version is { } version ? string.Create(CultureInfo.InvariantCulture, $"version={version}") : "";
        var reply = await sessions.SendAsAsync(child.Token, VaultCall.Get($"{template.Mount}/data/{template.Path}", query), cancellationToken).ConfigureAwait(false);
        if (!reply.Succeeded) throw await tokens.DiscardAsync(child, Refused(reply, template), cancellationToken).ConfigureAwait(false);
        var data = reply.Answer.Data is { ValueKind: JsonValueKind.Object } outer && outer.TryGetProperty("data", out var inner) ? inner : (JsonElement?)null;
        if (Answers.Take(data, template.Fields, out var missing) is not { } fields)
        {
            var lacks = new ProviderException(ProviderFault.Misconfigured, $"The secret {template.Mount}/{template.Path} has no {missing}.", ProviderEffect.None);
            throw await tokens.DiscardAsync(child, lacks, cancellationToken).ConfigureAwait(false);
        }

        return new IssuedCredential { Fields = fields, Handle = handle, ExpiresAt = ends };
    }

    // A read changes nothing, whatever it answers; a version that was deleted answers 404 with its metadata.
    private static ProviderException Refused(VaultReply reply, KeyValueTemplate template)
    {
        var failure = Faults.From(reply);
        var words = reply.Status == 404 ? $"There is no such secret, or its version is deleted: {template.Mount}/{template.Path}." : failure.Message;
        return new ProviderException(failure.Fault, words, ProviderEffect.None, failure.RetryAfter);
    }
}

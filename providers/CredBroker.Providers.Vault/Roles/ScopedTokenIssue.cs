using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Children;

namespace CredBroker.Providers.Vault.Roles;

/// <summary>Makes a token and hands it out: make it for two minutes, put it on record, give it its life.</summary>
internal sealed class ScopedTokenIssue(VaultConfiguration configuration, ChildTokens tokens)
{
    public async Task<IssuedCredential> RunAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<ScopedTokenTemplate>.Read(request.Template);
        TemplateRules.Require(ScopedTokenRoleKind.Check(template, mayHavePlaceholders: false));
        var wish = new ChildWish(template.TokenRole, template.Policies) { WrapFor = template.WrapFor };
        var child = await tokens.CreateAsync(request, wish, cancellationToken).ConfigureAwait(false);
        var handle = new ChildHandle(child.Identity, child.Accessor).Seal();
        if (!await journal.RecordAsync(handle, cancellationToken).ConfigureAwait(false)) throw new ProviderException(ProviderFault.Credential, "The lease is no longer wanted.");
        var ends = child.ExpiresAt;
        if (ends < request.ExpiresAt - TimeSpan.FromSeconds(1)) ends = await tokens.ExtendAsync(child.Accessor, request.ExpiresAt, cancellationToken).ConfigureAwait(false);
        return new IssuedCredential
        {
            Fields = new Dictionary<string, CredentialField>
            {
                ["token"] = new(child.Token),
                ["wrapped"] = new(new Secret(template.WrapFor is null ? "false" : "true")),
                ["address"] = new(new Secret(configuration.BaseAddress.GetLeftPart(UriPartial.Authority))),
                ["namespace"] = new(new Secret(configuration.Namespace ?? "")),
            },
            Handle = handle,
            ExpiresAt = ends,
        };
    }
}

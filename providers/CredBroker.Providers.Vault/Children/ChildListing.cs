using System.Runtime.CompilerServices;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;
using CredBroker.Providers.Vault.Session;

namespace CredBroker.Providers.Vault.Children;

/// <summary>Finds child tokens by what they carry: the target lists bare accessors, and each is looked up.</summary>
internal sealed class ChildListing(ProviderContext context, BrokerSessions sessions)
{
    public async IAsyncEnumerable<OutstandingCredential> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var prefix = $"cb-{context.InstallationId}-";
        var (accessors, _) = await AccessorsAsync(cancellationToken).ConfigureAwait(false);
        foreach (var accessor in accessors)
        {
            if (await LookUpAsync(accessor, cancellationToken).ConfigureAwait(false) is not { } token) continue;
            if (ChildMeta.NameOf(token) is { } name && name.StartsWith(prefix, StringComparison.Ordinal) && Names.IsExternalName(name))
                yield return new OutstandingCredential(name, ChildMeta.MarkOf(token) is { } mark && Names.IsMark(mark) ? mark : null, token.ExpireTime);
        }
    }

    /// <summary>The token of this lease, and when the listing began by the target's clock; what has its name without its mark is somebody else's.</summary>
    public async Task<(ChildHandle? Handle, DateTimeOffset ListedAt)> FindAsync(RevokeRequest request, BrokerSession session, CancellationToken cancellationToken)
    {
        var (accessors, listedAt) = await AccessorsAsync(cancellationToken).ConfigureAwait(false);
        var strangers = 0;
        foreach (var accessor in accessors)
        {
            if (await LookUpAsync(accessor, cancellationToken).ConfigureAwait(false) is not { } token || ChildMeta.NameOf(token) != request.ExternalName) continue;
            if (ChildMeta.MarkOf(token) == request.Mark) return (new ChildHandle(session.Identity, accessor) { Path = ChildMeta.PathOf(token) }, listedAt);
            strangers++;
        }

        if (strangers > 0)
            throw new ProviderException(ProviderFault.Credential, $"A token has the name {request.ExternalName} without our mark: nothing was touched. Revoke it by hand if it is not wanted.", ProviderEffect.None);
        return (null, listedAt);
    }

    private async Task<(IReadOnlyList<string> Accessors, DateTimeOffset At)> AccessorsAsync(CancellationToken cancellationToken)
    {
        var (reply, _) = await sessions.SendAsync(VaultCall.List("auth/token/accessors"), cancellationToken).ConfigureAwait(false);
        return (reply.Require().Data(VaultJson.Default.VaultKeys).Keys ?? [], reply.At);
    }

    // Null: it ended between the listing and the look.
    private async Task<VaultTokenState?> LookUpAsync(string accessor, CancellationToken cancellationToken)
    {
        var (reply, _) = await sessions.SendAsync(ChildTokens.LookUp(accessor), cancellationToken).ConfigureAwait(false);
        return reply.Says("invalid accessor") ? null : reply.Require().Data(VaultJson.Default.VaultTokenState);
    }
}

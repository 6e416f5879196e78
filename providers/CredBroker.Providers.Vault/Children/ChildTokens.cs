using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;
using CredBroker.Providers.Vault.Session;

namespace CredBroker.Providers.Vault.Children;

/// <summary>
/// Makes child tokens in two phases. A new one lives two minutes; only when its accessor is on record it is given its whole life. Whoever dies in between
/// leaves a token that ends by itself.
/// </summary>
internal sealed class ChildTokens(ProviderContext context, VaultConfiguration configuration, BrokerSessions sessions)
{
    /// <summary>How long a token lives that nobody has on record.</summary>
    public static readonly TimeSpan Unrecorded = TimeSpan.FromSeconds(120);

    private readonly UsedNames _names = new(context.Time);

    /// <summary>Nothing is made any more under this name by this process: what still comes would be late.</summary>
    public void Close(RevokeRequest request) => _names.Close(request.ExternalName, request.MayStillArriveUntil);

    /// <summary>Makes one that lives no longer than an unrecorded one may.</summary>
    public async Task<Child> CreateAsync(IssueRequest request, ChildWish wish, CancellationToken cancellationToken)
    {
        var role = Require(request, wish);
        var sent = context.Time.GetUtcNow();
        if (sent >= request.Deadline) throw None("The deadline for issuing has passed.");
        var life = Shorter(request.ExpiresAt - sent, Unrecorded);
        if (life < TimeSpan.FromSeconds(1)) throw None("Less than a second of life is left.");
        if (!_names.TryUse(request.ExternalName, request.Deadline)) throw None("This name is used already.");
        var body = new CreateToken(wish.Policies, ChildMeta.For(request, wish.Path), request.ExternalName, Durations.Format(life), Renewable: true, NoDefaultPolicy: true);
        var call = VaultCall.Post($"auth/token/create/{role}", body, VaultJson.Default.CreateToken, wish.WrapFor);
        var (reply, session) = await sessions.SendAsync(call, cancellationToken).ConfigureAwait(false);
        reply.Require();
        var child = wish.WrapFor is null ? Plain(reply, session) : Wrapped(reply, session, life);

        // A token with more policies than were asked for is not handed out: the role adds them. Of a wrapped one only the look-up tells.
        var policies = wish.WrapFor is null ? reply.Answer.Auth!.Policies : await PoliciesAsync(child, cancellationToken).ConfigureAwait(false);
        if (Unexpected(policies, wish.Policies) is { } more) throw await DiscardAsync(child, TooMany(more), cancellationToken).ConfigureAwait(false);
        return child;
    }

    /// <summary>Gives it its whole life. Answers when it ends, which may be earlier than asked.</summary>
    public async Task<DateTimeOffset> ExtendAsync(string accessor, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var increment = expiresAt - context.Time.GetUtcNow();
            if (increment < TimeSpan.FromSeconds(1)) throw new ProviderException(ProviderFault.Credential, "Less than a second of life is left.");
            var call = VaultCall.Post("auth/token/renew-accessor", new AccessorBody(accessor, Durations.Format(increment)), VaultJson.Default.AccessorBody);
            var (reply, _) = await sessions.SendAsync(call, cancellationToken).ConfigureAwait(false);
            if (reply.Says("invalid accessor")) throw new ProviderException(ProviderFault.Credential, "The token is not there any more.", ProviderEffect.None);
            if (reply.Require().Answer.Auth is not { LeaseDuration: > 0 } auth) throw Faults.Unintelligible(call);

            // It counts from when the target worked on it, which may have been long after it was sent.
            var ends = context.Time.GetUtcNow() + TimeSpan.FromSeconds(auth.LeaseDuration);
            if (ends <= expiresAt || attempt == 2) return ends;
        }
    }

    /// <summary>Revokes it at once, because what was made with it is not wanted. Answers the failure to throw, which says nothing is left once that is proven.</summary>
    public async Task<ProviderException> DiscardAsync(Child child, ProviderException because, CancellationToken cancellationToken)
    {
        try
        {
            await sessions.SendAsync(RevokeAccessor(child.Accessor), cancellationToken).ConfigureAwait(false);
            var (look, _) = await sessions.SendAsync(LookUp(child.Accessor), cancellationToken).ConfigureAwait(false);
            if (look.Says("invalid accessor")) return because;
        }
        catch (ProviderException e)
        {
            return new ProviderException(because.Fault, $"{because.Message} Its token could not be revoked at once: {e.Message}", ProviderEffect.Unknown, because.RetryAfter);
        }

        return new ProviderException(because.Fault, because.Message, ProviderEffect.Unknown, because.RetryAfter);
    }

    public static VaultCall LookUp(string accessor) => VaultCall.Post("auth/token/lookup-accessor", new AccessorBody(accessor), VaultJson.Default.AccessorBody);

    public static VaultCall RevokeAccessor(string accessor) => VaultCall.Post("auth/token/revoke-accessor", new AccessorBody(accessor), VaultJson.Default.AccessorBody);

    private string Require(IssueRequest request, ChildWish wish)
    {
        if (!Names.IsExternalName(request.ExternalName) || !Names.IsMark(request.Mark)) throw None("This is no name and no mark of ours.");
        var role = wish.TokenRole ?? configuration.TokenRoles[0];
        return configuration.TokenRoles.Contains(role, StringComparer.Ordinal) ? role : throw new ProviderException(
            ProviderFault.Misconfigured, $"The provider's configuration does not name the token role {role}.", ProviderEffect.None);
    }

    private async Task<IReadOnlyList<string>?> PoliciesAsync(Child child, CancellationToken cancellationToken)
    {
        var (reply, _) = await sessions.SendAsync(LookUp(child.Accessor), cancellationToken).ConfigureAwait(false);
        return reply.Require().Data(VaultJson.Default.VaultTokenState).Policies;
    }

    private Child Plain(VaultReply reply, BrokerSession session)
    {
        if (reply.Answer.Auth is not { ClientToken.Value: { } token, Accessor: { Length: > 0 and <= 256 } accessor, LeaseDuration: > 0 } auth) throw Faults.Unintelligible(reply.Call);
        return new Child(token, accessor, session.Identity, context.Time.GetUtcNow() + TimeSpan.FromSeconds(auth.LeaseDuration));
    }

    private Child Wrapped(VaultReply reply, BrokerSession session, TimeSpan life)
    {
        if (reply.Answer.WrapInfo is not { Token.Value: { } token, WrappedAccessor: { Length: > 0 and <= 256 } accessor }) throw Faults.Unintelligible(reply.Call);
        return new Child(token, accessor, session.Identity, context.Time.GetUtcNow() + life);
    }

    private static string? Unexpected(IReadOnlyList<string>? policies, IReadOnlyList<string> asked)
    {
        var more = (policies ?? []).Except(asked, StringComparer.OrdinalIgnoreCase).ToList();
        return more.Count == 0 ? null : string.Join(", ", more);
    }

    private static ProviderException TooMany(string policies) => new(
        ProviderFault.Misconfigured,
        $"The token role adds policies that were not asked for: {Faults.Clean(policies)}. A token of it is not handed out.",
        ProviderEffect.None);

    private static TimeSpan Shorter(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static ProviderException None(string words) => new(ProviderFault.Credential, words, ProviderEffect.None);
}

/// <summary>What a child is made for.</summary>
/// <param name="TokenRole">The token role; null for the configuration's first.</param>
/// <param name="Policies">Its policies, and no more.</param>
internal sealed record ChildWish(string? TokenRole, IReadOnlyList<string> Policies)
{
    /// <summary>Wraps its token for so long.</summary>
    public TimeSpan? WrapFor { get; init; }

    /// <summary>Where a lease will be read with it.</summary>
    public string? Path { get; init; }
}

using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Canaries;
using CredBroker.Providers.AwsSts.Policies;

namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>
/// Ends sessions: each is denied by its name on its role, the write is given its time, and is read back. There is nothing to look up: sessions cannot be
/// listed, so a lease whose outcome is unknown is denied all the same, and is born dead if it arrives late.
/// </summary>
internal sealed class SessionRevocation(Denials denials, AwsStsConfiguration configuration, TimeProvider time)
{
    private const string DeniedByPolicy = "denied_by_policy";
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    /// <summary>Together, by the broker's claim on the role's document.</summary>
    public async Task<GroupRevokeOutcome> RunAsync(GroupRevokeRequest request, CancellationToken cancellationToken)
    {
        if (!RoleArn.TryParse(request.Group, out var role))
            throw new ProviderException(ProviderFault.Credential, "The group is not the ARN of a role.", ProviderEffect.None);
        var failures = new Dictionary<Uid, ProviderException>();
        var due = new List<(RevokeRequest Request, SessionHandle? Handle)>();
        foreach (var lease in request.Due)
        {
            try
            {
                Names.RequireExternal(lease.ExternalName);
                due.Add((lease, SessionHandle.Open(lease.Handle, configuration.TargetIdentity)));
            }
            catch (ProviderException e)
            {
                failures[lease.LeaseId] = e;
            }
        }

        if (due.Count == 0) return new GroupRevokeOutcome(new Dictionary<Uid, RevokeOutcome>()) { Failures = failures };
        var state = await denials.WriteAsync(role, due, request.StillDenied, cancellationToken).ConfigureAwait(false);
        return new GroupRevokeOutcome(due.ToDictionary(lease => lease.Request.LeaseId, lease => Judge(lease.Request, lease.Handle, role, state)))
        {
            Failures = failures,
            KilledAllIssuedBefore = state.Stands?.OlderThan,
        };
    }

    /// <summary>Alone, when the store that knows the rest cannot be reached: the name is added to what stands there.</summary>
    public async Task<RevokeOutcome> RunAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        Names.RequireExternal(request.ExternalName);
        var handle = SessionHandle.Open(request.Handle, configuration.TargetIdentity);
        RevokeOutcome? last = null;
        foreach (var role in RolesOf(request, handle))
        {
            var state = await denials.WriteAsync(role, [(request, handle)], null, cancellationToken).ConfigureAwait(false);
            last = Later(last, Judge(request, handle, role, state));
        }

        return last ?? throw new ProviderException(ProviderFault.Misconfigured, "The provider's configuration names no role any more.", ProviderEffect.None);
    }

    // If neither the lease nor its handle says of which role the session is, it may be of any that could have been asked for.
    private IEnumerable<RoleArn> RolesOf(RevokeRequest request, SessionHandle? handle)
    {
        foreach (var text in (request.Group ?? handle?.Role) is { } one ? [one] : configuration.Roles.Select(role => role.Arn))
            if (RoleArn.TryParse(text, out var role)) yield return role;
    }

    private static RevokeOutcome Later(RevokeOutcome? left, RevokeOutcome right) => (left, right) switch
    {
        (RevokeOutcome.Settling a, RevokeOutcome.Settling b) => a.Until >= b.Until ? a : b,
        (RevokeOutcome.Settling, _) => left,
        _ => right,
    };

    private RevokeOutcome Judge(RevokeRequest request, SessionHandle? handle, RoleArn role, DenialState state)
    {
        var arrival = request.MayStillArriveUntil is { } until && until > state.Now ? until : (DateTimeOffset?)null;
        if (state.Now >= request.PossibleDeathAt && arrival is null)
        {
            return new RevokeOutcome.Expired(state.Identity, new Evidence(
                "session_over", $"The session's own policy denies everything from {Show(request.PossibleDeathAt)} on, and AWS's clock says {Show(state.Now)}.", state.Now));
        }

        var (since, how) = DeadSince(request, handle, role, state);
        var settle = handle?.Settle ?? TemplateRules.DefaultSettle;
        var ready = since + settle;
        var canary = how.Kind == DeniedByPolicy && state.Canary?.TryGetValue(request.ExternalName, out var word) == true ? word : null;
        var proof = canary?.Proof is { } shown && shown.WrittenAt >= since ? shown : null;
        // The canary's word is enough only where the administrator said so. Where it is let in, no time is enough.
        var early = proof is not null && configuration.RoleOf(role.Text)?.Canary?.SufficesAfter is { } after ? since + after : (DateTimeOffset?)null;
        if (arrival is null && (state.Now >= early || (state.Now >= ready && canary is not { Proof: null, Pending: true, WhyNot: null })))
            return new RevokeOutcome.Gone(state.Identity, EvidenceOf(how, since, settle, state, canary, proof));

        // The handle of a lease whose call was never answered names no role: it is the group's, or any.
        var known = (handle ?? new SessionHandle(state.Identity, request.Group, null, (int)settle.TotalSeconds)) with { DeadSince = since };
        if (arrival > ready)
            return new RevokeOutcome.Settling(state.Identity, time.NextLook(arrival.Value), "The issuing call may still arrive; its session is denied by name before it exists.", known.Seal());
        return state.Now >= ready
            ? new RevokeOutcome.Settling(state.Identity, time.NextLook(state.Now + BetweenLooks), "The deny has stood for its settle time, and the canary is not refused yet.", known.Seal())
            : new RevokeOutcome.Settling(state.Identity, time.NextLook(NextLookOf(role, canary, since, early, ready, state.Now)), "The deny is written; AWS is given time to put it in force everywhere.", known.Seal());
    }

    // Where the canary's word is enough, it is asked soon, and then less often.
    private DateTimeOffset NextLookOf(RoleArn role, CanaryWord? canary, DateTimeOffset since, DateTimeOffset? early, DateTimeOffset ready, DateTimeOffset now)
    {
        if (configuration.RoleOf(role.Text)?.Canary?.SufficesAfter is not { } after || canary is not ({ Pending: true } or { Proof: not null })) return ready;
        var next = early ?? (now < since + after ? since + after : now + Longer(BetweenLooks, (now - since) / 4));
        return next < ready ? next : ready;
    }

    private static TimeSpan Longer(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static Evidence EvidenceOf((string Kind, string Text) how, DateTimeOffset since, TimeSpan settle, DenialState state, CanaryWord? canary, CanaryProof? proof)
    {
        var given = state.Now >= since + settle ? $", longer than the {DurationConverter.Format(settle)} that AWS is given to put it in force everywhere" : "";
        var told = proof is not null ? $" {proof.Text}" : canary is not null ? $" The canary says nothing: {canary.WhyNot ?? "it was asked of an earlier version"}." : "";
        return new Evidence(proof is null ? how.Kind : "denied_and_refused", $"{how.Text} since {Show(since)}{given}.{told}", state.Now);
    }

    private static (DateTimeOffset Since, (string Kind, string Text) How) DeadSince(RevokeRequest request, SessionHandle? handle, RoleArn role, DenialState state)
    {
        // The role is gone, or another one has its name: the sessions went with it.
        if (state.RoleId is null) return (handle?.DeadSince ?? state.Now, ("role_absent", $"GetRole finds no {role.Text}, and a session lasts no longer than its role: it has been gone"));
        if (handle?.RoleId is { } id && id != state.RoleId)
            return (handle.DeadSince ?? state.Now, ("role_replaced", $"GetRole says that {role.Name} is {state.RoleId} and no longer {id}, whose sessions went with it: it has been so"));

        var byAge = Denials.IsOlder(request, handle, state.Stands?.OlderThan);
        var stood = state.Stood is { } document && (document.Denied.Contains(request.ExternalName) || Denials.IsOlder(request, handle, document.OlderThan));
        var known = handle?.DeadSince ?? (state.Seen.TryGetValue(request.ExternalName, out var seen) ? seen : state.Now);
        var since = stood ? known : state.Now;
        if (state.Stands is { } stands && stands.Since > since) since = stands.Since;
        var what = byAge ? $"every session issued before {Show(state.Stands!.OlderThan!.Value)}" : $"the source identity {request.ExternalName}";
        return (since, (DeniedByPolicy, $"GetRolePolicy shows {Names.DenyPolicy} on {role.Name} ({state.RoleId}), which denies everything to {what}: it has done so"));
    }

    private static string Show(DateTimeOffset instant) => PolicyText.Instant(instant);
}

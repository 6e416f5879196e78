using System.Globalization;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;
using CredBroker.Providers.AwsSts.Sessions;

namespace CredBroker.Providers.AwsSts.LeaseRoles;

/// <summary>
/// Ends a role of one lease: deny it everything, give that its time, take its policies, delete it, and look again. Where it stands is read from the role
/// itself, which stays until the last step: nothing is forgotten if the broker dies, and nothing else can take its name.
/// </summary>
internal sealed class LeaseRoleRevocation(AwsApi api, AwsStsConfiguration configuration, TimeProvider time)
{
    /// <summary>The name of the inline policy that denies everything.</summary>
    private const string DenyPolicy = "credbroker-revoked";

    private const string SidPrefix = "RevokedAt";
    private const string SidForm = "yyyyMMdd'T'HHmmss'Z'";

    // While an issuing call may still arrive, the name is looked at this often.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(1);

    /// <summary>What the deny takes of the role's inline characters.</summary>
    public static int DenyCharacters { get; } = DenyText(DateTimeOffset.UnixEpoch).Length;

    public async Task<RevokeOutcome> RunAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        Names.RequireExternal(request.ExternalName);
        Names.RequireMark(request.Mark);
        var handle = LeaseRoleHandle.Open(request.Handle, configuration.TargetIdentity);
        var (role, now) = await api.FindRoleAsync(request.ExternalName, cancellationToken).ConfigureAwait(false);
        if (role is null) return await AbsentAsync(request, handle, now, cancellationToken).ConfigureAwait(false);
        var identity = TargetAccount.IdentityIn(role.Arn);
        if (identity != configuration.TargetIdentity)
            throw new ProviderException(ProviderFault.TargetMismatch, $"{Faults.Clean(role.Arn)} answers, and the provider is for {configuration.TargetIdentity}.", ProviderEffect.None);
        if (role.Description != request.Mark)
            throw new ProviderException(ProviderFault.Credential, $"The role {request.ExternalName} does not carry the lease's mark: it is not ours, and is left alone.", ProviderEffect.None);

        var off = await SwitchOffAsync(role, now, cancellationToken).ConfigureAwait(false);
        var settle = handle is null ? TemplateRules.DefaultSettle : TimeSpan.FromSeconds(handle.SettleSeconds);
        var known = new LeaseRoleHandle(identity, role.Id, (int)settle.TotalSeconds, off.Since);
        if (off.Now < off.Since + settle)
            return new RevokeOutcome.Settling(identity, time.NextLook(off.Since + settle), "The role is denied everything; AWS is given time to put that in force everywhere.", known.Seal());
        if (request.MayStillArriveUntil is { } arrival && off.Now < arrival)
            return new RevokeOutcome.Settling(identity, time.NextLook(arrival), "The issuing call may still arrive; the role holds its name, and is denied everything.", known.Seal());

        await DeleteAsync(role.Name, cancellationToken).ConfigureAwait(false);
        var (again, at) = await api.FindRoleAsync(role.Name, cancellationToken).ConfigureAwait(false);
        return again is null
            ? new RevokeOutcome.Gone(identity, new Evidence(
                "role_deleted", $"DeleteRole has deleted {role.Arn} ({role.Id}), which was denied everything since {Show(off.Since)}, and GetRole finds it no more.", at))
            : new RevokeOutcome.Settling(identity, time.NextLook(at), "The role has come back while it was looked for.", known.Seal());
    }

    private async Task<RevokeOutcome> AbsentAsync(RevokeRequest request, LeaseRoleHandle? handle, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // "No such role" does not say in which account.
        var (caller, _) = await api.GetCallerAsync(cancellationToken).ConfigureAwait(false);
        var identity = TargetAccount.IdentityIn(caller.Arn) ?? "";
        if (identity != configuration.TargetIdentity)
            throw new ProviderException(ProviderFault.TargetMismatch, $"{Faults.Clean(identity)} answers, and the provider is for {configuration.TargetIdentity}.", ProviderEffect.None);
        if (request.MayStillArriveUntil is { } arrival && now < arrival)
        {
            var next = now + LookAgain < arrival ? now + LookAgain : arrival;
            return new RevokeOutcome.Settling(identity, time.NextLook(next), "There is no role of this name, but the call that makes it may still arrive.", handle?.Seal());
        }

        // It was there, and somebody else deleted it. Since when is not known, so the wait begins now.
        var since = handle is null ? now : handle.OffSince ?? now;
        if (handle is not null && now < since + TimeSpan.FromSeconds(handle.SettleSeconds))
        {
            var known = handle with { OffSince = since };
            return new RevokeOutcome.Settling(
                identity, time.NextLook(since + TimeSpan.FromSeconds(handle.SettleSeconds)), "The role is gone; AWS is given time to know it everywhere.", known.Seal());
        }

        return new RevokeOutcome.Gone(identity, new Evidence("role_absent", $"GetRole finds no role {request.ExternalName} in {identity}.", now));
    }

    /// <summary>Since when everything is denied: the policy says so itself.</summary>
    private async Task<(DateTimeOffset Since, DateTimeOffset Now)> SwitchOffAsync(IamRole role, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (text, readAt) = await api.FindRolePolicyAsync(role.Name, DenyPolicy, cancellationToken).ConfigureAwait(false);
        if (text is not null && SinceOf(text) is { } since && since <= readAt) return (since, readAt);
        var begin = SessionOpening.WholeSeconds(now);
        var answer = await api.PutRolePolicyAsync(role.Name, DenyPolicy, DenyText(begin), cancellationToken).ConfigureAwait(false);
        if (answer is not QueryAnswer.Refused { Code: "LimitExceeded" })
        {
            answer.Require();
            return (begin, answer.Now);
        }

        // Somebody else has filled the role: without its rights it is as good as denied, and then there is room.
        await api.DeleteRolePolicyAsync(role.Name, LeaseRoleIssue.RightsPolicy, cancellationToken).ConfigureAwait(false);
        answer = await api.PutRolePolicyAsync(role.Name, DenyPolicy, DenyText(begin), cancellationToken).ConfigureAwait(false);
        answer.Require();
        return (begin, answer.Now);
    }

    // The deny goes last: until the role itself is gone it stands.
    private async Task DeleteAsync(string role, CancellationToken cancellationToken)
    {
        foreach (var policy in await api.ListAttachedPoliciesAsync(role, cancellationToken).ConfigureAwait(false))
            (await api.IamAsync("DetachRolePolicy", [("RoleName", role), ("PolicyArn", policy)], cancellationToken).ConfigureAwait(false)).RequireUnlessAbsent();
        var inline = await api.ListRolePoliciesAsync(role, cancellationToken).ConfigureAwait(false);
        foreach (var policy in inline.OrderBy(policy => policy == DenyPolicy)) await api.DeleteRolePolicyAsync(role, policy, cancellationToken).ConfigureAwait(false);
        (await api.IamAsync("DeleteRole", [("RoleName", role)], cancellationToken).ConfigureAwait(false)).RequireUnlessAbsent();
    }

    private static string DenyText(DateTimeOffset since) =>
        PolicyText.Write(new Statement(false, ["*"], ["*"]) { Sid = SidPrefix + since.UtcDateTime.ToString(SidForm, CultureInfo.InvariantCulture) });

    // Exactly what we write: anything more, or less, does not deny everything.
    private static DateTimeOffset? SinceOf(string document)
    {
        try
        {
            using var json = JsonDocument.Parse(document, new JsonDocumentOptions { MaxDepth = 16 });
            var sid = json.RootElement.GetProperty("Statement")[0].GetProperty("Sid").GetString() ?? "";
            return sid.StartsWith(SidPrefix, StringComparison.Ordinal)
                && DateTimeOffset.TryParseExact(
                    sid[SidPrefix.Length..], SidForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var since)
                && JsonElement.DeepEquals(json.RootElement, JsonElement.Parse(DenyText(since)))
                    ? since
                    : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private static string Show(DateTimeOffset instant) => PolicyText.Instant(instant);
}

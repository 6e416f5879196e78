using System.Collections.Concurrent;
using System.Globalization;
using System.Xml.Linq;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Canaries;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>What a look at a role, and perhaps a write, has found.</summary>
/// <param name="Identity">The account, by the role's own ARN or by the caller's.</param>
/// <param name="Now">AWS's clock at the last answer.</param>
/// <param name="RoleId">The role's id; null where there is no such role.</param>
/// <param name="Stood">What the document denied before this attempt wrote anything.</param>
/// <param name="Stands">What it denies now.</param>
/// <param name="Seen">Since when this process has seen each name stand there, without a gap that it would know of.</param>
/// <param name="Canary">What the role's canary says of names; null where it has none.</param>
internal sealed record DenialState(
    string Identity, DateTimeOffset Now, string? RoleId, DenyDocument? Stood, DenyDocument? Stands, IReadOnlyDictionary<string, DateTimeOffset> Seen, IReadOnlyDictionary<string, CanaryWord>? Canary = null);

/// <summary>
/// Keeps a role's deny document as it must be: reads it, writes it as a whole if something is missing, and reads it again on the next attempt. Within this
/// process one at a time for each role; between nodes the broker's claim sees to it.
/// </summary>
internal sealed class Denials(AwsApi api, AwsStsConfiguration configuration, CanaryProbe probe, TimeProvider time)
{
    // No session lives longer; and a call that was sent before may arrive so much later.
    private static readonly TimeSpan LongestSession = TimeSpan.FromHours(12) + TimeSpan.FromMinutes(15);

    // From reserving a lease to the last instant at which its call may arrive, and a little more for clocks.
    private static readonly TimeSpan IssuedWithin = TimeSpan.FromMinutes(20);

    // The broker's clock may be this far off that of AWS.
    private static readonly TimeSpan ClockMargin = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _one = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, DateTimeOffset>> _seen = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CanaryWatch> _watches = new(StringComparer.Ordinal);

    /// <summary>Makes the role's document deny everything that is due.</summary>
    /// <param name="role">The role.</param>
    /// <param name="due">What is due, with its opened handles.</param>
    /// <param name="others">What else must stay denied; null where only the document itself knows.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<DenialState> WriteAsync(
        RoleArn role, IReadOnlyList<(RevokeRequest Request, SessionHandle? Handle)> due, IReadOnlyList<DeniedCredential>? others, CancellationToken cancellationToken)
    {
        var one = _one.GetOrAdd(role.Text, _ => new SemaphoreSlim(1, 1));
        await one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var (found, now) = await api.FindRoleAsync(role.Name, cancellationToken).ConfigureAwait(false);
            if (found is null || found.Arn != role.Text) return await AbsentAsync(now, cancellationToken).ConfigureAwait(false);
            var identity = RequireIdentity(TargetAccount.IdentityIn(found.Arn));
            var (text, readAt) = await api.FindRolePolicyAsync(role.Name, Names.DenyPolicy, cancellationToken).ConfigureAwait(false);
            var stood = text is null ? null : DenyDocument.Read(text);
            var seen = SeenBefore(role.Text, stood);
            var watch = configuration.RoleOf(role.Text)?.Canary is { } canary ? _watches.GetOrAdd(role.Text, _ => new CanaryWatch(probe, role, canary, time)) : null;
            if (watch is not null) await watch.LookAsync(stood?.Denied, stood?.Since ?? DateTimeOffset.MaxValue, cancellationToken).ConfigureAwait(false);
            var wanted = WantedOf(role, due, others, stood, readAt);
            var watched = due.Select(one => one.Request.ExternalName).Where(wanted.Denied.Contains).ToList();
            var opened = watch is not null && watched.Count > 0 && await watch.OpenForAsync(watched, cancellationToken).ConfigureAwait(false);
            var (stands, at) = opened || MustWrite(WithoutCanaries(stood, watch), text is not null, wanted)
                ? await PutAsync(role, wanted, watch?.Name, cutOff => WantedOf(role, due, others, (stood ?? new DenyDocument(new HashSet<string>(), readAt)) with { OlderThan = cutOff }, readAt), readAt, cancellationToken).ConfigureAwait(false)
                : (stood, readAt);
            if (stands is not null) watch?.Written(stands.Denied, at);
            _seen[role.Text] = (stands?.Denied ?? Enumerable.Empty<string>()).ToDictionary(name => name, name => seen.TryGetValue(name, out var since) ? since : at, StringComparer.Ordinal);
            return new DenialState(identity, at, found.Id, stood, stands, seen, watch is null ? null : due.ToDictionary(one => one.Request.ExternalName, one => watch.Of(one.Request.ExternalName), StringComparer.Ordinal));
        }
        finally
        {
            one.Release();
        }
    }

    /// <summary>Whether everything issued to a lease is denied by the cut-off: by AWS's own time of issue, or by the latest that the broker knows.</summary>
    public static bool IsOlder(RevokeRequest request, SessionHandle? handle, DateTimeOffset? cutOff) => cutOff is { } date
        && (handle?.IssuedAt is { } issued ? issued.AddSeconds(1) < date : request.MayStillArriveUntil is null && IsOlder(request.ExternalName, request.IssuedBy, date));

    private static bool IsOlder(string name, DateTimeOffset? issuedBy, DateTimeOffset cutOff) => issuedBy is { } latest
        ? latest + ClockMargin <= cutOff
        : Names.ReservedAt(name) is { } reserved && reserved + IssuedWithin < cutOff;

    private async Task<DenialState> AbsentAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        // "No such role" does not say in which account.
        var (caller, _) = await api.GetCallerAsync(cancellationToken).ConfigureAwait(false);
        return new DenialState(RequireIdentity(TargetAccount.IdentityIn(caller.Arn)), now, null, null, null, new Dictionary<string, DateTimeOffset>());
    }

    private string RequireIdentity(string? identity) => identity == configuration.TargetIdentity
        ? identity
        : throw new ProviderException(ProviderFault.TargetMismatch, $"{Faults.Clean(identity ?? "Something without an account")} answers, and the provider is for {configuration.TargetIdentity}.", ProviderEffect.None);

    private DenyDocument WantedOf(
        RoleArn role, IReadOnlyList<(RevokeRequest Request, SessionHandle? Handle)> due, IReadOnlyList<DeniedCredential>? others, DenyDocument? stood, DateTimeOffset now)
    {
        var cutOff = stood?.OlderThan is { } older && now < older + LongestSession ? stood.OlderThan : null;
        var kept = others is not null
            ? others.Where(other => other.PossibleDeathAt > now && Names.IsExternal(other.ExternalName)).Select(other => (other.ExternalName, other.IssuedBy))
            : stood?.Denied.Where(name => Names.ReservedAt(name) is not { } reserved || now < reserved + LongestSession + IssuedWithin).Select(name => (name, (DateTimeOffset?)null)) ?? [];
        var names = new HashSet<string>(
            kept.Where(one => cutOff is not { } date || !IsOlder(one.Item1, one.Item2, date)).Select(one => one.Item1), StringComparer.Ordinal);
        var mended = false;
        foreach (var (request, handle) in due)
        {
            if (now >= request.PossibleDeathAt || IsOlder(request, handle, cutOff)) continue;
            names.Add(request.ExternalName);
            mended |= handle?.DeadSince is not null && stood?.Denied.Contains(request.ExternalName) != true;
        }

        // What stood there and does not any more: somebody else wrote. All that waits for the document's effect waits anew.
        if (stood is not null && _seen.TryGetValue(role.Text, out var before)) mended |= names.Any(name => before.ContainsKey(name) && !stood.Denied.Contains(name));
        return new DenyDocument(names, stood is null || mended ? SessionOpening.WholeSeconds(now) : stood.Since, cutOff);
    }

    // What was seen and does not stand there any more has a gap.
    private Dictionary<string, DateTimeOffset> SeenBefore(string role, DenyDocument? stood) => stood is not null && _seen.TryGetValue(role, out var before)
        ? before.Where(entry => stood.Denied.Contains(entry.Key)).ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal)
        : [];

    // A canary that has told goes with the next write.
    private static DenyDocument? WithoutCanaries(DenyDocument? stood, CanaryWatch? watch) =>
        stood is null || watch is null ? stood : stood with { Denied = stood.Denied.Where(name => !watch.IsCanary(name)).ToHashSet(StringComparer.Ordinal) };

    private static bool MustWrite(DenyDocument? stood, bool exists, DenyDocument wanted)
    {
        if (stood is null) return exists || !wanted.IsEmpty;
        if (stood.OlderThan != wanted.OlderThan || wanted.Denied.Any(name => !stood.Denied.Contains(name))) return true;
        // What has died by itself goes with the next write, or when it is much of the document.
        var stale = stood.Denied.Count - wanted.Denied.Count;
        return stale > 0 && (wanted.Denied.Count == 0 || stale * 4 >= stood.Denied.Count);
    }

    private async Task<(DenyDocument Document, DateTimeOffset Now)> PutAsync(
        RoleArn role, DenyDocument wanted, string? canary, Func<DateTimeOffset, DenyDocument> beside, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (wanted.IsEmpty)
        {
            await WriteOnceAsync(role, null, cancellationToken).ConfigureAwait(false);
            return (wanted, now);
        }

        // A canary is worth no lease's place.
        IEnumerable<DenyDocument> forms = canary is null ? [wanted] : [wanted with { Denied = new HashSet<string>(wanted.Denied.Append(canary), StringComparer.Ordinal) }, wanted];
        foreach (var form in forms.Where(form => form.Text.Length <= DenyDocument.MostCharacters))
        {
            var answer = await WriteOnceAsync(role, form.Text, cancellationToken).ConfigureAwait(false);
            if (answer is QueryAnswer.Refused { Code: "LimitExceeded" }) continue;
            answer.Require();
            return (form, answer.Now);
        }

        if (configuration.RoleOf(role.Text) is not { MayDenyAllOlder: true })
        {
            throw new ProviderException(
                ProviderFault.Misconfigured,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The deny document of {role.Text} has no room for {wanted.Denied.Count} names: all inline policies of a role share {DenyDocument.MostCharacters} characters. Shorten the others, or let the provider deny all older sessions (mayDenyAllOlder)."),
                ProviderEffect.None);
        }

        // The last resort: deny all that was issued until now, whoever opened it. It is compared strictly, with whole seconds, so it is rounded up. By name
        // stands beside it what may be younger, or may still arrive.
        var cutOff = SessionOpening.WholeSeconds(now).AddSeconds(2);
        var folded = beside(cutOff) with { Since = SessionOpening.WholeSeconds(now) };
        var last = await WriteOnceAsync(role, folded.Text, cancellationToken).ConfigureAwait(false);
        last.Require();
        return (folded, last.Now);
    }

    /// <summary>Writes; and if the answer was lost, reads whether it was done: an outcome that nobody knows would keep all others of the role waiting.</summary>
    private async Task<QueryAnswer> WriteOnceAsync(RoleArn role, string? document, CancellationToken cancellationToken)
    {
        try
        {
            var answer = document is null
                ? await api.IamAsync("DeleteRolePolicy", [("RoleName", role.Name), ("PolicyName", Names.DenyPolicy)], cancellationToken).ConfigureAwait(false)
                : await api.PutRolePolicyAsync(role.Name, Names.DenyPolicy, document, cancellationToken).ConfigureAwait(false);
            if (document is null) answer.RequireUnlessAbsent();
            return answer is QueryAnswer.Refused { Status: >= 500 } refused ? throw refused.ToException() : answer;
        }
        catch (ProviderException e) when (e.Effect == ProviderEffect.Unknown && !cancellationToken.IsCancellationRequested)
        {
            var (text, now) = await ReadBackAsync(role, e, cancellationToken).ConfigureAwait(false);
            return text == document ? new QueryAnswer.Done(new XElement("ReadBack"), now) : throw new ProviderException(e.Fault, e.Message, ProviderEffect.Unknown, e.RetryAfter);
        }
    }

    private async Task<(string? Text, DateTimeOffset Now)> ReadBackAsync(RoleArn role, ProviderException write, CancellationToken cancellationToken)
    {
        try
        {
            return await api.FindRolePolicyAsync(role.Name, Names.DenyPolicy, cancellationToken).ConfigureAwait(false);
        }
        catch (ProviderException)
        {
            throw new ProviderException(write.Fault, write.Message, ProviderEffect.Unknown, write.RetryAfter);
        }
    }
}

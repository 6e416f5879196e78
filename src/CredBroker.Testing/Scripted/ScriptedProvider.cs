using System.Runtime.CompilerServices;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Scripted;

/// <summary>Follows the script of its target.</summary>
public class ScriptedProvider : IProvider
{
    private static readonly IReadOnlyCollection<string> Kinds = [ScriptedRoleKind.KindName];
    private readonly ScriptedTarget _target;

    internal ScriptedProvider(ScriptedTarget target) => _target = target;

    /// <inheritdoc/>
    public async Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(journal);
        RefuseHostile(request.ExternalName, request.Mark);
        var template = Document<ScriptedTemplate>.Read(request.Template);
        return template is { Group: not null, GuardsIssue: true }
            ? await _target.Documents.WritingAsync(() => IssueAsync(request, template, journal, cancellationToken)).ConfigureAwait(false)
            : await IssueAsync(request, template, journal, cancellationToken).ConfigureAwait(false);
    }

    private async Task<IssuedCredential> IssueAsync(IssueRequest request, ScriptedTemplate template, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var step = await BeginAsync(ScriptedOperation.Issue, request.ExternalName, cancellationToken).ConfigureAwait(false);
        if (step.Acts != ScriptedActs.Never) RefuseUnmakeable(request);
        var handle = new Handle($"{_target.Identity}|{request.ExternalName}");
        if (template.TwoSteps || step.Acts == ScriptedActs.HalfWay) await JournalAsync(handle, journal, cancellationToken).ConfigureAwait(false);

        var credential = new ScriptedCredential
        {
            Name = request.ExternalName,
            Mark = request.Mark,
            Password = ScriptedTarget.NewSecret(),
            ExpiresAt = request.ExpiresAt + step.OutlivesBy,
            Revocability = template.Revocability,
            Group = template.Group,
            IssuedAt = _target.Now,
        };
        Act(step, () => _target.Put(credential));
        await FinishAsync(step, cancellationToken).ConfigureAwait(false);
        return new IssuedCredential
        {
            Fields = new Dictionary<string, CredentialField>
            {
                ["username"] = new(new Secret(credential.Name)),
                ["password"] = new(credential.Password),
            },
            Handle = handle,
            ExpiresAt = credential.ExpiresAt,
        };
    }

    /// <inheritdoc/>
    public async Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RefuseHostile(request.ExternalName, request.Mark);
        var step = await BeginAsync(ScriptedOperation.Revoke, request.ExternalName, cancellationToken).ConfigureAwait(false);
        RevokeOutcome? outcome = null;
        if (step.Acts == ScriptedActs.HalfWay && _target.Find(request.ExternalName) is { } found) _target.Disable(found);
        Act(step, () => outcome = Revoke(request));
        await FinishAsync(step, cancellationToken).ConfigureAwait(false);
        return outcome ?? new RevokeOutcome.Settling(_target.Identity, _target.Now + step.ActsAfter, "The script has not acted yet.");
    }

    /// <inheritdoc/>
    public async Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken)
    {
        var step = await BeginAsync(ScriptedOperation.Check, "", cancellationToken).ConfigureAwait(false);
        await FinishAsync(step, cancellationToken).ConfigureAwait(false);
        return new ProviderHealth(_target.Identity, _target.Findings);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private async Task<DateTimeOffset> RenewCoreAsync(RenewRequest request, CancellationToken cancellationToken)
    {
        var step = await BeginAsync(ScriptedOperation.Renew, request.ExternalName, cancellationToken).ConfigureAwait(false);
        var expiresAt = request.ExpiresAt + step.OutlivesBy;
        if (step.Acts != ScriptedActs.Never && (_target.Find(request.ExternalName) is not { DisabledAt: null } found || _target.IsDenied(found)))
            throw new ProviderException(ProviderFault.Credential, "There is no live credential of this name.", ProviderEffect.None);
        Act(step, () =>
        {
            if (_target.Find(request.ExternalName) is { DisabledAt: null } live) _target.Put(live with { ExpiresAt = expiresAt });
        });
        await FinishAsync(step, cancellationToken).ConfigureAwait(false);
        return expiresAt;
    }

    private async IAsyncEnumerable<OutstandingCredential> ListCoreAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var step = await BeginAsync(ScriptedOperation.List, "", cancellationToken).ConfigureAwait(false);
        var all = _target.Credentials.Where(credential => !_target.IsDenied(credential)).ToList();
        // A listing that fails has answered some of it before.
        foreach (var credential in step.Fault is null ? all : all.Take(all.Count / 2))
            yield return new OutstandingCredential(credential.Name, credential.Mark, credential.ExpiresAt);
        await FinishAsync(step, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ProbeOutcome> ProbeCoreAsync(RevokeRequest credential, CancellationToken cancellationToken)
    {
        var step = await BeginAsync(ScriptedOperation.Probe, credential.ExternalName, cancellationToken).ConfigureAwait(false);
        var exists = _target.Find(credential.ExternalName) is not null;
        await FinishAsync(step, cancellationToken).ConfigureAwait(false);
        return new ProbeOutcome(_target.Identity, exists);
    }

    private RevokeOutcome Revoke(RevokeRequest request)
    {
        var identity = _target.Identity;
        if (request.Handle is { } handle && handle.Value != $"{identity}|{request.ExternalName}")
            throw new ProviderException(ProviderFault.TargetMismatch, "The handle is from another target.");
        var found = _target.Find(request.ExternalName);
        if (found is not null)
        {
            if (found.Mark != request.Mark) throw new ProviderException(ProviderFault.Credential, "What has this name does not carry our mark.");
            if (found.Group is { } group) return _target.Documents.Add(group, request);
            if (found.Revocability == RevocabilityKind.ExpiresOnly) return Expire(found);
            var settled = _target.Disable(found) + _target.SettlesWithin;
            if (_target.Now < settled) return new RevokeOutcome.Settling(identity, settled, "The target settles.", new Handle($"{identity}|{found.Name}"));
        }

        if (request.MayStillArriveUntil is { } until && _target.Now < until)
            return new RevokeOutcome.Settling(identity, until, "The issuing call may still take effect.");
        _target.Remove(request.ExternalName);
        return new RevokeOutcome.Gone(identity, new Evidence("credential_absent", $"There is no {request.ExternalName} at {identity}.", _target.Now));
    }

    private async Task<GroupRevokeOutcome> RevokeGroupCoreAsync(GroupRevokeRequest request, CancellationToken cancellationToken)
    {
        foreach (var due in request.Due) RefuseHostile(due.ExternalName, due.Mark);
        return await _target.Documents.WritingAsync(async () =>
        {
            var step = await BeginAsync(ScriptedOperation.RevokeGroup, request.Group, cancellationToken).ConfigureAwait(false);
            GroupRevokeOutcome? outcome = null;
            Act(step, () => outcome = _target.Documents.Write(request));
            await FinishAsync(step, cancellationToken).ConfigureAwait(false);
            return outcome ?? new GroupRevokeOutcome(new Dictionary<Uid, RevokeOutcome>());
        }).ConfigureAwait(false);
    }

    private RevokeOutcome Expire(ScriptedCredential found) => _target.Now < found.ExpiresAt
        ? new RevokeOutcome.ExpiresAt(_target.Identity, found.ExpiresAt)
        : new RevokeOutcome.Expired(_target.Identity, new Evidence("expired", $"{found.Name} ended by itself.", _target.Now));

    private static void RefuseHostile(params IEnumerable<string> texts)
    {
        if (texts.Any(text => text.Length is 0 or > 200 || !text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or ':' or '.')))
            throw new ProviderException(ProviderFault.Credential, "This is no name and no mark of ours.", ProviderEffect.None);
    }

    private void RefuseUnmakeable(IssueRequest request)
    {
        if (_target.Now > request.Deadline) throw new ProviderException(ProviderFault.Credential, "The deadline has passed.", ProviderEffect.None);
        if (_target.Find(request.ExternalName) is not null)
            throw new ProviderException(ProviderFault.Credential, "There is something of this name already.", ProviderEffect.None);
    }

    private static async Task JournalAsync(Handle handle, IIssueJournal journal, CancellationToken cancellationToken)
    {
        if (!await journal.RecordAsync(handle, cancellationToken).ConfigureAwait(false))
            throw new ProviderException(ProviderFault.Credential, "The lease is no longer wanted.", ProviderEffect.None);
    }

    private async Task<ScriptedStep> BeginAsync(ScriptedOperation operation, string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var step = _target.Calls.Take(operation, name);
        if (step.Before is { } gate) await gate.PassAsync(step.IgnoresCancellation, cancellationToken).ConfigureAwait(false);
        return step;
    }

    private void Act(ScriptedStep step, Action act)
    {
        if (step.Acts == ScriptedActs.AtOnce) act();
        else if (step.Acts == ScriptedActs.Later) _target.Later(step.ActsAfter, act);
    }

    private static async Task FinishAsync(ScriptedStep step, CancellationToken cancellationToken)
    {
        if (step.After is { } gate) await gate.PassAsync(step.IgnoresCancellation, cancellationToken).ConfigureAwait(false);
        if (step.Fault is { } fault) throw new ProviderException(fault, $"The script says {fault}.", step.Effect, step.RetryAfter);
    }

    internal sealed class Listing(ScriptedTarget target) : ScriptedProvider(target), IListingProvider, IProbingProvider
    {
        public IReadOnlyCollection<string> ListedKinds => Kinds;

        public Task<ProbeOutcome> ProbeAsync(RevokeRequest credential, CancellationToken cancellationToken) => ProbeCoreAsync(credential, cancellationToken);

        public IAsyncEnumerable<OutstandingCredential> ListAsync(CancellationToken cancellationToken) => ListCoreAsync(cancellationToken);
    }

    internal sealed class Renewing(ScriptedTarget target) : ScriptedProvider(target), IRenewingProvider
    {
        public Task<DateTimeOffset> RenewAsync(RenewRequest request, CancellationToken cancellationToken) => RenewCoreAsync(request, cancellationToken);
    }

    internal sealed class ListingAndRenewing(ScriptedTarget target) : ScriptedProvider(target), IListingProvider, IRenewingProvider, IProbingProvider
    {
        public IReadOnlyCollection<string> ListedKinds => Kinds;

        public Task<ProbeOutcome> ProbeAsync(RevokeRequest credential, CancellationToken cancellationToken) => ProbeCoreAsync(credential, cancellationToken);

        public IAsyncEnumerable<OutstandingCredential> ListAsync(CancellationToken cancellationToken) => ListCoreAsync(cancellationToken);

        public Task<DateTimeOffset> RenewAsync(RenewRequest request, CancellationToken cancellationToken) => RenewCoreAsync(request, cancellationToken);
    }

    internal sealed class Complete(ScriptedTarget target) : ScriptedProvider(target), IListingProvider, IRenewingProvider, IGroupRevokingProvider, IProbingProvider
    {
        public IReadOnlyCollection<string> ListedKinds => Kinds;

        public Task<ProbeOutcome> ProbeAsync(RevokeRequest credential, CancellationToken cancellationToken) => ProbeCoreAsync(credential, cancellationToken);

        public IAsyncEnumerable<OutstandingCredential> ListAsync(CancellationToken cancellationToken) => ListCoreAsync(cancellationToken);

        public Task<DateTimeOffset> RenewAsync(RenewRequest request, CancellationToken cancellationToken) => RenewCoreAsync(request, cancellationToken);

        public Task<GroupRevokeOutcome> RevokeGroupAsync(GroupRevokeRequest request, CancellationToken cancellationToken) =>
            RevokeGroupCoreAsync(request, cancellationToken);
    }
}

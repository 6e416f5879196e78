using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Policies;
using CredBroker.Core.Providers;
using CredBroker.Core.Reevaluation;

namespace CredBroker.Core.Registry;

/// <summary>Registers, changes and deletes what administrators keep. One way for every kind, and for API, manifests and the operator's file alike.</summary>
public sealed class RegistryService(
    IRegistryStore store, Catalog catalog, SpecRules rules, Decider decider, ProviderPool pool, ProviderTypes types, Suspensions.ISuspensionStore suspensions, PolicyActivation activation, BrokerLimits limits, Signals signals, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Registers a new resource; a role's <paramref name="parent"/> is its provider's name.</summary>
    public async Task<Result<Registered<TSpec>>> CreateAsync<TSpec>(
        RegistryAuthor author, ResourceType<TSpec> type, string name, string? parent, TSpec spec, ChangeOptions options, CancellationToken cancellationToken)
        where TSpec : class
    {
        if (RefusalOf(author, type, name, parent, spec) is { } refusal) return refusal;
        var snapshot = await catalog.RefreshAsync(cancellationToken);
        if (Wrong(snapshot, author, type, name, parent, spec) is { } wrong) return wrong;
        if (options is { ReuseName: true, DespiteMentions: false } && await MentionedAsync(snapshot, type, name, parent, cancellationToken) is { } mentioned) return mentioned;
        if (await activation.RefusalAsync(snapshot, author, name, spec as PolicySetSpec, isPolicySet: spec is PolicySetSpec, options, cancellationToken) is { } notActive) return notActive;
        var now = time.Now();
        var entry = new RegistryEntry
        {
            Uid = Uid.New(time),
            Kind = type.Kind,
            Name = name,
            ParentUid = parent is null ? null : snapshot.Providers[parent].Uid,
            Version = 1,
            SpecJson = SpecJson.Write(spec),
            ManagedBy = author.ManagedBy,
            CreatedAt = now,
            UpdatedAt = now,
        };
        // Before its target is asked for anything: asking may send the secret there.
        var secrets = SecretsOf(name, spec);
        if (await store.BoundElsewhereAsync(entry.Uid, secrets, cancellationToken)) return BoundToAnother;
        if (options.ValidateOnly) return snapshot.Find(type.Kind, name, entry.ParentUid) is { } taken ? ToError(type, name, parent, new RegistryOutcome.NameTaken(taken.Uid)) : new Registered<TSpec>(entry, spec);
        entry = entry with { TargetIdentity = await IdentityOfAsync(entry, spec, cancellationToken) ?? "" };
        return await PutAsync(new RegistryChange(entry, null, author.Actor) { ReuseName = options.ReuseName, Secrets = secrets, ReevaluateAfter = Reevaluates(spec), Audit = AuditOf(AuditTypes.ResourceCreated, author, type, name, parent, entry) }, type, parent, spec, cancellationToken);
    }

    /// <summary>Replaces a resource's specification.</summary>
    public async Task<Result<Registered<TSpec>>> UpdateAsync<TSpec>(
        RegistryAuthor author, ResourceType<TSpec> type, string name, string? parent, TSpec spec, ChangeOptions options, CancellationToken cancellationToken)
        where TSpec : class
    {
        if ((Refusal(author, type, name, parent) ?? RefusalOf(author, type, name, parent, spec)) is { } refusal) return refusal;
        var snapshot = await catalog.RefreshAsync(cancellationToken);
        var existing = Existing(snapshot, author, type, name, parent, options);
        if (existing is not Result<RegistryEntry>.Ok { Value: var entry }) return ((Result<RegistryEntry>.Refused)existing).Error;
        if (Wrong(snapshot, author, type, name, parent, spec) is { } wrong) return wrong;
        if (spec is ProviderSpec provider && SpecJson.Read<ProviderSpec>(entry.SpecJson).Type != provider.Type)
            return new BrokerError(Reasons.StateConflict, "A provider keeps its type: register another provider.");
        if (author.Caller is not null && spec is PolicySetSpec set && SpecJson.Read<PolicySetSpec>(entry.SpecJson).Kind != set.Kind)
            return new BrokerError(Reasons.StateConflict, "A policy set keeps its kind: register another set.");
        if (await activation.RefusalAsync(snapshot, author, name, spec as PolicySetSpec, isPolicySet: spec is PolicySetSpec, options, cancellationToken) is { } notActive) return notActive;
        var secrets = SecretsOf(name, spec);
        if (await store.BoundElsewhereAsync(entry.Uid, secrets, cancellationToken)) return BoundToAnother;
        var next = entry with { SpecJson = SpecJson.Write(spec), Version = entry.Version + 1, UpdatedAt = time.Now(), ManagedBy = author.ManagedBy };
        var target = await OtherTargetAsync(entry, next, spec, cancellationToken);
        if (target is not Result<RegistryEntry>.Ok { Value: var pinned }) return ((Result<RegistryEntry>.Refused)target).Error;
        if (options.ValidateOnly) return new Registered<TSpec>(pinned, spec);
        return await PutAsync(new RegistryChange(pinned, entry.Version, author.Actor) { Secrets = secrets, ReevaluateAfter = Reevaluates(spec), Audit = AuditOf(AuditTypes.ResourceUpdated, author, type, name, parent, pinned) }, type, parent, spec, cancellationToken);
    }

    /// <summary>Deletes a resource. Leases that are not proven dead hold it back, unless forced: then they die with it, and are revoked until that is proven.</summary>
    public async Task<Result<Uid>> DeleteAsync<TSpec>(RegistryAuthor author, ResourceType<TSpec> type, string name, string? parent, ChangeOptions options, CancellationToken cancellationToken)
        where TSpec : class
    {
        if (Refusal(author, type, name, parent) is { } refusal) return refusal;
        var snapshot = await catalog.RefreshAsync(cancellationToken);
        var existing = Existing(snapshot, author, type, name, parent, options);
        if (existing is not Result<RegistryEntry>.Ok { Value: var entry }) return ((Result<RegistryEntry>.Refused)existing).Error;
        if (await activation.RefusalAsync(snapshot, author, name, null, type.Kind == ResourceKind.PolicySet, options, cancellationToken) is { } notActive) return notActive;
        var roles = type.Kind == ResourceKind.Provider ? snapshot.Roles.Where(role => role.Entry.ParentUid == entry.Uid).ToList() : [];
        if (roles.Count > 0 && !options.Force)
            return new BrokerError(Reasons.StateConflict, $"The provider still has {roles.Count} roles. Delete them first, or use force.");
        var holds = type.Kind is ResourceKind.Provider or ResourceKind.Role;
        if (holds && options.Force) await DrainAsync(author, entry, type.NameOf(name, parent), cancellationToken);
        foreach (var role in roles)
        {
            var deleted = await DeleteAsync(author, ResourceTypes.Role, role.Name, name, options with { ExpectedVersion = null }, cancellationToken);
            if (deleted is Result<Uid>.Refused { Error: var error }) return error;
        }

        var now = time.Now();
        var change = new RegistryChange(entry with { DeletedAt = now, UpdatedAt = now, Version = entry.Version + 1 }, entry.Version, author.Actor)
        {
            RefuseWithUnprovenLeases = holds && !options.Force,
            ReevaluateAfter = Reevaluates(SpecJson.Read<TSpec>(entry.SpecJson)),
            Audit = AuditOf(AuditTypes.ResourceDeleted, author, type, name, parent, entry),
        };
        var outcome = await store.PutAsync(change, cancellationToken);
        await catalog.RefreshAsync(cancellationToken);
        signals.Set();
        return outcome is RegistryOutcome.Changed ? entry.Uid : ToError(type, name, parent, outcome);
    }

    /// <summary>Asks a provider's target who it is and what is missing there.</summary>
    public async Task<Result<ProviderHealth>> CheckAsync(RegistryAuthor author, string name, CancellationToken cancellationToken)
    {
        if (Refusal(author, ResourceTypes.Provider, name, null) is { } refusal) return refusal;
        if (!catalog.Current.Providers.TryGetValue(name, out var provider)) return Errors.NotFound("provider");
        try
        {
            await using var use = pool.Acquire(provider.Uid);
            return await use.Provider.CheckAsync(cancellationToken);
        }
        catch (ProviderException e)
        {
            return new BrokerError(Reasons.ProviderUnavailable, $"The target could not be asked ({e.Fault}): {ProviderWords.Clean(e.Message)}");
        }
    }

    /// <summary>Accepts that a provider's target is another one now: a person says that it was rebuilt. Leases of the earlier one stay pinned to it.</summary>
    public async Task<Result<Registered<ProviderSpec>>> AcceptIdentityAsync(
        RegistryAuthor author, TargetIdentities targets, string name, string identity, string reason, long? expectedVersion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(targets);
        var checkedHealth = await CheckAsync(author, name, cancellationToken);
        if (checkedHealth is not Result<ProviderHealth>.Ok { Value: var health }) return ((Result<ProviderHealth>.Refused)checkedHealth).Error;
        var provider = catalog.Current.Providers[name];
        if (expectedVersion is { } expected && expected != provider.Entry.Version) return ToError(ResourceTypes.Provider, name, null, new RegistryOutcome.VersionMismatch(provider.Entry.Version));
        // What the person has seen is what is accepted: the target may have become yet another one meanwhile.
        if (health.TargetIdentity != identity) return new BrokerError(Reasons.TargetIdentityChanged, "The target says that it is another one than is to be accepted. Check it again.");
        var outcome = await targets.AcceptAsync(provider.Entry, health.TargetIdentity, author.Actor, cancellationToken, reason);
        return outcome is RegistryOutcome.Changed changed ? new Registered<ProviderSpec>(changed.Entry, provider.Spec) : ToError(ResourceTypes.Provider, name, null, outcome);
    }

    /// <summary>Why an author may not administer a resource; null when it may. Strangers cannot tell what is there.</summary>
    public BrokerError? Refusal<TSpec>(RegistryAuthor author, ResourceType<TSpec> type, string name, string? parent)
        where TSpec : class
    {
        ArgumentNullException.ThrowIfNull(author);
        ArgumentNullException.ThrowIfNull(type);
        if (author.Caller is not { } caller) return null;
        return decider.Administer(caller, type.Action, type.EntityOf(name, parent), EntitiesOf(type, name, parent)) is { Allowed: false } ? Errors.Denied($"administer {type.Collection}") : null;
    }

    /// <summary>
    /// Why an author may not make a resource what it proposes. Of a policy set the proposal itself is asked about, as well as what is there: who may keep scoped
    /// sets alone makes no other kind.
    /// </summary>
    private BrokerError? RefusalOf<TSpec>(RegistryAuthor author, ResourceType<TSpec> type, string name, string? parent, TSpec proposed)
        where TSpec : class
    {
        if (author.Caller is not { } caller || proposed is not PolicySetSpec set) return Refusal(author, type, name, parent);
        return decider.Administer(caller, type.Action, type.EntityOf(name, parent), BrokerEntities.OfPolicySet(name, set.Kind, set.Owner)) is { Allowed: false } ? Errors.Denied($"administer {type.Collection}") : null;
    }

    /// <summary>Why an author may not look at what a policy set would do, or why it could not be one; null deletes it.</summary>
    public BrokerError? WrongOfPreview(RegistryAuthor author, RegistrySnapshot snapshot, string name, PolicySetSpec? next)
    {
        var type = ResourceTypes.PolicySet;
        var present = snapshot.PolicySets.FirstOrDefault(set => set.Name == name);
        if ((present is not null || next is null) && Refusal(author, type, name, null) is { } refusal) return refusal;
        if (next is null) return present is null ? Errors.NotFound(type.NameOf(name, null)) : null;
        return RefusalOf(author, type, name, null, next) ?? Wrong(snapshot, author, type, name, null, next);
    }

    private List<SecretBinding> SecretsOf(string name, object spec) => spec switch
    {
        ProviderSpec provider => [.. types.Find(provider.Type)!.SecretsOf(provider.Config).Select(use => SecretBinding.Of(use.Reference.Source, new SecretConsumer("provider", name, use.Host)))],
        HookSpec { Secret: { Length: > 0 } secret } => [SecretBinding.Of(secret, new SecretConsumer("hook", name, ""))],
        _ => [],
    };

    private TimeSpan? Reevaluates(object spec) => spec is PolicySetSpec { KeepLiveLeases: false } ? limits.ReevaluationDelay : null;

    private static BrokerError BoundToAnother => new(
        Reasons.ConfigurationInvalid,
        "A secret source that it refers to is bound to what had this name before. Use a new name, or a secret source of another name; the operator declares either.");

    /// <summary>Why a name that was deleted cannot be used again; null when it was not deleted, or nobody mentions it.</summary>
    private async Task<BrokerError?> MentionedAsync<TSpec>(RegistrySnapshot snapshot, ResourceType<TSpec> type, string name, string? parent, CancellationToken cancellationToken)
        where TSpec : class
    {
        var mentions = NameMentions.Of(snapshot, type.Kind, type.EntityOf(name, parent));
        var above = parent is null ? (Uid?)null : snapshot.Providers[parent].Uid;
        if (mentions.Count == 0 || !await store.WasUsedAsync(type.Kind, name, above, cancellationToken)) return null;
        return new BrokerError(
            Reasons.NameInPolicies,
            $"{type.NameOf(name, parent)} was deleted, and what is said of it would hold for the new one: {string.Join(", ", mentions)}. Take the name out of these, or choose another.")
        {
            Metadata = new Dictionary<string, string> { ["mentioned_by"] = string.Join(",", mentions) },
        };
    }

    private async Task<Result<Registered<TSpec>>> PutAsync<TSpec>(RegistryChange change, ResourceType<TSpec> type, string? parent, TSpec spec, CancellationToken cancellationToken)
        where TSpec : class
    {
        var outcome = await store.PutAsync(change, cancellationToken);
        await catalog.RefreshAsync(cancellationToken);
        return outcome is RegistryOutcome.Changed changed ? new Registered<TSpec>(changed.Entry, spec) : ToError(type, change.Entry.Name, parent, outcome);
    }

    private IEnumerable<Cedar.Entity> EntitiesOf<TSpec>(ResourceType<TSpec> type, string name, string? parent)
        where TSpec : class
    {
        var snapshot = catalog.Current;
        switch (type.Kind)
        {
            case ResourceKind.Provider when snapshot.Providers.TryGetValue(name, out var provider):
                return [provider.ToEntity()];
            case ResourceKind.Role when parent is not null && snapshot.TryFindRole(parent, name, out var above, out var role):
                return [above.ToEntity(), role.ToEntity(above)];
            case ResourceKind.IdentitySource when snapshot.FindSource(name) is { } source:
                return [source.ToEntity()];
            case ResourceKind.Hook when snapshot.Hooks.TryGetValue(name, out var hook):
                return [hook.ToEntity()];
            case ResourceKind.PolicySet when snapshot.PolicySets.FirstOrDefault(set => set.Name == name) is { } set:
                return [BrokerEntities.OfPolicySet(name, set.Spec.Kind, set.Spec.Owner)];
            default:
                return [];
        }
    }

    private BrokerError? Wrong<TSpec>(RegistrySnapshot snapshot, RegistryAuthor author, ResourceType<TSpec> type, string name, string? parent, TSpec spec)
        where TSpec : class
    {
        if (parent is not null && !snapshot.Providers.ContainsKey(parent)) return new BrokerError(Reasons.ReferenceNotFound, $"There is no provider {parent}.");
        var errors = rules.Check(snapshot, name, parent, spec, author.ManagedBy == ManagedBy.Operator);
        if (errors.Count == 0) return null;
        return new BrokerError(type.Kind == ResourceKind.PolicySet ? Reasons.PolicyInvalid : Reasons.ConfigurationInvalid, $"{type.NameOf(name, parent)} is not valid: {errors[0].Message}") { Violations = errors };
    }

    private static Result<RegistryEntry> Existing<TSpec>(RegistrySnapshot snapshot, RegistryAuthor author, ResourceType<TSpec> type, string name, string? parent, ChangeOptions options)
        where TSpec : class
    {
        var above = parent is not null && snapshot.Providers.TryGetValue(parent, out var provider) ? provider.Uid : (Uid?)null;
        if ((parent is not null && above is null) || snapshot.Find(type.Kind, name, above) is not { } entry) return Errors.NotFound(type.NameOf(name, parent));
        if (!author.MayChange(entry.ManagedBy)) return new BrokerError(Reasons.ManagedElsewhere, $"{type.NameOf(name, parent)} is kept by {entry.ManagedBy}: change it there.");
        if (options.ExpectedVersion is { } expected && expected != entry.Version) return ToError(type, name, parent, new RegistryOutcome.VersionMismatch(entry.Version));
        return entry;
    }

    /// <summary>The entry with the identity of the target that its new configuration points at; refused while leases of another are unproven.</summary>
    private async Task<Result<RegistryEntry>> OtherTargetAsync<TSpec>(RegistryEntry entry, RegistryEntry next, TSpec spec, CancellationToken cancellationToken)
        where TSpec : class
    {
        if (spec is not ProviderSpec) return next;
        var identity = await IdentityOfAsync(next, spec, cancellationToken);
        if (identity is null || identity == entry.TargetIdentity) return next;
        var unproven = entry.TargetIdentity.Length == 0 ? 0 : (await store.CountersAsync([$"provider:{entry.Uid}"], cancellationToken))[0];
        if (unproven == 0) return next with { TargetIdentity = identity };
        return new BrokerError(
            Reasons.TargetIdentityChanged,
            $"This configuration points at another target, and {unproven} leases of the present one are not proven dead. End them, or accept the identity if the target was rebuilt.")
        {
            Metadata = new Dictionary<string, string> { ["unproven"] = unproven.ToString(System.Globalization.CultureInfo.InvariantCulture) },
        };
    }

    /// <summary>What the target says it is; null when it cannot be asked now.</summary>
    private async Task<string?> IdentityOfAsync<TSpec>(RegistryEntry entry, TSpec spec, CancellationToken cancellationToken)
    {
        if (spec is not ProviderSpec provider) return null;
        try
        {
            using var bound = new CancellationTokenSource(Patience, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
            await using var instance = pool.Try(new Registered<ProviderSpec>(entry, provider));
            return (await instance.CheckAsync(both.Token)).TargetIdentity;
        }
        catch (Exception e) when (e is ProviderException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    private async Task DrainAsync(RegistryAuthor author, RegistryEntry entry, string name, CancellationToken cancellationToken)
    {
        await suspensions.SuspendAsync(
            new Suspensions.Suspension { Id = Uid.New(time), Target = entry.Uid, TargetName = name, Reason = "It is being deleted.", By = author.Actor, CreatedAt = time.Now() },
            null, cancellationToken);
        signals.Set();
    }

    private static AuditDraft AuditOf<TSpec>(string what, RegistryAuthor author, ResourceType<TSpec> type, string name, string? parent, RegistryEntry entry)
        where TSpec : class => new(what, author.Actor)
        {
            Resource = type.NameOf(name, parent),
            Detail = new JsonObject
            {
                ["uid"] = entry.Uid.ToString(),
                ["version"] = entry.Version,
                ["managed_by"] = entry.ManagedBy,
                ["spec_hash"] = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(entry.SpecJson))),
            },
        };

    private static BrokerError ToError<TSpec>(ResourceType<TSpec> type, string name, string? parent, RegistryOutcome outcome)
        where TSpec : class => outcome switch
        {
            RegistryOutcome.NameTaken => new BrokerError(Reasons.AlreadyExists, $"There is already {type.NameOf(name, parent)}."),
            RegistryOutcome.NameIsTombstone => new BrokerError(Reasons.NameWasUsed, $"The name {type.NameOf(name, parent)} belonged to something that was deleted. Set reuse_name if the new one is meant to have it; it inherits nothing."),
            RegistryOutcome.SecretBoundElsewhere => BoundToAnother,
            RegistryOutcome.VersionMismatch => new BrokerError(Reasons.EtagMismatch, "It changed since it was read. Read it again."),
            RegistryOutcome.HasUnprovenLeases held => new BrokerError(Reasons.HasLiveLeases, $"It still has {held.Count} leases that are not proven dead. End them, or use force.")
            {
                Metadata = new Dictionary<string, string> { ["leases"] = held.Count.ToString(System.Globalization.CultureInfo.InvariantCulture) },
            },
            _ => Errors.NotFound(type.NameOf(name, parent)),
        };
}

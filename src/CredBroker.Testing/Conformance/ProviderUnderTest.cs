using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>
/// A provider in front of a target that is its own, as the suite needs it: made anew for each test, and disposed after it. A suite that lacks
/// what it asks for fails.
/// </summary>
public abstract class ProviderUnderTest : IAsyncDisposable
{
    /// <summary>The provider type.</summary>
    public abstract IProviderType Type { get; }

    /// <summary>What the provider is given. See <see cref="TestContexts"/>.</summary>
    public abstract ProviderContext Context { get; }

    /// <summary>A configuration that works.</summary>
    public abstract JsonElement Configuration { get; }

    /// <summary>What the provider can do.</summary>
    public abstract ProviderAbilities Abilities { get; }

    /// <summary>At least one role for each role kind, which works with that configuration.</summary>
    public abstract IReadOnlyList<RoleExample> Roles { get; }

    /// <summary>Configurations that must be refused, beside those that the suite makes itself.</summary>
    public abstract IReadOnlyList<JsonElement> BadConfigurations { get; }

    /// <summary>Roles that must be refused, by their template's validation or at the latest when they are issued from.</summary>
    public abstract IReadOnlyList<RoleExample> BadRoles { get; }

    /// <summary>The fields of a credential that are secret, as opposed to a user name or a host, of every role kind: each has at least one of them.</summary>
    public abstract IReadOnlyList<string> SecretFields { get; }

    /// <summary>Whether the target lets this credential in now, asked of the target itself.</summary>
    public abstract Task<bool> IsAcceptedAsync(IssuedCredential credential);

    /// <summary>Opens what lives on by itself, such as a session; the answer says whether it still does. Null where there is nothing of the kind.</summary>
    public virtual Task<Func<Task<bool>>?> OpenAsync(IssuedCredential credential) => Task.FromResult<Func<Task<bool>>?>(null);

    /// <summary>
    /// Called before each attempt to revoke. The broker has made the lease dead in effect by then: where its own store is the target, that is the revocation.
    /// </summary>
    public virtual void BeginRevoking(RevokeRequest request)
    {
    }

    /// <summary>Passes time until the target's clock has reached the instant.</summary>
    public abstract Task PassTimeAsync(DateTimeOffset until);

    /// <summary>Makes a provider of the same type in front of another target.</summary>
    public abstract Task<IProvider> ConnectElsewhereAsync();

    /// <summary>
    /// How a credential's revocation can have been left by a broker that died, or by an administrator's hand: each brings a live credential there.
    /// Only a local provider has none.
    /// </summary>
    public virtual IReadOnlyList<HalfWay> HalfWays => [];

    /// <summary>Puts something of this name at the target which does not carry the mark. Not asked of a local provider.</summary>
    public virtual Task PlantAsync(string externalName) => throw new NotSupportedException("This provider makes nothing at a target.");

    /// <summary>The same, of the sort that a role makes; for a provider that makes several sorts.</summary>
    public virtual Task PlantAsync(RoleExample role, string externalName) => PlantAsync(externalName);

    /// <summary>Whether what was planted is still there and untouched.</summary>
    public virtual Task<bool> IsPlantedAsync(string externalName) => throw new NotSupportedException("This provider makes nothing at a target.");

    /// <summary>
    /// How the target can be made to misbehave: every <see cref="TargetFault"/> but those that its protocol cannot have, which are left out here and named
    /// in <see cref="ImpossibleFaults"/>. Not asked of a local provider.
    /// </summary>
    public virtual IReadOnlyList<TargetFault> Faults => [];

    /// <summary>The faults that cannot be, each with the reason.</summary>
    public virtual IReadOnlyDictionary<TargetFault, string> ImpossibleFaults => new Dictionary<TargetFault, string>();

    /// <summary>
    /// Makes the target misbehave until the answer is disposed. <paramref name="sparing"/>: that many creating calls go well before; calls that create
    /// are those which <see cref="CreatingCalls"/> counts, so not a log-in. Before the first one that is not spared, calls that only read go well.
    /// </summary>
    public virtual Task<Misbehaviour> MisbehaveAsync(TargetFault fault, int sparing) => throw new NotSupportedException($"The target cannot be made to misbehave: {fault}.");

    /// <summary>How long a throttled target asks to wait; null where its protocol does not say.</summary>
    public virtual TimeSpan? RetryAfter => null;

    /// <summary>How many calls that create something the target has received so far, whether or not it answered. Not asked of a local provider.</summary>
    public virtual int CreatingCalls => throw new NotSupportedException("This provider makes nothing at a target.");

    /// <summary>
    /// Whether something at the target still opens anything that was made under this name, asked of the target itself, without the credential: its answer
    /// may have been lost. Not asked of a local provider.
    /// </summary>
    public virtual Task<bool> LivesAsync(string externalName) => throw new NotSupportedException("This provider makes nothing at a target.");

    /// <summary>
    /// Empties the document that a group shares, behind the broker's back, so that what it kept dead lives again. False where nothing of the kind can
    /// happen to it. Asked only of a provider with groups.
    /// </summary>
    public virtual Task<bool> EmptyGroupAsync(string group) => throw new NotSupportedException("This provider has no groups.");

    /// <summary>The external names that a group's document keeps dead; null where it does not hold names of the dead. Asked only of a provider with groups.</summary>
    public virtual Task<IReadOnlyCollection<string>?> DeniedInGroupAsync(string group) => throw new NotSupportedException("This provider has no groups.");

    /// <summary>Makes the provider.</summary>
    public IProvider Connect() => Type.Create(Context, Configuration);

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>What a provider can do: the suite holds it to each.</summary>
/// <param name="Lists">It is an <see cref="IListingProvider"/>.</param>
/// <param name="Renews">It is an <see cref="IRenewingProvider"/>.</param>
public sealed record ProviderAbilities(bool Lists, bool Renews)
{
    /// <summary>It is an <see cref="IProbingProvider"/>.</summary>
    public bool Probes { get; init; }
}

/// <summary>A role to issue from.</summary>
/// <param name="Kind">The role kind's name.</param>
/// <param name="Template">Its template.</param>
public sealed record RoleExample(string Kind, JsonElement Template)
{
    /// <summary>Issuing takes more than one step, and a handle is journalled in between.</summary>
    public bool TwoSteps { get; init; }

    /// <summary>
    /// The target has at most one thing of a name: a second of the same name is refused, and a stranger's is told apart by its mark. Not so for sessions
    /// that are denied by name.
    /// </summary>
    public bool NamesAreExclusive { get; init; } = true;

    /// <summary>It is in the provider's listing, if the provider lists at all.</summary>
    public bool Listed { get; init; } = true;

    /// <summary>It can be renewed, if the provider renews at all.</summary>
    public bool Renewable { get; init; } = true;

    /// <summary>Something of its credentials is secret. Not so where a right is given to somebody who proves himself by his own means.</summary>
    public bool HasSecret { get; init; } = true;

    /// <summary>A role whose template is written as JSON.</summary>
    public static RoleExample Of(string kind, string json, bool twoSteps = false) => new(kind, JsonElement.Parse(json)) { TwoSteps = twoSteps };
}

/// <summary>A state in which a revocation can be found.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Bring">Brings a live credential there.</param>
public sealed record HalfWay(string Name, Func<IssueRequest, Task> Bring)
{
    /// <summary>The role whose credentials can be found so; null for the first one.</summary>
    public RoleExample? Role { get; init; }
}

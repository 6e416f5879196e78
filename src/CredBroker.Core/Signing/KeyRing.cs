using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Signing;

/// <summary>
/// The broker's signing keys as this node knows them. Keys are only ever added: a successor is published first and used later, and what it
/// replaces verifies until everything that it signed has run out.
/// </summary>
public sealed class KeyRing(ISigningKeyStore store, InstallationOptions installation, TimeProvider time)
{
    /// <summary>How long a successor is published before it signs: as long as a careful verifier keeps keys.</summary>
    public static readonly TimeSpan PublishedBeforeUse = TimeSpan.FromHours(24);

    /// <summary>How long a key verifies after its successor took over: longer than any token lives.</summary>
    public static readonly TimeSpan VerifiesAfterUse = TimeSpan.FromHours(25);

    private const int MostAttempts = 8;
    private IReadOnlyList<RingKey>? _keys;

    /// <summary>
    /// Loads the keys, and makes the first of each family that has none. Safe when several nodes start at once: the store lets one win, and
    /// the others load its key. Called at start, after the migrations.
    /// </summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            await ReloadAsync(cancellationToken);
            var now = time.GetUtcNow();
            var missing = KeyFamilies.All.Where(family => Published(family, now).All(key => key.Stored.UseFrom > now)).ToArray();
            if (missing.Length == 0) return;
            foreach (var family in missing) await AddAsync(family, now, now, cancellationToken);
        }

        throw new InvalidOperationException("The store takes no signing keys, or gives none back.");
    }

    /// <summary>Loads the keys again, so that a successor that another node made is published and used here too.</summary>
    public async Task ReloadAsync(CancellationToken cancellationToken)
    {
        var stored = await store.LoadAsync(cancellationToken);
        var known = (_keys ?? []).ToDictionary(key => key.Stored.Uid);
        Volatile.Write(ref _keys, [.. stored
            .OrderByDescending(key => key.Ordinal)
            .Select(key => known.TryGetValue(key.Uid, out var same) && same.Stored.RetireAt == key.RetireAt ? same : RingKey.Read(key))]);
    }

    /// <summary>Publishes a successor now, which signs after <see cref="PublishedBeforeUse"/>. Nothing happens when one waits already.</summary>
    public async Task PrepareNextAsync(KeyFamily family, CancellationToken cancellationToken)
    {
        await ReloadAsync(cancellationToken);
        var now = time.GetUtcNow();
        if (Published(family, now).Any(key => key.Stored.UseFrom > now)) return;
        await AddAsync(family, now, now + PublishedBeforeUse, cancellationToken);
        await ReloadAsync(cancellationToken);
    }

    /// <summary>The family's public keys, those included that sign later.</summary>
    public PublicKeySet PublicKeysOf(KeyFamily family) => new([.. Published(family, time.GetUtcNow()).Select(key => key.PublicKey)]);

    /// <summary>The family's metadata.</summary>
    public IssuerMetadata MetadataOf(KeyFamily family) => new()
    {
        Issuer = installation.IssuerOf(family),
        JwksUri = $"{installation.IssuerOf(family)}/.well-known/jwks.json",
        Algorithms = [KeyFamilies.AlgorithmOf(family)],
        IntrospectionEndpoint = family == KeyFamily.Lease ? $"{installation.PublicUrl}/oauth2/introspect" : null,
    };

    /// <summary>Since when the key that signs now has been in use; null while none is loaded.</summary>
    internal DateTimeOffset? InUseSince(KeyFamily family)
    {
        if (Volatile.Read(ref _keys) is null) return null;
        var now = time.GetUtcNow();
        return Published(family, now).FirstOrDefault(key => key.Stored.UseFrom <= now)?.Stored.UseFrom;
    }

    /// <summary>When the key that is published already signs; null where none waits.</summary>
    internal DateTimeOffset? SuccessorOf(KeyFamily family)
    {
        var now = time.GetUtcNow();
        return Published(family, now).FirstOrDefault(key => key.Stored.UseFrom > now)?.Stored.UseFrom;
    }

    /// <summary>What signs now: the newest key whose time has come.</summary>
    internal SigningCredentials SignerOf(KeyFamily family)
    {
        var now = time.GetUtcNow();
        return Published(family, now).FirstOrDefault(key => key.Stored.UseFrom <= now)?.Credentials
            ?? throw new InvalidOperationException($"There is no key to sign with in the family {family}.");
    }

    /// <summary>A key that still verifies; null for an unknown or retired one.</summary>
    internal SecurityKey? Find(KeyFamily family, string keyId) =>
        Published(family, time.GetUtcNow()).FirstOrDefault(key => key.Stored.KeyId == keyId)?.Key;

    private IEnumerable<RingKey> Published(KeyFamily family, DateTimeOffset now)
    {
        var keys = (Volatile.Read(ref _keys) ?? throw new InvalidOperationException("The signing keys are not loaded yet.")).Where(key => key.Stored.Family == family).ToArray();
        return keys.Where(key => key.Stored.PublishedAt <= now && now < RetirementOf(key, keys));
    }

    private static DateTimeOffset RetirementOf(RingKey key, IEnumerable<RingKey> family)
    {
        var successor = family.Where(other => other.Stored.Ordinal > key.Stored.Ordinal).Select(other => (DateTimeOffset?)other.Stored.UseFrom).Min();
        var bySuccessor = successor + VerifiesAfterUse ?? DateTimeOffset.MaxValue;
        return key.Stored.RetireAt < bySuccessor ? key.Stored.RetireAt.Value : bySuccessor;
    }

    private async Task AddAsync(KeyFamily family, DateTimeOffset publishedAt, DateTimeOffset useFrom, CancellationToken cancellationToken)
    {
        var ordinal = (Volatile.Read(ref _keys) ?? []).Where(key => key.Stored.Family == family).Select(key => key.Stored.Ordinal).DefaultIfEmpty().Max() + 1;
        await store.TryAddAsync(RingKey.Generate(family, ordinal, publishedAt, useFrom, time), cancellationToken);
    }
}

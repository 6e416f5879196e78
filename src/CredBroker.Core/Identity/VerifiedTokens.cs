using System.Collections.Concurrent;

namespace CredBroker.Core.Identity;

/// <summary>
/// What was verified within the last minute, so that a caller who asks often costs one signature check a minute. An entry counts only for the
/// same source version and the same keys: a key that its issuer withdrew verifies nothing here either.
/// </summary>
internal sealed class VerifiedTokens
{
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(60);
    private const int MostEntries = 10_000;
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    public Attestation.Attested? Find(string hash, CompiledSource source, string generation, DateTimeOffset now)
    {
        if (!_entries.TryGetValue(hash, out var entry)) return null;
        if (entry.IsGoodAt(now) && entry.Generation == generation && entry.SourceVersion == source.Source.Version && entry.Attested.Identity.SourceUid == source.Source.Uid)
            return entry.Attested;
        _entries.TryRemove(hash, out _);
        return null;
    }

    public void Add(string hash, CompiledSource source, string generation, Attestation.Attested attested, DateTimeOffset now)
    {
        if (_entries.Count >= MostEntries) Shrink(now);
        _entries[hash] = new Entry(attested, source.Source.Version, generation, now);
    }

    private void Shrink(DateTimeOffset now)
    {
        foreach (var (hash, entry) in _entries)
        {
            if (!entry.IsGoodAt(now)) _entries.TryRemove(hash, out _);
        }

        if (_entries.Count >= MostEntries) _entries.Clear();
    }

    private sealed record Entry(Attestation.Attested Attested, long SourceVersion, string Generation, DateTimeOffset VerifiedAt)
    {
        public bool IsGoodAt(DateTimeOffset now) =>
            now >= VerifiedAt && now - VerifiedAt < KeptFor && now < Attested.Identity.ExpiresAt + TokenLifetime.Leeway;
    }
}

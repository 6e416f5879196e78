using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Core.Signing;
using CredBroker.Core.Tests.Identity;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Signing;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class KeyRingTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 20, 45, 0, TimeSpan.Zero));
    private readonly MemoryKeyStore _store = new();

    [Test]
    public async Task Nodes_that_start_at_once_share_one_key_per_family()
    {
        var nodes = Enumerable.Range(0, 4).Select(_ => Make()).ToArray();
        await Task.WhenAll(nodes.Select(node => Task.Run(() => node.EnsureAsync(CancellationToken.None))));
        Assert.That(_store.Count, Is.EqualTo(3));
        foreach (var family in KeyFamilies.All)
            Assert.That(nodes.Select(node => node.SignerOf(family).Key.KeyId).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Publishes_metadata_and_public_keys_alone()
    {
        var ring = Make();
        await ring.EnsureAsync(CancellationToken.None);
        foreach (var family in KeyFamilies.All)
        {
            var metadata = JsonNode.Parse(ring.MetadataOf(family).ToJson())!;
            var text = Encoding.UTF8.GetString(ring.PublicKeysOf(family).ToJson());
            var key = JsonNode.Parse(text)!["keys"]!.AsArray().Single()!.AsObject();
            Assert.Multiple(() =>
            {
                Assert.That(metadata["issuer"]!.GetValue<string>(), Is.EqualTo($"https://broker.example.com/{KeyFamilies.PathOf(family)}"));
                Assert.That(metadata["jwks_uri"]!.GetValue<string>(), Does.StartWith(metadata["issuer"]!.GetValue<string>() + "/"));
                Assert.That(key["alg"]!.GetValue<string>(), Is.EqualTo(KeyFamilies.AlgorithmOf(family)));
                Assert.That(key.Select(member => member.Key), Has.None.AnyOf("d", "p", "q", "dp", "dq", "qi", "k"));
                Assert.That(metadata["introspection_endpoint"] is not null, Is.EqualTo(family == KeyFamily.Lease));
            });
        }
    }

    [Test]
    public async Task A_successor_is_published_before_it_signs_and_the_old_key_verifies_after()
    {
        var ring = Make();
        await ring.EnsureAsync(CancellationToken.None);
        var old = ring.SignerOf(KeyFamily.Lease).Key.KeyId;
        await ring.PrepareNextAsync(KeyFamily.Lease, CancellationToken.None);
        await ring.PrepareNextAsync(KeyFamily.Lease, CancellationToken.None);
        Assert.That(ring.PublicKeysOf(KeyFamily.Lease).Keys, Has.Count.EqualTo(2));
        Assert.That(ring.SignerOf(KeyFamily.Lease).Key.KeyId, Is.EqualTo(old));

        _time.Advance(KeyRing.PublishedBeforeUse);
        Assert.That(ring.SignerOf(KeyFamily.Lease).Key.KeyId, Is.Not.EqualTo(old));
        Assert.That(ring.Find(KeyFamily.Lease, old), Is.Not.Null);

        _time.Advance(KeyRing.VerifiesAfterUse);
        Assert.That(ring.Find(KeyFamily.Lease, old), Is.Null);
        Assert.That(ring.PublicKeysOf(KeyFamily.Lease).Keys, Has.Count.EqualTo(1));
        Assert.That(ring.PublicKeysOf(KeyFamily.Federation).Keys, Has.Count.EqualTo(1), "other families go on");
    }

    [Test]
    public async Task Another_nodes_successor_and_retirement_are_seen_after_a_reload()
    {
        var first = Make();
        await first.EnsureAsync(CancellationToken.None);
        var second = Make();
        await second.EnsureAsync(CancellationToken.None);
        await second.PrepareNextAsync(KeyFamily.Receipt, CancellationToken.None);
        await first.ReloadAsync(CancellationToken.None);
        Assert.That(first.PublicKeysOf(KeyFamily.Receipt).Keys, Has.Count.EqualTo(2));

        var old = (await _store.LoadAsync(CancellationToken.None)).Single(key => key is { Family: KeyFamily.Receipt, Ordinal: 1 });
        _store.Change(old with { RetireAt = _time.GetUtcNow() });
        await first.EnsureAsync(CancellationToken.None);
        Assert.That(first.Find(KeyFamily.Receipt, old.KeyId), Is.Null);
        Assert.That(first.SignerOf(KeyFamily.Receipt).Key.KeyId, Is.Not.EqualTo(old.KeyId), "a family never stays without a key");
    }

    [Test]
    public async Task A_row_that_holds_another_key_than_it_says_is_refused()
    {
        var ring = Make();
        await ring.EnsureAsync(CancellationToken.None);
        var keys = await _store.LoadAsync(CancellationToken.None);
        var lease = keys.Single(key => key.Family == KeyFamily.Lease);
        _store.Change(lease with { Pkcs8 = keys.Single(key => key.Family == KeyFamily.Receipt).Pkcs8 });
        Assert.That(() => Make().EnsureAsync(CancellationToken.None), Throws.InstanceOf<CryptographicException>());
    }

    [Test]
    public async Task Keys_never_print_themselves()
    {
        await Make().EnsureAsync(CancellationToken.None);
        foreach (var key in await _store.LoadAsync(CancellationToken.None))
            Assert.That(key.ToString(), Is.EqualTo($"{key.Family} 1 {key.KeyId}"));
        Assert.That(IdentityHarness.Installation.ToString(), Is.EqualTo("test01 at https://broker.example.com"));
    }

    private KeyRing Make() => new(_store, IdentityHarness.Installation, _time);
}

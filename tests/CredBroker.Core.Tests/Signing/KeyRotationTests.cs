using System.Diagnostics.Metrics;
using CredBroker.Core.Clocks;
using CredBroker.Core.Signing;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Signing;

/// <summary>Keys over a year.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class KeyRotationTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 20, 45, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _passing = new(Start);
    private readonly MemoryKeyStore _store = new();

    [Test]
    public async Task Over_a_year_every_key_is_known_before_it_signs_and_verifies_what_it_signed()
    {
        var (one, two) = (Node(_passing), Node(_passing));
        await one.Ring.EnsureAsync(CancellationToken.None);
        await two.Ring.EnsureAsync(CancellationToken.None);
        var known = new Queue<HashSet<string>>();
        var signed = new Queue<string>();
        var signers = new HashSet<string>();
        for (var hours = 0; hours < 365 * 24; hours += 6)
        {
            await Task.WhenAll(one.Rotation.LookAsync(CancellationToken.None), two.Rotation.LookAsync(CancellationToken.None));
            var signer = one.Ring.SignerOf(KeyFamily.Lease).Key.KeyId;
            signers.Add(signer);
            Assert.That(two.Ring.SignerOf(KeyFamily.Lease).Key.KeyId, Is.EqualTo(signer), "both sign by one key");
            known.Enqueue([.. two.Ring.PublicKeysOf(KeyFamily.Lease).Keys.Select(key => key.KeyId)]);
            signed.Enqueue(signer);
            // A verifier that asked a day ago knows what signs now; what signed a day ago still verifies.
            if (known.Count > 4) Assert.That(known.Dequeue(), Has.Member(signer));
            if (signed.Count > 4) Assert.That(one.Ring.Find(KeyFamily.Lease, signed.Dequeue()), Is.Not.Null);
            Assert.That(known.Last(), Has.Count.LessThanOrEqualTo(2), "and nothing is published for longer than it is good for");
            Assert.That(one.Rotation.Overdue, Is.Empty);
            _passing.Advance(TimeSpan.FromHours(6));
        }

        Assert.That(signers, Has.Count.EqualTo(5), "four successors in a year");
        Assert.That(_store.Count, Is.EqualTo(15), "of each family the same, whoever made them");
    }

    [Test]
    public async Task A_clock_that_is_not_believed_makes_no_key_and_a_broker_that_slept_goes_on_by_the_old_one()
    {
        var machine = new SteppedClock(_passing);
        var node = Node(machine);
        await node.Ring.EnsureAsync(CancellationToken.None);
        machine.Ahead = TimeSpan.FromDays(100);
        await node.Rotation.LookAsync(CancellationToken.None);
        Assert.That(_store.Count, Is.EqualTo(3), "a jump of a hundred days is no age");
        machine.Ahead = TimeSpan.Zero;

        _passing.Advance(TimeSpan.FromDays(200));
        Assert.That(node.Rotation.Overdue, Is.EquivalentTo(KeyFamilies.All));
        var old = node.Ring.SignerOf(KeyFamily.Federation).Key.KeyId;
        await node.Rotation.LookAsync(CancellationToken.None);
        Assert.That(node.Ring.SignerOf(KeyFamily.Federation).Key.KeyId, Is.EqualTo(old), "its successor is not known yet");
        _passing.Advance(KeyRing.PublishedBeforeUse);
        Assert.That(node.Ring.SignerOf(KeyFamily.Federation).Key.KeyId, Is.Not.EqualTo(old));
        Assert.That(node.Rotation.Overdue, Is.Empty);
    }

    private (KeyRing Ring, KeyRotation Rotation) Node(TimeProvider machine)
    {
        var time = new StoreTime(machine, ownClock: true, TimeSpan.FromMinutes(5));
        var installation = new InstallationOptions { Id = "test01", PublicUrl = "https://broker.example.com", WrappingKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)] };
        var ring = new KeyRing(_store, installation, time);
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        return (ring, new KeyRotation(ring, time, new BrokerLimits(), meters, NullLogger<KeyRotation>.Instance));
    }
}

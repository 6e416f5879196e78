using CredBroker.Core.Egress;
using CredBroker.Core.Identity;
using CredBroker.Core.Signing;
using CredBroker.Core.Tests.Signing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CredBroker.Core.Tests.Identity;

[TestFixture]
internal sealed class KeyRefreshServiceTests
{
    [Test]
    [CancelAfter(30_000)]
    public async Task Keys_are_there_before_the_first_request_and_stay_fresh(CancellationToken cancellationToken)
    {
        await using var harness = await IdentityHarness.StartAsync();
        harness.Register();
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(IdentityHarness.Installation)
            .AddSingleton(new EgressPolicy { Allow = ["127.0.0.1"] })
            .AddSingleton<IIdentitySourceCatalog>(harness)
            .AddSingleton<ISigningKeyStore>(new MemoryKeyStore())
            .AddSingleton<TimeProvider>(harness.Time)
            .AddIdentityAndSigning()
            .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true });
        await services.GetRequiredService<KeyRing>().EnsureAsync(cancellationToken);
        var refresher = services.GetRequiredService<IHostedService>();
        await refresher.StartAsync(cancellationToken);
        await UntilAsync(() => harness.Issuer.KeyRequests == 1, cancellationToken);

        // Waits for the answer of that fetch too. The clock must not move before: it is the one that a fetch times out by.
        var attestor = services.GetRequiredService<Attestor>();
        Assert.That(await attestor.AttestAsync(harness.Mint(), cancellationToken), Is.InstanceOf<Attestation.Attested>());
        harness.Issuer.RotateKey();
        harness.Time.Advance(TimeSpan.FromHours(1));
        await UntilAsync(() => harness.Issuer.KeyRequests == 2, cancellationToken);

        Assert.That(await attestor.AttestAsync(harness.Mint(), cancellationToken), Is.InstanceOf<Attestation.Attested>());
        Assert.That(harness.Issuer.KeyRequests, Is.EqualTo(2), "no request fetched a key");
        await refresher.StopAsync(cancellationToken);
    }

    private static async Task UntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition())
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}

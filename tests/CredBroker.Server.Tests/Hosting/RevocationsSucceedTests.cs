using System.Diagnostics.Metrics;
using CredBroker.Abstractions;
using CredBroker.Core.Revocation;
using CredBroker.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Server.Tests.Hosting;

/// <summary>Health names what cannot be revoked, and takes no node out of service for it.</summary>
internal sealed class RevocationsSucceedTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Backlog _backlog = new();

    [Test]
    public async Task Tells_what_fails_without_names_until_it_succeeds()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var watch = new RevocationWatch(_backlog, services.GetRequiredService<IMeterFactory>(), NullLogger<RevocationWatch>.Instance, _time);
        var check = new RevocationsSucceed(watch, _time);
        Assert.That((await check.CheckHealthAsync(new HealthCheckContext())).Status, Is.EqualTo(HealthStatus.Healthy));
        _backlog.Measured =
        [
            Of("a-secret-project", 3, ProviderFault.Denied, 2), Of("another", 5, ProviderFault.Unreachable, 1), Of("third", 9, null, 0),
        ];
        await watch.LookAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(90));
        var told = await check.CheckHealthAsync(new HealthCheckContext());
        Assert.That(told.Status, Is.EqualTo(HealthStatus.Degraded), "it must go on trying, and ending");
        Assert.That(told.Description, Does.StartWith("3 leases could not be revoked (").And.Contain("Denied: 2").And.Contain("Unreachable: 1").And.Contain("90 s").And.Not.Contain("project"));
        _backlog.Measured = [];
        await watch.LookAsync(CancellationToken.None);
        Assert.That((await check.CheckHealthAsync(new HealthCheckContext())).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    private ProviderBacklog Of(string provider, long revoking, ProviderFault? fault, long failing) => new()
    {
        Provider = provider,
        Unproven = revoking,
        Pending = 0,
        Revoking = revoking,
        Failing = fault is { } named ? new Dictionary<ProviderFault, long> { [named] = failing } : new Dictionary<ProviderFault, long>(),
        DyingSince = _time.GetUtcNow(),
    };

    private sealed class Backlog : IBacklogStore
    {
        public IReadOnlyList<ProviderBacklog> Measured { get; set; } = [];

        public Task<IReadOnlyList<ProviderBacklog>> ReadAsync(CancellationToken cancellationToken) => Task.FromResult(Measured);
    }
}

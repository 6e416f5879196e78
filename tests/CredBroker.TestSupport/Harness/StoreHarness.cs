using CredBroker.Core;
using CredBroker.EntityFrameworkCore;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.Testing.Scripted;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.TestSupport.Harness;

/// <summary>Harnesses on real databases.</summary>
public static class StoreHarness
{
    private static readonly byte[] WrappingKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    /// <summary>On an SQLite file; <paramref name="more"/> registers what is to be otherwise.</summary>
    public static Task<BrokerHarness> SqliteAsync(string path, BrokerLimits? limits = null, bool register = true, FakeTimeProvider? time = null, ScriptedProviderType? scripted = null, Action<IServiceCollection>? more = null, TimeProvider? machine = null, string? witness = null) =>
        StartAsync(options => options.UseSqlite(path).WitnessFile = witness, limits, register, time, scripted, more, machine);

    /// <summary>On a PostgreSQL database, whose clock is <paramref name="time"/>.</summary>
    public static Task<BrokerHarness> PostgresAsync(
        string connectionString, BrokerLimits? limits = null, bool register = true, FakeTimeProvider? time = null, ScriptedProviderType? scripted = null, Action<IServiceCollection>? more = null, TimeProvider? machine = null, string? witness = null)
    {
        var clock = time ?? new FakeTimeProvider(BrokerHarness.Start);
        return StartAsync(options => (options.UsePostgres(connectionString).DatabaseTime, options.WitnessFile) = (clock.GetUtcNow, witness), limits, register, clock, scripted, more, machine);
    }

    /// <summary>On the database that <paramref name="use"/> names.</summary>
    public static Task<BrokerHarness> StartAsync(
        Action<StoreOptions> use, BrokerLimits? limits = null, bool register = true, FakeTimeProvider? time = null, ScriptedProviderType? scripted = null, Action<IServiceCollection>? more = null, TimeProvider? machine = null) =>
        BrokerHarness.StartAsync(
            services =>
            {
                services.AddCredBrokerStore(options =>
                {
                    use(options);
                    options.WrappingKey = WrappingKey;
                });
                more?.Invoke(services);
            },
            services => services.GetRequiredService<BrokerDatabase>().MigrateAsync(CancellationToken.None),
            limits, register, time, scripted, machine);
}

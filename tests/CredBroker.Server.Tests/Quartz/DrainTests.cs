using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;
using CredBroker.Quartz;
using CredBroker.TestSupport.Harness;
using Microsoft.Extensions.DependencyInjection;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Server.Tests.Quartz;

/// <summary>What a node does last.</summary>
internal sealed class DrainTests
{
    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task The_last_notes_are_written_though_one_target_hangs_and_the_time_to_stop_is_used_up()
    {
        var folder = Directory.CreateTempSubdirectory("credbroker-drain-").FullName;
        var type = new NotingProviderType();
        await using (var broker = await StoreHarness.SqliteAsync(Path.Combine(folder, "broker.db"), more: services => services.AddSingleton<IProviderType>(type)))
        {
            foreach (var name in new[] { "hanging", "answering" })
                Ok(await broker.Get<RegistryService>().CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, name, null, new ProviderSpec { Type = "noting", Config = NotingProviderType.Configure(name) }, new ChangeOptions(), None));
            type.Hanging["hanging"] = true;
            var drain = new DrainService(broker.Get<RevocationDispatcher>(), broker.Get<Reconciler>(), broker.Get<Anchors>(), broker.Get<DenialLog>(), broker.Get<TimeProvider>());
            var stopping = drain.StopAsync(new CancellationToken(canceled: true));
            await Until(() => type.Asked.ContainsKey("hanging") && type.Notes.ContainsKey("answering"), "the target that answers has the note");
            Assert.That(stopping.IsCompleted, Is.False);
            broker.Time.Advance(QuartzServices.AnchorsBound);
            await stopping;
        }

        Directory.Delete(folder, recursive: true);
    }
}

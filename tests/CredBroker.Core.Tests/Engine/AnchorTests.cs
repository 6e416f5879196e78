using System.Reflection;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Diagnosis;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Registry;
using CredBroker.TestSupport.Harness;
using Microsoft.Extensions.DependencyInjection;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>What is believed of the notes at the targets, and what waits for them.</summary>
public sealed class AnchorTests : EngineTests
{
    private readonly NotingProviderType _type = new();

    private static CancellationToken None => CancellationToken.None;

    private Anchors Anchors => Broker.Get<Anchors>();

    private CommitNote Foreign => new(Uid.New(Broker.Time), Uid.New(Broker.Time), 5, Broker.Time.GetUtcNow());

    [SetUp]
    public async Task Register()
    {
        foreach (var all in new[] { _type.Hanging, _type.Impossible, _type.Asked }) all.Clear();
        _type.Notes.Clear();
        await RestartAsync(services => services.AddSingleton<IProviderType>(_type));
    }

    [Test]
    public async Task A_strange_note_is_a_restore_at_the_first_look_and_later_the_alarm_of_a_second_installation()
    {
        var (one, two) = (await AddAsync("one"), await AddAsync("two"));
        await Anchors.StartAsync(None);
        var own = Read(one, "one")!;
        foreach (var foreign in new[] { Foreign, Foreign with { Epoch = own.Epoch } })
        {
            var text = _type.Notes["one"] = Write(one, foreign);
            await Anchors.LookAsync(None);
            await Anchors.LookAsync(None);
            Assert.That(await QuarantinedAsync(), Is.Empty);
            Assert.That(_type.Notes["one"], Is.EqualTo(text), "whoever overwrites it hides it");
            Assert.That(await SecondsAsync(), Is.EqualTo(new[] { "providers/one" }));
        }

        _type.Notes.Clear();
        await Anchors.LookAsync(None);
        Assert.That((Read(one, "one")?.Epoch, await SecondsAsync()), Is.EqualTo(((Uid?)own.Epoch, Array.Empty<string>())));

        // At a start nobody can tell one from the other; and what one target shows is then known of all.
        var lost = Foreign;
        (_type.Notes["one"], _type.Notes["two"]) = (Write(one, lost), Write(two, lost));
        await KeepAsync();
        await Anchors.StartAsync(None);
        await Anchors.LookAsync(None);
        await Anchors.LookAsync(None);
        Assert.That(await QuarantinedAsync(), Is.EqualTo(new[] { "db", "one", "two" }));
        Assert.That(await RestoresAsync(), Is.EqualTo(1));
        Assert.That((Read(one, "one")!.Epoch, await SecondsAsync()), Is.EqualTo((Read(two, "two")!.Epoch, Array.Empty<string>())));
        Assert.That(Read(one, "one")!.Epoch, Is.Not.EqualTo(own.Epoch).And.Not.EqualTo(lost.Epoch));
    }

    [Test]
    public async Task More_commits_of_a_writer_that_is_known_are_a_restore_at_every_look()
    {
        var one = await AddAsync("one");
        await Anchors.StartAsync(None);
        var own = Read(one, "one")!;
        _type.Notes["one"] = Write(one, own with { Commits = own.Commits + 1000 });
        await Anchors.LookAsync(None);
        Assert.That(await QuarantinedAsync(), Is.EqualTo(new[] { "db", "one" }));
    }

    [Test]
    public async Task Only_a_provider_that_is_older_than_the_process_waits_for_its_note()
    {
        var old = await AddAsync("old");
        _type.Hanging["old"] = true;
        await KeepAsync();
        var starting = Anchors.StartAsync(None);
        await Until(() => _type.Asked.ContainsKey("old"), "it is asked");
        Broker.Time.Advance(TimeSpan.FromSeconds(11));
        await starting;
        var added = await AddAsync("added");
        Assert.That((Anchors.Holds(old), Anchors.Holds(added)), Is.EqualTo((true, false)));
        _type.Hanging.Clear();
        await KeepAsync();
        await Anchors.StartAsync(None);
        Assert.That((Anchors.Holds(old), Anchors.Holds(added)), Is.EqualTo((false, false)));
    }

    [Test]
    public async Task A_provider_that_cannot_be_made_hinders_neither_the_start_nor_the_others()
    {
        var (broken, sound) = (await AddAsync("broken"), await AddAsync("sound"));
        _type.Impossible["broken"] = true;
        await KeepAsync();
        await Anchors.StartAsync(None);
        Assert.That((Anchors.Holds(broken), Anchors.Holds(sound)), Is.EqualTo((false, false)));
        Assert.That(Read(sound, "sound"), Is.Not.Null);
        await Anchors.LookAsync(None);
    }

    [Test]
    public async Task A_note_that_is_known_is_weighed_without_any_lock()
    {
        var asked = new List<string>();
        await RestartAsync(services =>
        {
            services.AddSingleton<IProviderType>(_type);
            var inner = services.Last(service => service.ServiceType == typeof(IQuarantineStore));
            services.AddSingleton<IQuarantineStore>(provider =>
            {
                var store = DispatchProxy.Create<IQuarantineStore, Told>();
                var told = (Told)store;
                told.Inner = (IQuarantineStore)(inner.ImplementationFactory?.Invoke(provider) ?? ActivatorUtilities.CreateInstance(provider, inner.ImplementationType!));
                told.Calls = asked;
                return store;
            });
        });
        await AddAsync("one");
        await Anchors.StartAsync(None);
        await Anchors.LookAsync(None);
        Assert.That(asked, Does.Contain(nameof(IQuarantineStore.WeighAsync)).And.No.Member(nameof(IQuarantineStore.StartIfLackingAsync)));
    }

    private async Task<Uid> AddAsync(string name) =>
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, name, null, new ProviderSpec { Type = "noting", Config = NotingProviderType.Configure(name) }, new ChangeOptions(), None)).Uid;

    private Task KeepAsync() => RestartAsync(services => services.AddSingleton<IProviderType>(_type), keep: true);

    private CommitNote? Read(Uid provider, string target) => Broker.Get<AnchorNotes>().Read(provider, _type.Notes.GetValueOrDefault(target));

    private string Write(Uid provider, CommitNote note) => Broker.Get<AnchorNotes>().Write(provider, note);

    private async Task<string[]> QuarantinedAsync() => [.. (await Broker.Get<IQuarantineStore>().ListAsync(None)).Select(one => one.ProviderName)];

    private async Task<string[]> SecondsAsync() => [.. Ok(await Broker.Get<DiagnosisService>().DiagnoseAsync(await RootAsync(), None)).Where(one => one.Code == "second-installation").Select(one => one.Subject)];

    private async Task<int> RestoresAsync() => (await Broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [AuditTypes.DatabaseRestored] }, new PageRequest(10, null), None)).Items.Count;

    /// <summary>Tells which of the store's members are called.</summary>
    public class Told : DispatchProxy
    {
        internal IQuarantineStore Inner { get; set; } = null!;

        internal List<string> Calls { get; set; } = [];

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Calls.Add(targetMethod!.Name);
            return targetMethod.Invoke(Inner, args);
        }
    }
}

using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Postgres;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>
/// Whoever may edit a provider points it at a server of his own, and presses check: what that server catches works nowhere, and no answer tells the secret.
/// For every type that sends one.
/// </summary>
[NonParallelizable]
public sealed class RepointedProviderTests
{
    private const string Name = $"providers/{DatabaseStory.Provider}";
    private readonly SecretSearch _search = new();
    private readonly List<(string Where, string Text)> _answers = [];
    private PostgresDatabase _database = null!;
    private TargetDatabase _target = null!;
    private WatchedBroker _broker = null!;

    private static IEnumerable<TestCaseData> Rogues => RoguePostgres.All.Select(rogue => new TestCaseData(rogue));

    [OneTimeSetUp]
    public async Task StartBroker()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        _target = await TargetDatabase.PrepareAsync(_database.ConnectionString, CancellationToken.None);
        _target.Settings.Host = "127.0.0.1";
        _broker = await WatchedBroker.StartAsync(_target, null, _search);
        using var root = Root();
        await root.Providers.CreateProviderAsync(new() { ProviderId = DatabaseStory.Provider, Provider = new Provider { Type = "postgresql", Config = Configuration() } });
        Assert.That((await root.Providers.CheckProviderAsync(new() { Name = Name })).Healthy);
    }

    [OneTimeTearDown]
    public async Task StopBroker()
    {
        if (_broker is not null) await _broker.DisposeAsync();
        if (_target is not null) await _target.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    [TestCaseSource(nameof(Rogues))]
    public async Task A_secret_goes_to_no_other_host_under_any_name(object rogue)
    {
        var attack = (RogueTarget)rogue;
        await using var listener = new RecordingListener(attack.AnswerAsync);
        using var root = Root();
        // It is the same machine by another name; what counts is the name that the operator declared.
        var config = attack.Point(Configuration(), "localhost", listener.Port);
        var repointed = await RefusedAsync(root.Providers.UpdateProviderAsync(new() { Provider = new Provider { Name = Name, Config = config }, UpdateMask = new() { Paths = { "config" } } }).ResponseAsync);
        var another = await RefusedAsync(root.Providers.CreateProviderAsync(new() { ProviderId = "another", Provider = new Provider { Type = "postgresql", Config = config } }).ResponseAsync);
        var anothersName = await RefusedAsync(root.Providers.CreateProviderAsync(new() { ProviderId = "another", Provider = new Provider { Type = "postgresql", Config = Configuration() } }).ResponseAsync);
        await root.Providers.CheckProviderAsync(new() { Name = Name });

        Assert.That(new[] { repointed, another, anothersName }, Is.All.EqualTo(ErrorReason.ConfigurationInvalid));
        Assert.That(listener.Connections, Is.Zero);
        AssertNothingTold();
    }

    [TestCaseSource(nameof(Rogues))]
    public async Task What_an_attackers_server_on_the_declared_host_catches_opens_nothing(object rogue)
    {
        var attack = (RogueTarget)rogue;
        await using var listener = new RecordingListener(attack.AnswerAsync);
        using var root = Root();
        var config = attack.Point(Configuration(), "127.0.0.1", listener.Port);
        await TellAsync("update", root.Providers.UpdateProviderAsync(new() { Provider = new Provider { Name = Name, Config = config }, UpdateMask = new() { Paths = { "config" } } }).ResponseAsync);
        await TellAsync("check", root.Providers.CheckProviderAsync(new() { Name = Name }).ResponseAsync);
        try
        {
            Assert.That(listener.Connections, Is.Positive, "the attack reached the attacker's server");
            Assert.That(listener.Caught.SelectMany(message => _search.FindIn("what was caught", message)), Is.Empty);
            Assert.That(await attack.WorksAsync(_target, listener.Caught), Is.False);
            AssertNothingTold();
        }
        finally
        {
            await TellAsync("back", root.Providers.UpdateProviderAsync(new() { Provider = new Provider { Name = Name, Config = Configuration() }, UpdateMask = new() { Paths = { "config" } } }).ResponseAsync);
        }
    }

    /// <summary>A search that finds nothing because it looks wrongly would pass: here the right password is among what was caught.</summary>
    [Test]
    public async Task The_right_password_would_be_noticed()
    {
        var rogue = RoguePostgres.All[0];
        byte[] caught = [(byte)'p', 0, 0, 0, 0, .. System.Text.Encoding.ASCII.GetBytes(_target.Password), 0];
        Assert.That(await rogue.WorksAsync(_target, [[], caught]));
        Assert.That(_search.FindIn("what was caught", caught), Is.Not.Empty);
    }

    private BrokerClient Root() => _broker.Connect(_broker.Identity.Mint("root", Installation.OperatorAudience));

    private Struct Configuration() => DatabaseStory.Configuration(_target);

    private async Task<ErrorReason?> RefusedAsync<T>(Task<T> call)
    {
        var refused = await Assert.ThrowsAsync<BrokerException>(() => call);
        _answers.Add(("a refusal", refused!.ToString()));
        return refused.KnownReason;
    }

    private async Task TellAsync<T>(string where, Task<T> call)
    {
        try
        {
            _answers.Add((where, $"{await call}"));
        }
        catch (BrokerException e)
        {
            _answers.Add((where, e.ToString()));
        }
    }

    private void AssertNothingTold() =>
        Assert.That(string.Join('\n', _answers.Concat(_broker.Observed.All).SelectMany(seen => _search.FindIn(seen.Where, seen.Text)).Distinct()), Is.Empty);
}

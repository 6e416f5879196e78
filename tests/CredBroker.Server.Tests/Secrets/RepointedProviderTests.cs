using System.Reflection;
using CredBroker.Abstractions;
using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.Server.Tests.Secrets.Targets;
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
    private readonly SecretSearch _search = new();
    private readonly List<(string Where, string Text)> _answers = [];
    private PostgresDatabase _database = null!;
    private RealTargets _targets = null!;
    private WatchedBroker _broker = null!;

    private static IEnumerable<TestCaseData> Rogues => RogueTarget.All.Select(rogue => new TestCaseData(rogue));

    [OneTimeSetUp]
    public async Task StartBroker()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        var database = await TargetDatabase.PrepareAsync(_database.ConnectionString, CancellationToken.None);
        database.Settings.Host = "127.0.0.1";
        _targets = new(database, await WatchedVault.StartAsync(), await WatchedAzure.StartAsync());
        _broker = await WatchedBroker.StartAsync(database, null, _search, _targets.Vault, _targets.Azure);
        _search.Add("the AppRole's secret id", _targets.Vault.SecretId);
        _search.Add("the client secret", _targets.Azure.ClientSecret);
        using var root = Root();
        foreach (var type in RogueTarget.All.Select(rogue => rogue.Type).Distinct())
        {
            await root.Providers.CreateProviderAsync(new() { ProviderId = _targets.ProviderOf(type), Provider = new Provider { Type = type, Config = _targets.ConfigurationOf(type) } });
            Assert.That((await root.Providers.CheckProviderAsync(new() { Name = NameOf(type) })).Healthy, type);
        }
    }

    [OneTimeTearDown]
    public async Task StopBroker()
    {
        if (_broker is not null) await _broker.DisposeAsync();
        if (_targets is not null) await _targets.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    [Test]
    public void Every_type_that_sends_a_secret_has_a_case()
    {
        // What the server is composed of, whoever adds to it.
        var types = typeof(CommandLine).Assembly.GetReferencedAssemblies()
            .Where(name => name.Name!.StartsWith("CredBroker.Providers.", StringComparison.Ordinal))
            .SelectMany(name => Assembly.Load(name).GetExportedTypes())
            .Where(type => typeof(IProviderType).IsAssignableFrom(type) && !type.IsAbstract)
            .ToList();
        Assert.That(types, Has.Count.EqualTo(5));
        var sending = types.Where(SendsASecret).Select(type => ((IProviderType)Activator.CreateInstance(type)!).Name);
        Assert.That(sending, Is.EquivalentTo(RogueTarget.All.Select(rogue => rogue.Type).Distinct()));
    }

    [TestCaseSource(nameof(Rogues))]
    public async Task A_secret_goes_to_no_other_host_under_any_name(object rogue)
    {
        var attack = (RogueTarget)rogue;
        await using var listener = new RecordingListener(attack.AnswerAsync);
        using var root = Root();
        // It is the same machine by another name; what counts is the name that the operator declared.
        var right = _targets.ConfigurationOf(attack.Type);
        var config = attack.Point(right, "localhost", listener.Port);
        var repointed = await RefusedAsync(UpdateAsync(root, attack.Type, config));
        var another = await RefusedAsync(root.Providers.CreateProviderAsync(new() { ProviderId = "another", Provider = new Provider { Type = attack.Type, Config = config } }).ResponseAsync);
        var anothersName = await RefusedAsync(root.Providers.CreateProviderAsync(new() { ProviderId = "another", Provider = new Provider { Type = attack.Type, Config = right } }).ResponseAsync);
        await root.Providers.CheckProviderAsync(new() { Name = NameOf(attack.Type) });

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
        var config = attack.Point(_targets.ConfigurationOf(attack.Type), "127.0.0.1", listener.Port);
        await TellAsync("update", UpdateAsync(root, attack.Type, config));
        await TellAsync("check", root.Providers.CheckProviderAsync(new() { Name = NameOf(attack.Type) }).ResponseAsync);
        try
        {
            Assert.That(listener.Connections, attack.IsSpokenWith ? Is.Positive : Is.Zero, "the attack reached the attacker's server");
            Assert.That(listener.Caught.SelectMany(message => _search.FindIn("what was caught", message)), Is.Empty);
            Assert.That(await attack.WorksAsync(_targets, listener.Caught), Is.False);
            AssertNothingTold();
        }
        finally
        {
            await TellAsync("back", UpdateAsync(root, attack.Type, _targets.ConfigurationOf(attack.Type)));
        }
    }

    /// <summary>A search that finds nothing because it looks wrongly would pass: here the right secret is among what was caught.</summary>
    [TestCaseSource(nameof(Rogues))]
    public async Task The_right_secret_would_be_noticed(object rogue)
    {
        var attack = (RogueTarget)rogue;
        await using var listener = new RecordingListener(attack.AnswerAsync);
        await attack.TellAsync(_targets, listener);
        Assert.That(await attack.WorksAsync(_targets, listener.Caught));
        Assert.That(listener.Caught.SelectMany(message => _search.FindIn("what was caught", message)), Is.Not.Empty);
    }

    // Who overrides it has secrets to send: nothing else can be resolved.
    private static bool SendsASecret(System.Type type) => type.GetMethods(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
        .Any(method => method.Name == nameof(IProviderType.SecretsOf) && method.DeclaringType == type);

    private string NameOf(string type) => $"providers/{_targets.ProviderOf(type)}";

    private Task<Provider> UpdateAsync(BrokerClient root, string type, Struct config) =>
        root.Providers.UpdateProviderAsync(new() { Provider = new Provider { Name = NameOf(type), Config = config }, UpdateMask = new() { Paths = { "config" } } }).ResponseAsync;

    private BrokerClient Root() => _broker.Connect(_broker.Identity.Mint("root", Installation.OperatorAudience));

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

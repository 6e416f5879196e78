using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Registry;
using CredBroker.Testing.Scripted;
using CredBroker.TestSupport.Harness;
using Microsoft.Extensions.DependencyInjection;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>A configured secret goes to the provider and the host that the operator declared, and to nobody who comes by their name.</summary>
public sealed class SecretBindingTests
{
    private string _folder = "";
    private BrokerHarness _broker = null!;

    private static CancellationToken None => CancellationToken.None;

    [SetUp]
    public async Task StartBroker()
    {
        _folder = Directory.CreateTempSubdirectory("credbroker-secrets-").FullName;
        _broker = await StoreHarness.SqliteAsync(Path.Combine(_folder, "broker.db"), more: services => services.AddSingleton<ISecretSources, ForOneProvider>());
    }

    [TearDown]
    public async Task StopBroker()
    {
        await _broker.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task A_secret_is_refused_to_another_provider_and_towards_another_host()
    {
        Ok(await CreateAsync("vault", With("one"), new ChangeOptions()));
        Assert.That(Refused(await CreateAsync("mine", With("one"), new ChangeOptions())).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
        Assert.That(Refused(await UpdateAsync("vault", With("two"))).Reason, Is.EqualTo(Reasons.ConfigurationInvalid), "its host was changed");
        Assert.That(Refused(await UpdateAsync("db", With("one"))).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
        Ok(await UpdateAsync("vault", With("one")));
    }

    [Test]
    public async Task A_reused_name_does_not_get_the_secrets_of_the_one_before_not_in_two_steps_either()
    {
        Ok(await CreateAsync("vault", With("one"), new ChangeOptions()));
        Ok(await _broker.Get<RegistryService>().DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "vault", null, new ChangeOptions(), None));
        var reuse = new ChangeOptions { ReuseName = true };
        Assert.That(Refused(await CreateAsync("vault", With("one"), reuse)).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
        Ok(await CreateAsync("vault", ScriptedProviderType.Configure("one"), reuse));
        Assert.That(Refused(await UpdateAsync("vault", With("one"))).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
    }

    private static JsonElement With(string target) =>
        Document<ScriptedConfiguration>.Write(new() { Target = target, Secret = new SecretRef("vault-password") });

    private Task<Result<Registered<ProviderSpec>>> CreateAsync(string name, JsonElement config, ChangeOptions options) =>
        _broker.Get<RegistryService>().CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, name, null, new ProviderSpec { Type = "scripted", Config = config }, options, None);

    private Task<Result<Registered<ProviderSpec>>> UpdateAsync(string name, JsonElement config) =>
        _broker.Get<RegistryService>().UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, name, null, new ProviderSpec { Type = "scripted", Config = config }, new ChangeOptions(), None);

    private sealed class ForOneProvider : ISecretSources
    {
        public string? Refusal(string source, SecretConsumer consumer) =>
            (source, consumer.Kind, consumer.Name, consumer.Host) == ("vault-password", "provider", "vault", "one.scripted") ? null : "There is no such secret source.";

        public ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken) => new(new Secret("not asked for"));
    }
}

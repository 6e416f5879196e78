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
        await DeleteAsync("vault");
        var asked = _broker.Target.Calls.Count(ScriptedOperation.Check);
        var reuse = new ChangeOptions { ReuseName = true };
        foreach (var options in new[] { reuse, reuse with { ValidateOnly = true } })
            Assert.That(Refused(await CreateAsync("vault", With("one"), options)).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
        Assert.That(_broker.Target.Calls.Count(ScriptedOperation.Check), Is.EqualTo(asked), "its target was not even asked who it is");
        Ok(await CreateAsync("vault", ScriptedProviderType.Configure("one"), reuse));
        Assert.That(Refused(await UpdateAsync("vault", With("one"))).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
        Assert.That(Refused(await UpdateAsync("vault", With("two"))).Reason, Is.EqualTo(Reasons.ConfigurationInvalid), "the operator declared that host for another source");
    }

    [Test]
    public async Task A_provider_whose_name_was_used_before_keeps_and_changes_what_is_its_own()
    {
        Ok(await CreateAsync("vault", With("one"), new ChangeOptions()));
        await DeleteAsync("vault");
        Ok(await CreateAsync("vault", With("one", "second-password"), new ChangeOptions { ReuseName = true }));
        Ok(await UpdateAsync("vault", With("one", "second-password", lists: false)));
        Ok(await UpdateAsync("vault", ScriptedProviderType.Configure("one")));
        Ok(await UpdateAsync("vault", With("one", "second-password")));
        Assert.That(Refused(await UpdateAsync("vault", With("one"))).Reason, Is.EqualTo(Reasons.ConfigurationInvalid), "the first one's stays the first one's");
    }

    [Test]
    public async Task What_a_provider_gave_up_before_it_was_deleted_is_still_its_own()
    {
        Ok(await CreateAsync("vault", With("one"), new ChangeOptions()));
        Ok(await UpdateAsync("vault", ScriptedProviderType.Configure("one")));
        await DeleteAsync("vault");
        Assert.That(Refused(await CreateAsync("vault", With("one"), new ChangeOptions { ReuseName = true })).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
    }

    [Test]
    public async Task Another_address_is_another_binding()
    {
        Ok(await CreateAsync("vault", With("two", "second-password"), new ChangeOptions()));
        Ok(await UpdateAsync("vault", With("one", "second-password")));
        Ok(await UpdateAsync("vault", With("two", "second-password")));
        await DeleteAsync("vault");
        var reuse = new ChangeOptions { ReuseName = true };
        foreach (var target in new[] { "one", "two", "ONE" })
            Assert.That(Refused(await CreateAsync("vault", With(target, "second-password"), reuse)).Reason, Is.EqualTo(Reasons.ConfigurationInvalid), $"{target}: both were the first one's, however they are written");
    }

    [Test]
    public async Task A_hook_of_a_deleted_ones_name_does_not_get_its_key()
    {
        var hook = new HookSpec { IdentitySources = ["ci"], Secret = "hook-key" };
        var registry = _broker.Get<RegistryService>();
        Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "deploys", null, hook, new ChangeOptions(), None));
        Ok(await registry.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "deploys", null, hook with { Owner = "somebody" }, new ChangeOptions(), None));
        Ok(await registry.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "deploys", null, new ChangeOptions(), None));
        var reuse = new ChangeOptions { ReuseName = true };
        Assert.That(Refused(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "deploys", null, hook, reuse, None)).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
        Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "deploys", null, hook with { Secret = "", PublicKeys = ["whpk_" + Convert.ToBase64String(new byte[32])] }, reuse, None));
        Assert.That(Refused(await registry.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "deploys", null, hook, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.ConfigurationInvalid));
    }

    private static JsonElement With(string target, string source = "vault-password", bool lists = true) =>
        Document<ScriptedConfiguration>.Write(new() { Target = target, Lists = lists, Secret = new SecretRef(source) });

    private async Task DeleteAsync(string name) =>
        Ok(await _broker.Get<RegistryService>().DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, name, null, new ChangeOptions(), None));

    private Task<Result<Registered<ProviderSpec>>> CreateAsync(string name, JsonElement config, ChangeOptions options) =>
        _broker.Get<RegistryService>().CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, name, null, new ProviderSpec { Type = "scripted", Config = config }, options, None);

    private Task<Result<Registered<ProviderSpec>>> UpdateAsync(string name, JsonElement config) =>
        _broker.Get<RegistryService>().UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, name, null, new ProviderSpec { Type = "scripted", Config = config }, new ChangeOptions(), None);

    /// <summary>As the operator's file would declare them: hosts are compared without regard to case.</summary>
    private sealed class ForOneProvider : ISecretSources
    {
        private static readonly HashSet<(string, string, string, string)> Declared =
        [
            ("vault-password", "provider", "vault", "one.scripted"),
            ("second-password", "provider", "vault", "one.scripted"),
            ("second-password", "provider", "vault", "two.scripted"),
            ("hook-key", "hook", "deploys", ""),
        ];

        public string? Refusal(string source, SecretConsumer consumer) =>
            Declared.Contains((source, consumer.Kind, consumer.Name, consumer.Host.ToLowerInvariant())) ? null : "There is no such secret source.";

        public ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken) => new(new Secret("not asked for"));
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests;

/// <summary>A Vault whose certificate is from an authority that no system trusts.</summary>
internal sealed class PrivateAuthorityTests
{
    [Test]
    public async Task A_server_is_believed_if_an_authority_of_the_configuration_certified_it_and_otherwise_told_nothing()
    {
        await using var target = await Target.CreateAsync(tls: true);
        using var other = new TestAuthority();
        foreach (var (pem, believed) in new (string?, bool)[] { (target.Host.AuthorityPem, true), (other.Pem, false), ("no certificate", false), (null, false) })
        {
            var configuration = JsonObject.Create(target.Configuration)!;
            if (pem is not null) configuration["rootCertificate"] = new JsonObject { ["source"] = "vault-ca" };
            var document = configuration.Deserialize<JsonElement>();
            Assert.That(target.Type.Validate(document), Is.Empty);
            Assert.That(target.Type.SecretsOf(document).Select(use => (use.Reference.Source, use.Host)), Is.EquivalentTo(pem is null ? new[] { (Target.SecretSource, "127.0.0.1") } : [(Target.SecretSource, "127.0.0.1"), ("vault-ca", "127.0.0.1")]));
            // As the server has it: what is trusted without the configuration's word is what the system trusts.
            var context = TestContexts.Create(target.Clock.Broker, new Dictionary<string, string> { [Target.SecretSource] = target.Login.SecretId, ["vault-ca"] = pem ?? "" });
            await using var provider = target.Type.Create(context, document);
            var before = target.Host.Log.Count;
            if (believed)
            {
                Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
                continue;
            }

            var failure = await Failure.OfAsync(() => provider.CheckAsync(CancellationToken.None));
            Assert.That(failure.Effect, Is.EqualTo(ProviderEffect.None));
            Assert.That(target.Host.Log.Count, Is.EqualTo(before), "no request was sent, and with it no secret");
        }
    }
}

using CredBroker.Abstractions;
using CredBroker.Core.Registry;
using CredBroker.Server.Configuration;
using CredBroker.Server.Secrets;
using CredBroker.Server.Tests.Configuration;

namespace CredBroker.Server.Tests.Hosting;

/// <summary>A secret goes to whom the operator named, and nowhere else.</summary>
internal sealed class SecretSourcesTests
{
    private static readonly SecretConsumer Vault = new("provider", "vault", "vault.example.com");

    [Test]
    public async Task Is_handed_to_its_consumer_and_read_anew()
    {
        using var folder = new TemporaryFolder();
        var sources = Sources(folder.Write("secret", "first\n"));
        Assert.That((await sources.ReadAsync("role", Vault, default)).Reveal(), Is.EqualTo("first"));
        folder.Write("secret", "second");
        Assert.That((await sources.ReadAsync("role", Vault, default)).Reveal(), Is.EqualTo("second"));
    }

    [TestCase("role", "provider", "vault", "attacker.example.com")]
    [TestCase("role", "provider", "vault", "vault.example.com.attacker.example.com")]
    [TestCase("role", "provider", "other", "vault.example.com")]
    [TestCase("role", "hook", "vault", "")]
    [TestCase("no-such", "provider", "vault", "vault.example.com")]
    [TestCase("../../etc/passwd", "provider", "vault", "vault.example.com")]
    public async Task Is_refused_to_everybody_else_alike(string source, string kind, string name, string host)
    {
        using var folder = new TemporaryFolder();
        var sources = Sources(folder.Write("secret", "first"));
        var consumer = new SecretConsumer(kind, name, host);
        Assert.That(sources.Refusal(source, consumer), Does.StartWith("There is no secret source"));
        await Assert.ThrowsAsync<ProviderException>(() => sources.ReadAsync(source, consumer, default).AsTask());
    }

    [Test]
    public void A_host_has_no_case() =>
        Assert.That(Sources("unused").Refusal("role", Vault with { Host = "VAULT.example.com." }), Is.Null);

    [Test]
    public async Task A_file_that_others_can_read_is_refused_without_its_content()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has no such modes.");
        using var folder = new TemporaryFolder();
        var sources = Sources(folder.Write("secret", "very secret", UnixFileMode.UserRead | UnixFileMode.OtherRead));
        var refused = await Assert.ThrowsAsync<ProviderException>(() => sources.ReadAsync("role", Vault, default).AsTask());
        Assert.That(refused!.ToString(), Does.Contain("others").And.Not.Contain("very secret"));
    }

    private static SecretSources Sources(string file) => new(
        [new SecretSourceConfiguration { Name = "role", File = file, Consumers = [new SecretConsumerConfiguration { Provider = "vault", Host = "vault.example.com" }] }], _ => null);
}

using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Abstractions;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;
using CredBroker.Providers.AwsSts;
using CredBroker.Providers.Azure;
using CredBroker.Providers.PostgreSql;
using CredBroker.Providers.Token;
using CredBroker.Providers.Vault;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Server.Tests.Configuration;

/// <summary>What people copy from a provider's page can be registered, and its sample asks for a role that the page registers.</summary>
internal sealed class ProviderPageTests
{
    private static readonly IReadOnlyList<IProviderType> Types = [new TokenProviderType(), new PostgreSqlProviderType(), new VaultProviderType(), new AzureProviderType(), new AwsStsProviderType()];

    private static IEnumerable<string> Pages => Types.Select(type => type.Name);

    [TestCaseSource(nameof(Pages))]
    public void What_a_page_registers_is_valid_and_its_sample_can_ask_for_it(string page)
    {
        var text = File.ReadAllText(Path.Combine(Root, "docs", "providers", $"{page}.md"));
        var manifests = Regex.Matches(text, "^```yaml\n(kind: .*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)
            .Select(block => ManifestReader.Read(block.Groups[1].Value, $"{page}.md")).ToList();
        Assert.That(manifests.SelectMany(set => set.Errors).Select(error => error.ToString()), Is.Empty);
        var resources = manifests.SelectMany(set => set.Manifests).Select(manifest => manifest.Resource).ToList();
        var type = Types.Single(candidate => candidate.Name == page);
        Assert.That(resources.OfType<Provider>().Select(provider => provider.Type), Is.Not.Empty.And.All.EqualTo(page));
        foreach (var provider in resources.OfType<Provider>()) Assert.That(type.Validate(JsonOf(provider.Config)), Is.Empty, provider.Name);

        var roles = resources.OfType<Role>().ToList();
        Assert.That(roles, Is.Not.Empty);
        foreach (var role in roles)
        {
            Assert.That(role.Name, Does.StartWith($"{resources.OfType<Provider>().First().Name}/roles/"));
            Assert.That(type.RoleKinds.Single(kind => kind.Name == role.Kind).Validate(JsonOf(role.Template)), Is.Empty, role.Name);
            var used = Regex.Matches(role.Template.ToString(), @"\{\{([a-z][a-zA-Z0-9_]*)\}\}").Select(match => match.Groups[1].Value).Distinct();
            Assert.That(role.Parameters.Select(parameter => parameter.Name), Is.EquivalentTo(used), role.Name);
        }

        // A sample gives no parameters.
        foreach (Match asked in Regex.Matches(text, @"CREDBROKER_ROLE=(\S+)"))
            Assert.That(roles.Where(role => role.Parameters.All(parameter => !parameter.Required)).Select(role => role.Name), Does.Contain(asked.Groups[1].Value));
    }

    private static string Root
    {
        get
        {
            var folder = TestContext.CurrentContext.TestDirectory;
            while (!File.Exists(Path.Combine(folder, "CredBroker.sln"))) folder = Path.GetDirectoryName(folder)!;
            return folder;
        }
    }

    private static JsonElement JsonOf(Struct? document) => JsonElement.Parse((document ?? new Struct()).ToString());
}

using CredBroker.Server.Configuration;

namespace CredBroker.Server.Tests.Configuration;

/// <summary>A server that would be unsafe does not start.</summary>
internal sealed class ConfigurationSafetyTests
{
    private const string Key = "cWxmbpb3wqmrYxDDkPo5Vyh5xjGx9bhcFZHhd8vPb0I=";
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private TemporaryFolder _folder;
    private Dictionary<string, string> _environment;

    [SetUp]
    public void MakeFolder()
    {
        _folder = new TemporaryFolder();
        _environment = [];
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Demands_a_wrapping_key() => Refuses(Text(key: null), "installation.wrappingKeyFile", "wrapping key is required");

    [Test]
    public void Makes_a_key_for_development_on_loopback_that_nobody_else_can_read()
    {
        var file = _folder.Write("credbroker.yaml", Text(key: null, environment: "development"));
        var reader = new ConfigurationReader(_environment);
        Assert.That(reader.Read(file, create: false), Is.InstanceOf<ConfigurationResult.Valid>());
        var made = Path.Combine(_folder.Path, "credbroker.db.key");
        Assert.That(File.Exists(made), Is.False, "checking changes nothing");
        var first = (ConfigurationResult.Valid)reader.Read(file, create: true);
        var second = (ConfigurationResult.Valid)reader.Read(file, create: true);
        Assert.That(second.Installation.WrappingKey, Is.EqualTo(first.Installation.WrappingKey));
        if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(made), Is.EqualTo(Mine));
    }

    [Test]
    public void Makes_no_key_for_development_where_others_can_reach_it() => Refuses(
        Text(key: null, environment: "development", listen: "http: 0.0.0.0:8420\n  behindTlsProxy: {trustedProxies: [10.0.0.1]}"),
        "installation.wrappingKeyFile", "wrapping key is required");

    [TestCase(Mine | UnixFileMode.GroupRead)]
    [TestCase(Mine | UnixFileMode.OtherRead)]
    [TestCase(Mine | UnixFileMode.OtherWrite)]
    public void Refuses_a_key_file_that_others_can_use(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has no such modes.");
        _folder.Write("loose.key", Key, mode);
        Refuses(Text(key: "wrappingKeyFile: loose.key"), "installation.wrappingKeyFile", "others");
    }

    [TestCase("")]
    [TestCase("c2hvcnQ=")]
    [TestCase("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [TestCase("not base64 at all, but 44 characters long ok")]
    public void Refuses_what_is_no_key_and_does_not_show_it(string content)
    {
        _folder.Write("bad.key", content);
        var error = Refuses(Text(key: "wrappingKeyFile: bad.key"), "installation.wrappingKeyFile", "32 random bytes");
        if (content.Length > 0) Assert.That(error.ToString(), Does.Not.Contain(content));
    }

    [Test]
    public void Takes_the_key_from_a_variable()
    {
        _environment["BROKER_KEY"] = Key;
        Accepts(Text(key: "wrappingKeyEnv: BROKER_KEY"));
        Refuses(Text(key: "wrappingKeyEnv: OTHER_KEY"), "installation.wrappingKeyEnv", "not set");
    }

    [TestCase("http: 0.0.0.0:8420")]
    [TestCase("http: 192.0.2.1:8420")]
    [TestCase("grpc: \"[::]:8421\"")]
    public void Demands_tls_off_loopback(string listen) =>
        Assert.That(Errors(Text(listen: listen)).Single().Message, Does.Contain("TLS is required"));

    [TestCase("[0.0.0.0/0]", "listen.behindTlsProxy.trustedProxies[0]")]
    [TestCase("[\"::/0\"]", "listen.behindTlsProxy.trustedProxies[0]")]
    [TestCase("[proxy.example.com]", "listen.behindTlsProxy.trustedProxies[0]")]
    [TestCase("[]", "listen.behindTlsProxy.trustedProxies")]
    public void A_proxy_is_named_by_its_address_and_is_not_everybody(string proxies, string path) =>
        Assert.That(Errors(Text(listen: $"http: 0.0.0.0:8420\n  behindTlsProxy: {{trustedProxies: {proxies}}}")).Single().Path, Is.EqualTo(path));

    [TestCase("http://broker.example.com")]
    [TestCase("https://broker.example.com/")]
    [TestCase("https://user@broker.example.com")]
    [TestCase("broker.example.com")]
    [TestCase("\"\"")]
    public void Demands_a_plain_public_url(string url) =>
        Assert.That(Errors(Text().Replace("https://broker.example.com", url, StringComparison.Ordinal)).Single().Path, Is.EqualTo("installation.publicUrl"));

    [Test]
    public void Two_ports_must_differ() => Refuses(Text(listen: "http: 127.0.0.1:8420\n  grpc: 127.0.0.1:8420"), "listen.grpc", "taken by listen.http");

    [Test]
    public void A_secret_source_names_its_consumers_and_one_place()
    {
        _folder.Write("hmac", "secret value\n");
        _environment["ROLE_SECRET"] = "other value";
        Accepts(Text() + """

            secretSources:
              - {name: ci-hook, file: hmac, consumers: [{hook: ci}]}
              - {name: vault-role, env: ROLE_SECRET, consumers: [{provider: vault, host: vault.example.com}, {provider: local, host: "127.0.0.1:8200"}, {provider: local, host: "[::1]:8200"}]}
            """);
        var errors = Errors(Text() + """

            secretSources:
              - {name: one, file: hmac}
              - {name: one, file: hmac, env: ROLE_SECRET, consumers: [{hook: ci}]}
              - {name: two, env: NOT_SET, consumers: [{provider: vault}, {provider: a, hook: b}, {hook: ci, host: x.example.com}]}
              - {name: three, file: absent, consumers: [{hook: ci}]}
            """);
        Assert.That(errors.Select(error => error.Path), Is.EquivalentTo(new[]
        {
            "secretSources[0].consumers", "secretSources[1].name", "secretSources[1]", "secretSources[2].env", "secretSources[2].consumers[0].host",
            "secretSources[2].consumers[1]", "secretSources[2].consumers[2].host", "secretSources[3].file",
        }));
        Assert.That(errors.Select(error => error.ToString()), Has.None.Contains("secret value").And.None.Contains("other value"));
    }

    [Test]
    public void Only_a_source_of_the_operators_can_be_roots() =>
        Refuses(Text().Replace("identitySource: staff", "identitySource: ci", StringComparison.Ordinal), "operator.root.identitySource", "no other may administer");

    [Test]
    public void The_operators_sources_obey_the_rules_of_all_sources()
    {
        var errors = Errors(Text().Replace("\n        issuer: https://login.example.com", " {issuer: https://login.example.com, algorithms: [HS256, none], audiences: []}", StringComparison.Ordinal));
        Assert.That(errors.Select(error => error.Path), Is.SupersetOf(new[]
        {
            "operator.identitySources[0].oidc.algorithms[0]", "operator.identitySources[0].oidc.algorithms[1]", "operator.identitySources[0].oidc.audiences",
        }));
    }

    [Test]
    public void Two_databases_are_one_too_many() => Refuses(
        Text() + "\nstorage:\n  sqlite: {path: a.db}\n  postgresql: {host: /run/postgresql, database: broker, username: broker}\n", "storage.postgresql", "one database");

    private string Text(string? key = "wrappingKeyFile: wrapping.key", string environment = "production", string listen = "http: 127.0.0.1:8420")
    {
        _folder.Write("wrapping.key", Key);
        return $$"""
            installation:
              id: a1b2c3
              publicUrl: https://broker.example.com
              environment: {{environment}}
              {{key}}
            listen:
              {{listen}}
            operator:
              identitySources:
                - name: staff
                  oidc:
                    issuer: https://login.example.com
              root: {identitySource: staff, subject: alice}
            """;
    }

    private void Accepts(string text) => Assert.That(Errors(text), Is.Empty);

    private ConfigurationError Refuses(string text, string path, string message)
    {
        var error = Errors(text).Single();
        Assert.That(error.Path, Is.EqualTo(path));
        Assert.That(error.Message, Does.Contain(message));
        return error;
    }

    private IReadOnlyList<ConfigurationError> Errors(string text) =>
        new ConfigurationReader(_environment).Read(_folder.Write("credbroker.yaml", text), create: false) is ConfigurationResult.Invalid invalid ? invalid.Errors : [];
}

using CredBroker.Core;
using CredBroker.Server.Configuration;

namespace CredBroker.Server.Tests.Configuration;

/// <summary>What the operator's file and the environment come to.</summary>
internal sealed class ConfigurationReaderTests
{
    private const string Key = "cWxmbpb3wqmrYxDDkPo5Vyh5xjGx9bhcFZHhd8vPb0I=";
    private TemporaryFolder _folder;
    private Dictionary<string, string> _environment;

    private static string Good => """
        installation:
          id: a1b2c3
          publicUrl: https://broker.example.com
          wrappingKeyFile: wrapping.key
        listen:
          http: 127.0.0.1:8420
        operator:
          identitySources:
            - name: staff
              people: true
              oidc:
                issuer: https://login.example.com
          root:
            identitySource: staff
            subject: alice
        """;

    [SetUp]
    public void MakeFolder()
    {
        _folder = new TemporaryFolder();
        _environment = [];
        _folder.Write("wrapping.key", Key + "\n");
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Reads_what_is_right_and_fills_in_the_rest()
    {
        var valid = Valid(Good);
        Assert.That(valid.Configuration.Storage.Sqlite!.Path, Is.EqualTo(Path.Combine(_folder.Path, "credbroker.db")));
        Assert.That(valid.Configuration.Listen.Plain, Is.EqualTo(((string?)"127.0.0.1:8420", (string?)null)));
        Assert.That(valid.Configuration.Limits, Is.EqualTo(new BrokerLimits()));
        Assert.That(Convert.ToBase64String(valid.Installation.WrappingKey), Is.EqualTo(Key));
        Assert.That(valid.Configuration.Operator.IdentitySources[0].Spec.People, Is.True);
    }

    [Test]
    public void Environment_variables_win_over_the_file()
    {
        _environment["CREDBROKER__INSTALLATION__PUBLIC_URL"] = "https://other.example.com";
        _environment["CREDBROKER__LIMITS__ISSUE_DEADLINE"] = "20s";
        _environment["CREDBROKER__EGRESS__ALLOW__0"] = "10.0.0.0/8";
        _environment["CREDBROKER__EGRESS__ALLOW__1"] = "db.example.com";
        _environment["CREDBROKER__LOGGING__FORMAT"] = "json";
        _environment["CREDBROKER_TEST_POSTGRES"] = "not ours: one underscore";
        var configuration = Valid(Good).Configuration;
        Assert.That(configuration.Installation.PublicUrl, Is.EqualTo("https://other.example.com"));
        Assert.That(configuration.Limits.IssueDeadline, Is.EqualTo(TimeSpan.FromSeconds(20)));
        Assert.That(configuration.Egress.Allow, Is.EqualTo(new[] { "10.0.0.0/8", "db.example.com" }));
        Assert.That(configuration.Logging.Format, Is.EqualTo(LogFormat.Json));
    }

    [TestCase("CREDBROKER__INSTALATION__ID", "INSTALLATION")]
    [TestCase("CREDBROKER__INSTALLATION__PUBLICURL", "PUBLIC_URL")]
    [TestCase("CREDBROKER__INSTALLATION", "section")]
    [TestCase("CREDBROKER__EGRESS__ALLOW__5", "__0")]
    [TestCase("CREDBROKER__EGRESS__ALLOW", "__0")]
    [TestCase("CREDBROKER__INSTALLATION__ID__X", "nothing is below")]
    [TestCase("CREDBROKER__", "There is no")]
    public void Refuses_a_variable_that_names_nothing(string name, string hint)
    {
        _environment[name] = "value";
        var error = Errors(Good).Single();
        Assert.That(error.Origin, Is.EqualTo(name));
        Assert.That(error.Message, Does.Contain(hint));
    }

    [Test]
    public void Says_everything_at_once_with_the_line_of_each()
    {
        var errors = Errors("""
            installation:
              id: TOOLONGANDUPPER
              public_url: https://broker.example.com
              wrappingKeyFile: wrapping.key
            listen:
              http: 0.0.0.0:8420
              grpc: localhost:8421
            limits:
              issueDeadline: soon
              treeDepth: many
            operater: {}
            operator:
              root:
                identitySource: nobody
                subject: alice
            egress:
              allow: 10.0.0.1/8
            """);
        Assert.That(errors.Select(error => (error.Origin.Split(':')[^1], error.Path)), Is.EquivalentTo(new[]
        {
            ("2", "installation.id"), ("3", "installation.public_url"), ("6", "listen.http"), ("7", "listen.grpc"), ("9", "limits.issueDeadline"),
            ("10", "limits.treeDepth"), ("11", "operater"), ("14", "operator.root.identitySource"), ("17", "egress.allow"),
        }));
        Assert.That(errors.Single(error => error.Path == "installation.public_url").Message, Does.Contain("Did you mean publicUrl?"));
        Assert.That(errors.Single(error => error.Path == "operater").Message, Does.Contain("Did you mean operator?"));
    }

    [TestCase("a: 1\na: 2\n", "twice")]
    [TestCase("installation: &x {id: a1b2c3}\noperator: *x\n", "Aliases")]
    [TestCase("installation: !!map {id: a1b2c3}\n", "Tags")]
    [TestCase("installation: !Secret x\n", "Tags")]
    [TestCase("{[a, b]: c}\n", "plain word")]
    [TestCase("a: [b\n", "not YAML")]
    [TestCase("a: b\n---\nc: d\n", "one document")]
    [TestCase("- a\n- b\n", "keys and values")]
    [TestCase("installation:\n", "no value")]
    [TestCase("<<: {a: b}\n", "no such key")]
    public void Refuses_the_surprises_of_yaml(string text, string message) =>
        Assert.That(Errors(text).Select(error => error.Message), Has.Some.Contains(message));

    [Test]
    public void Refuses_deep_nesting_without_overflowing() =>
        Assert.That(Errors("a: " + new string('[', 5000)).Select(error => error.Message), Has.Some.Contains("Nested deeper"));

    [Test]
    public void Shows_control_and_direction_characters_of_a_key_as_escapes()
    {
        var shown = Errors(Good + "\n\"evil\\u001b[2J\\u202E\": 1\n").Single().ToString();
        Assert.That(shown, Does.Not.Contain("\u001b").And.Not.Contain("\u202e"));
        Assert.That(shown, Does.Contain("\\u001b"));
    }

    [Test]
    public void An_absent_file_is_an_error_when_it_was_named()
    {
        var result = new ConfigurationReader(_environment).Read(Path.Combine(_folder.Path, "none.yaml"), create: false);
        Assert.That(((ConfigurationResult.Invalid)result).Errors.Single().Message, Does.Contain("no such file"));
    }

    [Test]
    public void The_same_text_has_the_same_hash_and_another_has_another()
    {
        var first = Valid(Good).FileHash;
        Assert.That(Valid(Good).FileHash, Is.EqualTo(first));
        Assert.That(Valid(Good + "\n").FileHash, Is.Not.EqualTo(first));
    }

    private ConfigurationResult.Valid Valid(string text)
    {
        var result = Read(text);
        Assert.That((result as ConfigurationResult.Invalid)?.Errors ?? [], Is.Empty);
        return (ConfigurationResult.Valid)result;
    }

    private IReadOnlyList<ConfigurationError> Errors(string text) => ((ConfigurationResult.Invalid)Read(text)).Errors;

    private ConfigurationResult Read(string text) => new ConfigurationReader(_environment).Read(_folder.Write("credbroker.yaml", text), create: false);
}

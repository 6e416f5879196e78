using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Login;
using CredBroker.Providers.AwsSts.Tests.StandIn;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>
/// Every way by which the broker's process is given credentials, as an operator does it: real variables of this process, real files, a real program. Not beside other tests, since the variables are
/// the whole process's.
/// </summary>
[NonParallelizable]
public sealed class OperatorCredentialsTests
{
    private static readonly string[] Variables =
    [
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", AmbientSettings.AllowVariable,
    ];

    private readonly Dictionary<string, string?> _before = [];
    private Target _target = null!;
    private AwsUser _user = null!;
    private string _folder = "";

    [SetUp]
    public async Task SetUp()
    {
        foreach (var name in Variables) _before[name] = Environment.GetEnvironmentVariable(name);
        foreach (var name in Variables) Environment.SetEnvironmentVariable(name, null);
        _folder = SharedConfiguration.Folder;
        Environment.SetEnvironmentVariable(AmbientSettings.AllowVariable, "under-test");
        _target = await Target.CreateAsync();
        // The SDK takes what a program prints for expired by the wall's clock.
        _target.Clock.SetUtcNow(TimeProvider.System.GetUtcNow());
        _user = _target.Aws.AddUser("broker", SetUpTexts.BrokerPolicy(_target.Aws.Account));
        _target.Aws.Change(Target.Reader, role => role.Trust = SetUpTexts.Trust(_user.Arn, _target.Context.InstallationId));
        _target.Clock.Advance(TimeSpan.FromSeconds(10));
    }

    [TearDown]
    public async Task TearDown()
    {
        foreach (var (name, value) in _before) Environment.SetEnvironmentVariable(name, value);
        await _target.DisposeAsync();
        foreach (var file in Directory.EnumerateFiles(_folder)) File.Delete(file);
    }

    [Test]
    public async Task Keys_in_the_environment()
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", _user.AccessKeyId);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", _user.Secret);
        // What the environment has goes before a profile.
        Write("credentials", "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wrong\n");
        await AssertIssuesAsync("defaultChain");
    }

    [Test]
    public async Task The_default_profile()
    {
        Write("credentials", $"[default]\naws_access_key_id = {_user.AccessKeyId}\naws_secret_access_key = {_user.Secret}\n");
        await AssertIssuesAsync("defaultChain");
    }

    [Test]
    public async Task A_profile_by_name()
    {
        Write("credentials", $"[broker]\naws_access_key_id = {_user.AccessKeyId}\naws_secret_access_key = {_user.Secret}\n");
        await AssertIssuesAsync("profile");
        Environment.SetEnvironmentVariable("AWS_PROFILE", "broker");
        await AssertIssuesAsync("defaultChain");
    }

    [Test]
    public async Task A_token_file()
    {
        var file = Write("token", (await _target.Context.Identity.MintAssertionAsync(CancellationToken.None)).Reveal() + "\n");
        Environment.SetEnvironmentVariable("AWS_WEB_IDENTITY_TOKEN_FILE", file);
        Environment.SetEnvironmentVariable("AWS_ROLE_ARN", _target.BrokerArn);
        TrustBroker();
        await AssertIssuesAsync("defaultChain");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "The program is a shell script.")]
    public async Task A_program_is_asked_again_before_its_session_ends()
    {
        TrustBroker();
        var counter = Path.Combine(_folder, "asked");
        var answer = Write("answer.json", SessionJson(out var first));
        Write("credentials", $"[broker]\ncredential_process = /bin/sh {Write("program.sh", $"echo asked >> {counter}\ncat {answer}\n")}\n");
        await using var provider = Connect("profile");
        await IssueAsync(provider);
        await IssueAsync(provider);
        Assert.That(await File.ReadAllLinesAsync(counter), Has.Length.EqualTo(1), "a session is kept");
        Assert.That(_target.Host.Log.All.Last().Header("Authorization"), Does.Contain(first.AccessKeyId));

        _target.Clock.Advance(TimeSpan.FromMinutes(56));
        Write("answer.json", SessionJson(out var second));
        await IssueAsync(provider);
        Assert.That(await File.ReadAllLinesAsync(counter), Has.Length.EqualTo(2));
        Assert.That(_target.Host.Log.All.Last().Header("Authorization"), Does.Contain(second.AccessKeyId));
    }

    [TestCase("echo 'AKIAMARKED secret-marked' ; exit 0")]
    [TestCase("echo 'AKIAMARKED secret-marked' >&2 ; exit 3")]
    [TestCase("exit 1")]
    [Platform(Exclude = "Win", Reason = "The program is a shell script.")]
    public async Task A_program_that_fails_is_a_fault_of_the_configuration_and_is_not_quoted(string script)
    {
        Write("credentials", $"[broker]\ncredential_process = /bin/sh {Write("program.sh", script + "\n")}\n");
        await using var provider = Connect("profile");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.CheckAsync(CancellationToken.None));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(failure.ToString(), Does.Not.Contain("marked").IgnoreCase);
    }

    [TestCase("role_arn = arn:aws:iam::123456789012:role/credbroker\nsource_profile = default")]
    [TestCase("role_arn = arn:aws:iam::123456789012:role/credbroker\nweb_identity_token_file = /dev/null")]
    [TestCase("role_arn = arn:aws:iam::123456789012:role/credbroker\ncredential_source = Ec2InstanceMetadata")]
    [TestCase("sso_start_url = https://x.example\nsso_region = eu-central-1\nsso_account_id = 123456789012\nsso_role_name = x")]
    [TestCase("region = eu-central-1")]
    public async Task A_profile_that_would_fetch_its_keys_past_the_egress_policy_is_refused(string members)
    {
        Write("credentials", $"[default]\naws_access_key_id = {_user.AccessKeyId}\naws_secret_access_key = {_user.Secret}\n[broker]\n{members}\n");
        await using var provider = Connect("profile");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.CheckAsync(CancellationToken.None));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(failure.ToString(), Does.Contain("The profile broker").And.Not.Contain(_user.Secret));
    }

    [Test]
    public async Task A_profile_of_the_config_file()
    {
        Write("config", $"# the other of the two files\n[profile broker]\nregion = us-east-1\noutput = json\n{Keys(_user.AccessKeyId, _user.Secret)}");
        await AssertIssuesAsync("profile");
        Environment.SetEnvironmentVariable("AWS_PROFILE", "broker");
        await AssertIssuesAsync("defaultChain");
    }

    [TestCase("[default]")]
    [TestCase("[profile default]")]
    public async Task The_default_profile_of_the_config_file(string section)
    {
        Write("config", $"{section}\n{Keys(_user.AccessKeyId, _user.Secret)}");
        await AssertIssuesAsync("defaultChain");
    }

    [Test]
    public async Task A_session_in_the_config_file()
    {
        TrustBroker();
        var session = _target.Aws.OpenSession(_target.Aws.FindRole("credbroker")!, "operator");
        Write("config", $"[profile broker]\n{Keys(session.AccessKeyId, session.Secret)}aws_session_token = {session.Token}\n");
        await AssertIssuesAsync("profile");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "The program is a shell script.")]
    public async Task A_program_of_the_config_file()
    {
        TrustBroker();
        Write("config", $"[profile broker]\ncredential_process = /bin/sh {Write("program.sh", $"cat {Write("answer.json", SessionJson(out _))}\n")}\n");
        await AssertIssuesAsync("profile");
    }

    [Test]
    public async Task Keys_of_the_credentials_file_go_before_those_of_the_config_file()
    {
        Write("config", $"[profile broker]\n{Keys("AKIAIOSFODNN7EXAMPLE", "wrong")}");
        Write("credentials", $"[broker]\n{Keys(_user.AccessKeyId, _user.Secret)}");
        await AssertIssuesAsync("profile");
    }

    [TestCase("endpoint_url = http://127.0.0.1:1\n")]
    [TestCase("services = mine\n[services mine]\nsts =\n  endpoint_url = http://127.0.0.1:1\niam =\n  endpoint_url = http://127.0.0.1:1\n")]
    [TestCase("ca_bundle = /dev/null\nsts_regional_endpoints = legacy\nuse_fips_endpoint = true\nproxy = http://127.0.0.1:1\n")]
    public async Task What_a_profile_says_of_other_places_moves_no_call_elsewhere(string members)
    {
        Write("config", $"[profile broker]\n{Keys(_user.AccessKeyId, _user.Secret)}{members}");
        await AssertIssuesAsync("profile");
        Assert.That(_target.Host.Egress.Refused, Is.Empty);
    }

    [TestCase("role_arn = arn:aws:iam::123456789012:role/credbroker\nsource_profile = default", TestName = "A_profile_whose_files_together_would_go_past_the_egress_policy_is_refused(source_profile)")]
    [TestCase("role_arn = arn:aws:iam::123456789012:role/credbroker\ncredential_source = Ec2InstanceMetadata", TestName = "A_profile_whose_files_together_would_go_past_the_egress_policy_is_refused(credential_source)")]
    public async Task A_profile_whose_files_together_would_go_past_the_egress_policy_is_refused(string members)
    {
        Write("config", $"[profile broker]\n{members}\n");
        Write("credentials", $"[broker]\n{Keys(_user.AccessKeyId, _user.Secret)}");
        await AssertRefusedAsync();
    }

    [TestCase("[broker]\naws_access_key_id = AKIAMARKED\naws_secret_access_key = secret-marked\n", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(no prefix)")]
    [TestCase("[profile other]\naws_access_key_id = AKIAMARKED\naws_secret_access_key = secret-marked\n", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(another profile)")]
    [TestCase("[profile broker]\naws_access_key_id = AKIAMARKED\nsecret-marked\n", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(a line that is no member)")]
    [TestCase("[profile broker]\naws_secret_access_key = secret-marked\n", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(half of the keys)")]
    [TestCase("[profile broker\naws_access_key_id = AKIAMARKED\naws_secret_access_key = secret-marked\n", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(an open section)")]
    [TestCase("aws_access_key_id = AKIAMARKED\naws_secret_access_key = secret-marked\n", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(no section)")]
    [TestCase("[profile broker]\naws_access_key_id = \naws_secret_access_key = \n", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(empty keys)")]
    [TestCase("\0\u0001\u0002secret-marked\0[profile broker]", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(no text)")]
    [TestCase("[profile broker]\nsso_session = mine\nsso_account_id = 123456789012\nsso_role_name = marked\n[sso-session mine]\nsso_start_url = https://marked.example\nsso_region = eu-central-1\n", TestName = "A_config_file_that_cannot_be_meant_is_not_guessed_at(single sign-on)")]
    public async Task A_config_file_that_cannot_be_meant_is_not_guessed_at(string text)
    {
        Write("config", text);
        await AssertRefusedAsync();
    }

    [Test]
    public async Task A_config_file_that_is_a_folder_or_too_much_is_refused_and_not_quoted()
    {
        Write("config", $"[profile broker]\naws_access_key_id = {new string('A', 1_000_000)}\naws_secret_access_key = secret-marked\n");
        await AssertRefusedAsync();
        File.Delete(Path.Combine(_folder, "config"));
        Directory.CreateDirectory(Path.Combine(_folder, "config"));
        await AssertRefusedAsync();
        Directory.Delete(Path.Combine(_folder, "config"));
    }

    private static string Keys(string id, string secret) => $"aws_access_key_id = {id}\naws_secret_access_key = {secret}\n";

    private async Task AssertRefusedAsync()
    {
        await using var provider = Connect("profile");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.CheckAsync(CancellationToken.None));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(failure.ToString(), Does.Not.Contain("marked").IgnoreCase.And.Not.Contain(_user.Secret));
    }

    private async Task AssertIssuesAsync(string way)
    {
        await using var provider = Connect(way);
        Assert.That(await _target.IsAcceptedAsync(await IssueAsync(provider)));
    }

    private Task<IssuedCredential> IssueAsync(IProvider provider) => Target.IssueAsync(provider, _target.NewRequest());

    private IProvider Connect(string way) => new AwsStsProviderType().Create(_target.Context, _target.Configure(configuration =>
        configuration["credentials"] = new JsonObject { [way] = way == "profile" ? new JsonObject { ["name"] = "broker" } : [] }));

    private void TrustBroker()
    {
        _target.Aws.Change(Target.Reader, role => role.Trust = SetUpTexts.Trust(_target.BrokerArn, _target.Context.InstallationId));
        _target.Clock.Advance(TimeSpan.FromSeconds(10));
    }

    // As a program prints it.
    private string SessionJson(out AwsSession session)
    {
        session = _target.Aws.OpenSession(_target.Aws.FindRole("credbroker")!, "operator");
        var end = _target.Clock.GetUtcNow().AddHours(1);
        return JsonSerializer.Serialize(new
        {
            Version = 1,
            session.AccessKeyId,
            SecretAccessKey = session.Secret,
            SessionToken = session.Token,
            Expiration = end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        });
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}

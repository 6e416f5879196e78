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

namespace CredBroker.Cli.Tests.Commands;

public sealed class ConfigurationTests : CommandTestBase
{
    [Test]
    public async Task The_file_says_where_the_broker_is_and_which_command_prints_a_token()
    {
        Cli.Environment.Clear();
        Cli.Write("credbroker/config.yaml", $"address: {Broker.Address}\ntokenCommand: [echo, header.payload.signature]\n");

        await OutAsync(0, "tasks", "list");
    }

    [Test]
    public async Task Options_win_over_the_environment_and_that_over_the_file()
    {
        Cli.Write("credbroker/config.yaml", "address: http://127.0.0.1:1\ntokenCommand: ['false']\n");

        await OutAsync(0, "tasks", "list");
        Assert.That(await ErrorAsync(6, "tasks", "list", "--address", "http://127.0.0.1:1"), Does.Contain("can't be reached"));
        Assert.That(await ErrorAsync(4, "tasks", "list", "--token-file", "/no/such/file"), Does.Contain("token file can't be used"));
    }

    [Test]
    public async Task A_file_that_others_may_write_or_read_runs_no_command()
    {
        var marker = Path.Combine(Cli.Home, "ran");
        Cli.Environment.Remove("CREDBROKER_TOKEN_FILE");
        foreach (var mode in new[] { "620", "644", "602" })
        {
            Cli.Write("credbroker/config.yaml", $"tokenCommand: [touch, {marker}]\n", (UnixFileMode)Convert.ToInt32(mode, 8));

            Assert.That(await ErrorAsync(2, "tasks", "list"), Does.Contain($"has mode 0{mode}").And.Contain("chmod 600"));
        }

        Assert.That(File.Exists(marker), Is.False);
    }

    [Test]
    public async Task A_linked_file_is_refused_even_when_it_leads_nowhere()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Cli.Config)!);
        File.CreateSymbolicLink(Cli.Config, Cli.Write("elsewhere", "address: http://127.0.0.1:1"));
        Assert.That(await ErrorAsync(2, "tasks", "list"), Does.Contain("symbolic link"));

        File.Delete(Cli.Config);
        File.CreateSymbolicLink(Cli.Config, "/no/such/file");
        Assert.That(await ErrorAsync(2, "tasks", "list"), Does.Contain("symbolic link"));
    }

    [TestCase("adress: https://x", "Did you mean 'address'?")]
    [TestCase("token: s3cret-mark", "There is no such key.")]
    [TestCase("tokenFile: a\ntokenCommand: [b]", "either tokenFile or tokenCommand")]
    [TestCase("tokenCommand: {run: x}", "a list of texts")]
    [TestCase("address: not an address", "is no address")]
    [TestCase("address: ftp://x", "is no address")]
    public async Task A_wrong_file_is_an_error_that_names_the_key(string text, string error)
    {
        Cli.Environment.Remove("CREDBROKER_ADDRESS");
        Cli.Write("credbroker/config.yaml", text);

        var shown = await ErrorAsync(2, "tasks", "list");

        Assert.That(shown, Does.Contain(error));
        Assert.That(shown, Does.Not.Contain("s3cret-mark"));
    }

    [Test]
    public async Task Without_an_address_or_a_token_the_error_says_where_to_put_them()
    {
        Cli.Environment.Clear();
        Assert.That(await ErrorAsync(2, "tasks", "list"), Does.Contain("--address"));
        Cli.Environment["CREDBROKER_ADDRESS"] = Broker.Address.ToString();
        Assert.That(await ErrorAsync(4, "tasks", "list"), Does.Contain("--token-file"));
        Cli.Environment["CREDBROKER_TOKEN"] = "header.payload.signature";
        Cli.Environment["CREDBROKER_TOKEN_COMMAND"] = "echo header.payload.signature";
        Assert.That(await ErrorAsync(4, "tasks", "list"), Does.Contain("--token-file"));
    }

    [Test]
    public async Task No_token_goes_over_http_to_another_machine() =>
        Assert.That(await ErrorAsync(2, "tasks", "list", "--address", "http://broker.example"), Does.Contain("https, or http on loopback"));
}

using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.Client.Tokens;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Cli.Tests.Client;

public sealed class TokenSourceTests
{
    private DirectoryInfo _folder = null!;

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    [SetUp]
    public void Make() => _folder = Directory.CreateTempSubdirectory("credbroker-token-");

    [TearDown]
    public void Remove() => _folder.Delete(recursive: true);

    [Test]
    public async Task A_file_is_read_anew_for_every_call()
    {
        PrivateFile.WriteText(TokenFile, "one\n");
        var source = TokenSource.FromFile(TokenFile);
        Assert.That(await source.GetTokenAsync(default), Is.EqualTo("one"));

        PrivateFile.WriteText(TokenFile, "two", overwrite: true);

        Assert.That(await source.GetTokenAsync(default), Is.EqualTo("two"));
    }

    [TestCase("640")]
    [TestCase("604")]
    [TestCase("610")]
    [TestCase("666")]
    public async Task Refuses_a_file_that_others_may_use(string mode)
    {
        File.WriteAllText(TokenFile, "one");
        File.SetUnixFileMode(TokenFile, (UnixFileMode)Convert.ToInt32(mode, 8));

        Assert.That(await Refusal(TokenFile), Does.Contain($"has mode 0{mode}"));
    }

    [Test]
    public async Task Refuses_a_link_a_pipe_and_a_folder()
    {
        PrivateFile.WriteText(TokenFile, "one");
        var link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, TokenFile);
        var pipe = Path.Combine(_folder.FullName, "pipe");
        Process.Start("mkfifo", ["-m", "600", pipe])!.WaitForExit();

        Assert.That(await Refusal(link), Does.Contain("symbolic link"));
        Assert.That(await Refusal(pipe), Does.Contain("not a regular file"));
        Assert.That(await Refusal(_folder.FullName), Does.Contain("can't be used"));
        Assert.That(await Refusal(Path.Combine(_folder.FullName, "none")), Does.Contain("can't be used"));
    }

    [Test]
    public async Task Refuses_a_file_of_somebody_else()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("Only root can make such a file; for others the kernel refuses to open it at all.");
        PrivateFile.WriteText(TokenFile, "one");
        Process.Start("chown", ["65534", TokenFile])!.WaitForExit();

        Assert.That(await Refusal(TokenFile), Does.Contain("belongs to somebody else"));
    }

    [TestCase("one\r\nx-forged: header")]
    [TestCase("two words")]
    [TestCase("t\u00f6ken")]
    [TestCase("")]
    [TestCase("nul\0")]
    public async Task Refuses_what_is_no_token_without_repeating_it(string text)
    {
        PrivateFile.WriteText(TokenFile, text);

        var refusal = await Refusal(TokenFile);

        Assert.That(refusal, Does.Contain("token"));
        if (text.Length > 0) Assert.That(refusal, Does.Not.Contain(text));
    }

    [Test]
    public async Task Refuses_a_file_that_is_too_large()
    {
        PrivateFile.WriteText(TokenFile, new string('a', 70_000));

        Assert.That(await Refusal(TokenFile), Does.Contain("larger than 65536 bytes"));
    }

    [Test]
    public async Task A_command_runs_again_only_when_its_token_is_about_to_expire()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddSeconds(1_900_000_000));
        var count = Path.Combine(_folder.FullName, "count");
        var source = TokenSource.FromCommand(["sh", "-c", $"echo run >> {count}; echo {Jwt(1_900_000_600)}"], time);
        await source.GetTokenAsync(default);
        await source.GetTokenAsync(default);
        Assert.That(File.ReadAllLines(count), Has.Length.EqualTo(1));

        time.Advance(TimeSpan.FromSeconds(541));
        await source.GetTokenAsync(default);

        Assert.That(File.ReadAllLines(count), Has.Length.EqualTo(2));
    }

    [Test]
    public async Task A_command_that_fails_is_an_error_that_repeats_nothing_it_printed()
    {
        Assert.That(await Refusal(TokenSource.FromCommand(["sh", "-c", "echo s3cret-mark; exit 3"])), Is.EqualTo("The token command sh failed with exit code 3."));
        Assert.That(await Refusal(TokenSource.FromCommand(["/no/such/program"])), Does.Contain("can't be started"));
        Assert.That(await Refusal(TokenSource.FromCommand(["sh", "-c", "yes"])), Does.Contain("more than a token"));
    }

    [Test]
    public void A_secret_shows_itself_only_when_it_is_asked_to()
    {
        var secret = new SecretValue("s3cret-mark");

        Assert.That($"{secret} {JsonSerializer.Serialize(secret)} {JsonSerializer.Serialize(new { secret })}", Does.Not.Contain("s3cret-mark"));
        Assert.That(secret.Reveal(), Is.EqualTo("s3cret-mark"));
    }

    [TestCase("http://broker.example:80")]
    [TestCase("http://10.0.0.1")]
    [TestCase("ftp://localhost")]
    [TestCase("https://user:password@broker.example")]
    public void A_token_never_travels_in_the_clear(string address) =>
        Assert.That(() => new BrokerClient(new() { Address = new(address), Token = TokenSource.From(_ => ValueTask.FromResult("t")) }), Throws.ArgumentException);

    private static Task<string> Refusal(string path) => Refusal(TokenSource.FromFile(path));

    private static async Task<string> Refusal(TokenSource source) => (await Assert.ThrowsAsync<BrokerException>(async () => await source.GetTokenAsync(default)))!.Message;

    private static string Jwt(long exp) => $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{{\"exp\":{exp}}}"))}.c2ln";
}

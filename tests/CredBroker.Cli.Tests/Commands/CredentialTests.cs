using System.Diagnostics;
using System.Text.Json.Nodes;
using CredBroker.Contracts.V1;

namespace CredBroker.Cli.Tests.Commands;

/// <summary>Where a credential goes, and where it never does.</summary>
public sealed class CredentialTests : CommandTestBase
{
    private const string Task = "00000000000000000000000001";

    private string OutFile => Path.Combine(Cli.Home, "credential");

    [SetUp]
    public async Task OpenTask() => await Cli.RunAsync("tasks", "create", "--what", "count the books");

    [Test]
    public async Task It_goes_into_a_file_that_nobody_else_may_read_and_not_to_the_terminal([Values("table", "json", "yaml")] string format)
    {
        var result = await Cli.RunAsync("leases", "issue", Task, "books/reader", "--param", "region=eu", "--ttl", "5m", "--out-file", OutFile, "-o", format);

        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Out + result.Error, Does.Not.Contain("s3cret-mark"));
        Assert.That(result.Out, Does.Contain($"tasks/{Task}/leases/"));
        Assert.That(File.GetUnixFileMode(OutFile), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(await File.ReadAllTextAsync(OutFile), Is.EqualTo(Lines(
            $"CREDBROKER_LEASE='tasks/{Task}/leases/00000000000000000000000002'", "CREDBROKER_EXPIRE_TIME='2030-03-17T17:56:40Z'", "CREDBROKER_TOKEN='s3cret-mark'")));
        var request = Broker.State.Requests<IssueLeaseRequest>().Single();
        Assert.That((request.Role, request.Ttl.Seconds, request.Parameters["region"]), Is.EqualTo(("providers/books/roles/reader", 300L, "eu")));
    }

    [Test]
    public async Task A_shell_reads_hostile_values_as_they_are_and_runs_nothing_in_them()
    {
        const string Hostile = "it's $(touch pwned) `id` \"x\" \\ \n second line; exit 9";
        Broker.State.Credential["token"] = Hostile;
        await OutAsync(0, "lease", "issue", Task, "books/reader", "--out-file", OutFile, "--prefix", "DB_");

        var start = new ProcessStartInfo("sh", ["-c", $". {OutFile}; printf %s \"$DB_TOKEN\""]) { RedirectStandardOutput = true, WorkingDirectory = Cli.Home };
        using var shell = Process.Start(start)!;
        var read = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();

        Assert.That(read, Is.EqualTo(Hostile));
        Assert.That(File.Exists(Path.Combine(Cli.Home, "pwned")), Is.False);
    }

    [Test]
    public async Task To_standard_output_it_goes_alone_and_only_when_asked()
    {
        var json = JsonNode.Parse(await OutAsync(0, "leases", "issue", Task, "books/reader", "--stdout", "--format", "json"))!;

        Assert.That((string?)json["credential"]!["token"], Is.EqualTo("s3cret-mark"));
    }

    [Test]
    public async Task Nothing_is_issued_when_there_is_no_place_for_it()
    {
        await File.WriteAllTextAsync(OutFile, "mine");
        Assert.That(await ErrorAsync(2, "leases", "issue", Task, "books/reader", "--out-file", OutFile), Does.Contain("is there already"));
        Assert.That(await ErrorAsync(2, "leases", "issue", Task, "books/reader", "--out-file", "/no/such/folder/x"), Does.Contain("no folder"));

        Assert.That(Broker.State.Leases, Is.Empty);
        Assert.That(await File.ReadAllTextAsync(OutFile), Is.EqualTo("mine"));
    }

    [Test]
    public async Task A_link_in_the_files_place_is_not_followed()
    {
        var victim = Cli.Write("victim", "mine");
        File.CreateSymbolicLink(OutFile, victim);

        await OutAsync(0, "leases", "issue", Task, "books/reader", "--out-file", OutFile, "--overwrite");

        Assert.That(await File.ReadAllTextAsync(victim), Is.EqualTo("mine"));
        Assert.That(new FileInfo(OutFile).LinkTarget, Is.Null);
    }

    [Test]
    public async Task What_could_not_be_written_is_revoked()
    {
        Assert.That(await ErrorAsync(1, "leases", "issue", Task, "books/reader", "--out-file", "/proc/credbroker"), Does.Contain("is revoked"));

        Assert.That(Broker.State.Leases.Values.Single().State, Is.EqualTo(Lease.Types.State.Revoking));
    }

    [Test]
    public async Task A_renewal_without_new_fields_leaves_the_file_alone()
    {
        await OutAsync(0, "leases", "issue", Task, "books/reader", "--out-file", OutFile);
        var before = await File.ReadAllTextAsync(OutFile);

        await OutAsync(0, "leases", "renew", "00000000000000000000000002", "--out-file", OutFile, "--overwrite");

        Assert.That(await File.ReadAllTextAsync(OutFile), Is.EqualTo(before));
    }

    [Test]
    public async Task Ending_and_waiting_says_when_something_is_not_proven_dead()
    {
        await Cli.RunAsync("leases", "issue", Task, "books/reader", "--stdout");

        await OutAsync(7, "tasks", "end", Task, "--outcome", "failed", "--wait", "5s");
        await OutAsync(7, "leases", "revoke", "00000000000000000000000002", "--wait", "5s");
        Assert.That(await OutAsync(0, "tasks", "end", Task, "--outcome", "failed"), Does.Contain("ENDED"));
    }

    [Test]
    public async Task A_held_line_is_taken_up_again_and_ends_with_the_task()
    {
        Assert.That(await ErrorAsync(0, "tasks", "keep-alive", Task), Is.EqualTo(Lines("alive 2030-03-17 17:46:40Z", "reconnect", "alive 2030-03-17 17:46:40Z", "task ended")));
    }
}

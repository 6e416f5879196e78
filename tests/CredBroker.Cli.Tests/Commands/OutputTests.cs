using System.Text.Json.Nodes;
using CredBroker.Manifests;

namespace CredBroker.Cli.Tests.Commands;

/// <summary>What is printed, and that nothing in it moves a terminal.</summary>
public sealed class OutputTests : CommandTestBase
{
    private const string Hostile = "pay \u001b[2J\u001b]0;owned\u0007\u202eevil\u2066 \u009b31m [red]x[/]\r\nnext\u200b\U000E0041";

    [Test]
    public async Task A_table_has_one_line_for_each_task()
    {
        await Cli.RunAsync("tasks", "create", "--what", "count the books");
        await Cli.RunAsync("task", "create", "--what", "pay the bills", "--label", "run=42");
        await Cli.RunAsync("tasks", "create", "--what", "tidy up");
        await Cli.RunAsync("tasks", "end", "00000000000000000000000002", "--outcome", "succeeded");

        Assert.That(await OutAsync(0, "tasks", "list"), Is.EqualTo(Lines(
            "NAME                              STATE    WHAT             PERFORMER  OPENED                DEADLINE              OUTCOME    ENDED BY",
            "tasks/00000000000000000000000001  running  count the books             2030-03-17 17:46:40Z  2030-03-17 17:46:40Z",
            "tasks/00000000000000000000000002  ended    pay the bills               2030-03-17 17:46:40Z  2030-03-17 17:46:40Z  succeeded  ended by call",
            "tasks/00000000000000000000000003  running  tidy up                     2030-03-17 17:46:40Z  2030-03-17 17:46:40Z")));
    }

    [Test]
    public async Task One_task_is_shown_with_everything_that_is_set()
    {
        await Cli.RunAsync("tasks", "create", "--what", "count the books", "--for-whom", "the library", "--label", "run=42", "--ttl", "1h30m");

        Assert.That(await OutAsync(0, "tasks", "get", "00000000000000000000000001"), Is.EqualTo(Lines(
            "name               tasks/00000000000000000000000001",
            "intent.what        count the books",
            "intent.forWhom     the library",
            "intent.labels.run  42",
            "deadline           2030-03-17T17:46:40Z",
            "state              RUNNING",
            "createTime         2030-03-17T17:46:40Z")));
    }

    [Test]
    public async Task Json_is_what_rest_answers_and_yaml_says_the_same()
    {
        await Cli.RunAsync("tasks", "create", "--what", "count the books");

        var json = JsonNode.Parse(await OutAsync(0, "tasks", "list", "-o", "json"))!;
        Assert.That((string?)json["tasks"]![0]!["intent"]!["what"], Is.EqualTo("count the books"));
        Assert.That(json["tasks"]![0]!["depth"]!.GetValue<int>(), Is.Zero);
        Assert.That(await OutAsync(0, "tasks", "get", "00000000000000000000000001", "-o", "yaml"), Is.EqualTo(Lines(
            "name: tasks/00000000000000000000000001",
            "intent:",
            "  what: \"count the books\"",
            "deadline: \"2030-03-17T17:46:40Z\"",
            "state: RUNNING",
            "createTime: \"2030-03-17T17:46:40Z\"")));
    }

    [Test]
    public async Task A_hostile_intent_reaches_no_terminal([Values("table", "json", "yaml")] string format)
    {
        await Cli.RunAsync("tasks", "create", "--what", Hostile);

        foreach (var output in new[] { await OutAsync(0, "tasks", "list", "-o", format), await OutAsync(0, "tasks", "get", "00000000000000000000000001", "-o", format) })
        {
            Assert.That(output.EnumerateRunes().Where(rune => rune.Value != '\n' && !SafeText.IsPlain(rune)), Is.Empty);
            Assert.That(output, Does.Contain(@"\u001b[2J").IgnoreCase.And.Contain("[red]x[/]").And.Contain(@"\u202e").IgnoreCase);
        }
    }

    [Test]
    public async Task A_script_reads_the_hostile_intent_as_it_was()
    {
        await Cli.RunAsync("tasks", "create", "--what", Hostile);

        var json = JsonNode.Parse(await OutAsync(0, "tasks", "get", "00000000000000000000000001", "-o", "json"))!;

        Assert.That((string?)json["intent"]!["what"], Is.EqualTo(Hostile));
    }

    [Test]
    public async Task A_limit_says_that_there_is_more()
    {
        for (var i = 0; i < 5; i++) await Cli.RunAsync("tasks", "create", "--what", $"task {i}", "--request-id", $"r{i}");

        var result = await Cli.RunAsync("tasks", "list", "--limit", "3");

        Assert.That(result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(4));
        Assert.That(result.Error, Does.Contain("Only the first 3 are listed"));
        Assert.That((await OutAsync(0, "tasks", "list")).Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(6));
    }

    [Test]
    public async Task A_receipt_shows_when_and_by_what_each_lease_died()
    {
        await Cli.RunAsync("tasks", "create", "--what", "count the books");
        await Cli.RunAsync("leases", "issue", "00000000000000000000000001", "books/reader", "--stdout");
        Assert.That((await Cli.RunAsync("receipts", "get", "00000000000000000000000001")).Code, Is.EqualTo(7));
        await Cli.RunAsync("leases", "revoke", "00000000000000000000000002");

        Assert.That(await OutAsync(0, "receipt", "get", "00000000000000000000000001"), Is.EqualTo(Lines(
            "name      tasks/00000000000000000000000001/receipt",
            "task      tasks/00000000000000000000000001",
            "revision  1",
            "state     CLOSED",
            "",
            "LEASE                                                               ROLE                          ISSUED  USABLE UNTIL  PROVEN DEAD           TIME TO DEAD  EVIDENCE  MAY OUTLAST IT",
            "tasks/00000000000000000000000001/leases/00000000000000000000000002  providers/books/roles/reader                        2030-03-17 17:46:42Z  2s            inactive")));
    }
}

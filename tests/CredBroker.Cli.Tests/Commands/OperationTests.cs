using CredBroker.Cli.Hosting;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;

namespace CredBroker.Cli.Tests.Commands;

public sealed class OperationTests : CommandTestBase
{
    [Test]
    public async Task Suspending_shows_first_what_dies_and_asks()
    {
        await Cli.RunAsync("tasks", "create", "--what", "count the books");
        await Cli.RunAsync("leases", "issue", "00000000000000000000000001", "books/reader", "--stdout");
        string[] args = ["suspensions", "create", "providers/books", "--reason", "leaked"];

        Assert.That(await ErrorAsync(2, args), Does.Contain("providers/books: 1 leases die by this."));
        (Cli.Interactive, Cli.Input) = (true, "\n");
        await ErrorAsync(130, args);
        Assert.That(Broker.State.Suspensions, Is.Empty);

        Cli.Input = "y\n";
        await OutAsync(0, args);
        Assert.That(Broker.State.Suspensions.Single().Target, Is.EqualTo("providers/books"));
        Assert.That(await OutAsync(0, "suspensions", "lift", Broker.State.Suspensions.Single().Name), Does.Not.Contain("active "));
    }

    [Test]
    public async Task Suspending_says_how_many_may_die_a_few_more_than_were_shown()
    {
        await OutAsync(0, "suspensions", "suspend", "providers/books", "--reason", "leaked", "--yes");
        Assert.That(Broker.State.Requests<CreateSuspensionRequest>().Select(request => (request.ValidateOnly, request.HasMostLeases, request.MostLeases)), Is.EqualTo(new[] { (true, false, 0L), (false, true, 10L) }));
    }

    [Test]
    public async Task Erasing_a_tasks_texts_asks_first()
    {
        await Cli.RunAsync("tasks", "create", "--what", "count the books");
        string[] args = ["tasks", "erase-texts", "00000000000000000000000001"];
        await ErrorAsync(2, args);
        Assert.That(Broker.State.Requests<EraseTaskTextsRequest>(), Is.Empty);
        await OutAsync(0, [.. args, "--yes"]);
        Assert.That(Broker.State.Requests<EraseTaskTextsRequest>().Single().Name, Is.EqualTo("tasks/00000000000000000000000001"));
    }

    [Test]
    public async Task A_provider_that_lacks_something_is_a_finding()
    {
        Assert.That(await ErrorAsync(0, "provider", "check", "books"), Does.Contain("providers/books is healthy. Its target: system 7"));
        Broker.State.Check = new() { Findings = { new CheckFinding { Severity = CheckFinding.Types.Severity.Missing, Subject = "CREATEROLE", Message = "CREATEROLE is missing\u001b[2J", Fix = "ALTER ROLE broker CREATEROLE" } } };

        Assert.That(await OutAsync(8, "provider", "check", "books"), Is.EqualTo(Lines(
            "SEVERITY  SUBJECT     FINDING                         FIX",
            @"missing   CREATEROLE  CREATEROLE is missing\u001b[2J  ALTER ROLE broker CREATEROLE")));
    }

    [Test]
    public async Task A_policy_text_is_put_in_force_by_its_file()
    {
        var file = Cli.Write("base.cedar", "forbid(principal, action, resource);\n");
        Assert.That(await ErrorAsync(2, "policy", "set", "base", "--text-file", file), Does.Contain("--kind"));
        await OutAsync(0, "policy", "set", "base", "--text-file", file, "--kind", "ceiling");
        Cli.Write("base.cedar", "// changed\n");
        await OutAsync(0, "policy", "set", "base", "--text-file", file);

        var set = (PolicySet)Broker.State.Registry["policySets/base"];
        Assert.That((set.Kind, set.Text, set.Version), Is.EqualTo((PolicySet.Types.Kind.Ceiling, "// changed\n", 2L)));
    }

    [Test]
    public async Task A_change_that_revokes_live_leases_is_agreed_to_first()
    {
        var file = Cli.Write("base.cedar", "forbid(principal, action, resource);\n");
        Broker.State.Preview = new() { Examined = 9, Revoked = 4, Complete = true, Leases = { "tasks/1/leases/2" } };
        string[] args = ["policy", "set", "base", "--text-file", file, "--kind", "ceiling"];
        Assert.That(await ErrorAsync(2, args), Does.Contain("4 of 9 live leases would be revoked by policySets/base."));
        Assert.That(Broker.State.Requests<CreatePolicySetRequest>(), Is.Empty);
        await OutAsync(0, [.. args, "--yes"]);
        Assert.That(Broker.State.Requests<CreatePolicySetRequest>().Single().ExpectRevoked, Is.EqualTo(4));
        await OutAsync(0, "policy", "set", "base", "--text-file", file, "--expect-revoked", "7");
        Assert.That(Broker.State.Requests<UpdatePolicySetRequest>().Single().ExpectRevoked, Is.EqualTo(7));
        Assert.That(await OutAsync(8, "policy", "preview", "base", "--text-file", file), Does.Contain("tasks/1/leases/2"));
        await OutAsync(0, "policy", "delete", "base", "--yes", "--expect-revoked", "3");
        Assert.That(Broker.State.Requests<DeletePolicySetRequest>().Single().ExpectRevoked, Is.EqualTo(3));
        Assert.That(await OutAsync(0, "policy", "schema"), Does.Contain("entity Installation;"));
    }

    [Test]
    public async Task Roles_that_one_could_get_are_listed() =>
        Assert.That(await OutAsync(0, "roles", "list", "--mine"), Does.Contain("providers/books/roles/reader").And.Contain("depends"));

    [Test]
    public async Task A_tasks_story_is_asked_for_by_a_filter_that_cannot_be_broken_out_of()
    {
        await OutAsync(0, "audit", "list", "--task", "x\" OR type = \"y", "--filter", "type = \"a\" OR type = \"b\"");

        Assert.That(Broker.State.Requests<ListAuditEventsRequest>().Single().Filter, Is.EqualTo("task = \"tasks/x\\\" OR type = \\\"y\" AND (type = \"a\" OR type = \"b\")"));
    }

    [Test]
    public void The_references_manifests_are_right()
    {
        var reference = Reference.Write(CommandLine.Build(CliHost.OfThisProcess()));
        var start = reference.IndexOf("kind: Role", StringComparison.Ordinal);
        Cli.Write("broker/all.yaml", reference[start..reference.IndexOf("```", start, StringComparison.Ordinal)]);
        Cli.Write("broker/cedar/base.cedar", "forbid(principal, action, resource);");

        Assert.That(ManifestReader.Load(Path.Combine(Cli.Home, "broker")).OrThrow().Manifests, Has.Count.EqualTo(2));
    }

    [Test]
    public void The_reference_is_what_the_commands_say()
    {
        var folder = TestContext.CurrentContext.TestDirectory;
        while (!File.Exists(Path.Combine(folder, "CredBroker.sln"))) folder = Path.GetDirectoryName(folder)!;
        var file = Path.Combine(folder, "docs", "cli.md");
        var reference = Reference.Write(CommandLine.Build(CliHost.OfThisProcess()));
        if (Environment.GetEnvironmentVariable("CREDBROKER_UPDATE_DOCS") == "1") File.WriteAllText(file, reference);

        Assert.That(File.ReadAllText(file), Is.EqualTo(reference), "Run it with CREDBROKER_UPDATE_DOCS=1 to write docs/cli.md anew.");
    }
}

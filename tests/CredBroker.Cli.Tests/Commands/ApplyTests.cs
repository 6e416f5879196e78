using CredBroker.Cli.Tests.Fakes;
using CredBroker.Cli.Tests.Manifests;
using CredBroker.Contracts.V1;
using Grpc.Core;

namespace CredBroker.Cli.Tests.Commands;

public sealed class ApplyTests : CommandTestBase
{
    private string Folder => Path.Combine(Cli.Home, "broker");

    [SetUp]
    public void WriteFolder() => Cli.Write("broker/all.yaml", Samples.All);

    [Test]
    public async Task A_folder_is_applied_in_the_order_of_references_and_then_changes_nothing()
    {
        Assert.That(await OutAsync(0, "apply", "-f", Folder), Is.EqualTo(Lines(
            "created   identitySources/ci",
            "created   providers/books",
            "created   providers/books/roles/reader",
            "created   providers/books/roles/writer",
            "created   hooks/runs",
            "created   policySets/base")));
        Assert.That(await OutAsync(0, "apply", "-f", Folder), Does.Not.Contain("created").And.Not.Contain("updated"));
        Assert.That(await OutAsync(0, "diff", "-f", Folder), Is.Empty);
    }

    [Test]
    public async Task A_difference_is_shown_and_applied_over_the_etag_that_was_seen()
    {
        await Cli.RunAsync("apply", "-f", Folder);
        Cli.Write("broker/all.yaml", Samples.All.Replace("port: 5432", "port: 6432", StringComparison.Ordinal).Replace("production", "staging", StringComparison.Ordinal));

        Assert.That(await OutAsync(8, "diff", "-f", Folder), Is.EqualTo(Lines(
            "--- current/providers/books",
            "+++ desired/providers/books",
            "@@ -2,9 +2,9 @@",
            " name: providers/books",
            " spec:",
            "   type: postgresql",
            "-  environment: production",
            "+  environment: staging",
            "   config:",
            "     host: db.internal",
            "-    port: 5432",
            "+    port: 6432",
            "     note: \"no\"",
            "   reconciliation: REPORT")));
        Assert.That(await OutAsync(0, "apply", "-f", Folder), Does.Contain("updated   providers/books\n"));
        Assert.That(Broker.State.Requests<UpdateProviderRequest>().Single().Provider.Etag, Is.EqualTo("etag-1"));
    }

    [Test]
    public async Task What_get_and_export_print_changes_nothing_when_it_is_applied()
    {
        await Cli.RunAsync("apply", "-f", Folder);

        foreach (var args in new[] { new[] { "role", "get", "books/reader", "-o", "yaml" }, ["providers", "list", "-o", "yaml"], ["export"] })
        {
            Cli.Input = await OutAsync(0, args);
            Assert.That(await OutAsync(0, "diff", "-f", "-"), Is.Empty, Cli.Input);
        }
    }

    [Test]
    public async Task Get_prints_the_shape_that_apply_takes()
    {
        await Cli.RunAsync("apply", "-f", Folder);

        Assert.That(await OutAsync(0, "role", "get", "books/reader", "-o", "yaml"), Is.EqualTo(Lines(
            "kind: Role",
            "name: providers/books/roles/reader",
            "spec:",
            "  kind: login",
            "  template:",
            "    groups:",
            "      - app_reader",
            "  parameters:",
            "    - name: region",
            "      type: ENUM",
            "      values:",
            "        - eu",
            "        - us",
            "      required: true",
            "  maxTtl: 3600s",
            "status:",
            "  uid: \"00000000000000000000000007\"",
            "  etag: etag-1",
            "  version: \"1\"",
            "  createTime: \"2030-03-17T17:46:40Z\"",
            "  managedBy: api")));
    }

    [Test]
    public async Task Nothing_is_pruned_without_being_asked_and_confirmed()
    {
        await Cli.RunAsync("apply", "-f", Folder);
        Cli.Write("broker/all.yaml", "kind: Provider\nname: books\nspec: {type: postgresql, environment: production, config: {host: db.internal, port: 5432, note: 'no'}}\n");
        await OutAsync(0, "apply", "-f", Folder);
        Assert.That(Broker.State.Registry, Has.Count.EqualTo(6));

        Assert.That(await ErrorAsync(2, "apply", "-f", Folder, "--prune"), Does.Contain("This deletes policySets/base, hooks/runs, providers/books/roles/reader"));
        (Cli.Interactive, Cli.Input) = (true, "n\n");
        await ErrorAsync(130, "apply", "-f", Folder, "--prune");
        Assert.That(Broker.State.Registry, Has.Count.EqualTo(6));

        Assert.That(await OutAsync(0, "apply", "-f", Folder, "--prune", "--yes"), Is.EqualTo(Lines(
            "unchanged providers/books",
            "deleted   policySets/base",
            "deleted   hooks/runs",
            "deleted   providers/books/roles/reader",
            "deleted   providers/books/roles/writer",
            "deleted   identitySources/ci")));
    }

    [Test]
    public async Task Pruning_leaves_what_the_operators_files_manage()
    {
        Broker.State.Registry["hooks/theirs"] = new Hook { Name = "hooks/theirs", ManagedBy = "file:abc" };

        await OutAsync(0, "apply", "-f", Folder, "--prune", "--yes");

        Assert.That(Broker.State.Registry, Does.ContainKey("hooks/theirs"));
    }

    [Test]
    public async Task A_failure_half_way_says_what_was_done_and_what_not()
    {
        Broker.State.Refuse["CreateHook"] = FakeState.Fault(StatusCode.InvalidArgument, "FIELDS_INVALID", "Wrong.", null, ("hook.secret", "unknown"));

        var result = await Cli.RunAsync("apply", "-f", Folder);

        Assert.That(result.Code, Is.EqualTo(7));
        Assert.That(result.Out, Does.EndWith("created   providers/books/roles/writer\nnot done  hooks/runs\nnot done  policySets/base\n"));
        Assert.That(result.Error, Is.EqualTo("error: hooks/runs: Wrong.\n  hook.secret: unknown\n"));
    }

    [Test]
    public async Task Wrong_manifests_change_nothing_and_all_errors_are_shown()
    {
        Cli.Write("broker/b.yaml", "kind: Hook\nname: B\nspec: {secrte: x}\n");
        Cli.Write("broker/c.yaml", "kind: Hook\nname: &c c\nspec: {}\n");

        var error = await ErrorAsync(2, "apply", "-f", Folder);

        Assert.That(error, Does.Contain("b.yaml:2:7: name:").And.Contain("b.yaml:3:8: spec.secrte: There is no such key. Did you mean 'secret'?").And.Contain("c.yaml:2:7: name: Anchors"));
        Assert.That(Broker.State.Calls, Is.Empty);
    }

    [Test]
    public async Task Create_takes_one_kind_and_refuses_what_is_there()
    {
        var file = Cli.Write("p.yaml", "kind: Provider\nname: books\nspec: {type: token}\n");
        await OutAsync(0, "provider", "create", "-f", file);
        Assert.That(await ErrorAsync(5, "provider", "create", "-f", file), Does.Contain("ALREADY_EXISTS"));
        Assert.That(await ErrorAsync(2, "hooks", "create", "-f", file), Does.Contain("This is a Provider, not a Hook"));
        await OutAsync(0, "providers", "delete", "books", "--yes");
        await OutAsync(3, "providers", "get", "books");
    }
}

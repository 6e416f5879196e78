using CredBroker.Cli.Hosting;
using CredBroker.Manifests;
using CredBroker.Manifests.Yaml;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>Reads tables of tests: strict, with every error and its line.</summary>
internal static class TableReader
{
    /// <summary>What can be asked about, by action.</summary>
    private static readonly Dictionary<string, string[]> Resources = new(StringComparer.Ordinal)
    {
        ["suspend"] = ["workload", "identitySource", "provider", "role"],
        ["liftSuspension"] = ["workload", "identitySource", "provider", "role"],
        ["administerProvider"] = ["provider"],
        ["administerRole"] = ["role"],
        ["administerIdentitySource"] = ["identitySource"],
        ["administerHook"] = ["hook"],
        ["administerPolicySet"] = ["policySet"],
        ["administerWorkload"] = ["workload"],
        ["administerTask"] = ["task"],
    };

    /// <summary>The actions that a row can have.</summary>
    public static IReadOnlyList<string> Actions { get; } = ["createTask", "delegate", "actOnTask", "endTask", "issue", "renew", "introspect", "audit", .. Resources.Keys];

    /// <summary>The tables of a file or folder, and what is wrong with them.</summary>
    public static IReadOnlyList<PolicyTable> Load(string path, List<ManifestError> errors)
    {
        if (!Directory.Exists(path) && !File.Exists(path)) throw new CliException(ExitCodes.Usage, $"There is no file or folder {path}.");
        string[] files = Directory.Exists(path)
            ? [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => TestTables.IsOne(file)).Order(StringComparer.Ordinal)]
            : [path];
        if (files.Length == 0) throw new CliException(ExitCodes.Usage, $"There is no table of tests in {path}: a file called *.test.yaml.");
        List<PolicyTable> tables = [.. files.Select(file => Read(File.ReadAllText(file), file, errors)).OfType<PolicyTable>()];
        errors.Sort((left, right) => (left.Source.File, left.Source.Line, left.Source.Column).CompareTo((right.Source.File, right.Source.Line, right.Source.Column)));
        return tables;
    }

    public static PolicyTable? Read(string text, string file, List<ManifestError> errors)
    {
        if (StrictYaml.ReadMap(text, file, errors) is not { } root) return null;
        var map = new MapReader(root, "", errors);
        var policies = map.Texts("policies") ?? [];
        var kind = map.Text("kind");
        if (kind is not null && !PolicySetKinds.All.Contains(kind)) map.Fault(map.MarkOf("kind"), "kind", $"'{kind}' is no kind of policy set.{StrictYaml.Suggest(kind, PolicySetKinds.All)}");
        var given = GivenReader.Read(map.Map("given"));
        List<PolicyTest> tests = [.. map.List("tests").Select(row => ReadTest(row, given, errors)).OfType<PolicyTest>()];
        if (tests.Count == 0 && errors.Count == 0) map.Fault(map.MarkOf("tests"), "tests", "There is no test.");
        foreach (var again in tests.GroupBy(test => test.Name, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Last()))
            errors.Add(new(again.Mark, "name", $"Another test is called '{again.Name}'."));
        map.Done();
        return new PolicyTable(file, given, tests, policies) { Kind = kind };
    }

    private static PolicyTest? ReadTest(MapReader map, Given given, List<ManifestError> errors)
    {
        var before = errors.Count;
        var action = map.Required("action");
        if (action.Length > 0 && !Actions.Contains(action)) map.Fault(map.MarkOf("action"), "action", $"'{action}' is no action.{StrictYaml.Suggest(action, Actions)}");
        var declared = map.Map("declared");
        var test = new PolicyTest
        {
            Name = map.Required("name"),
            Mark = map.Mark,
            Action = action,
            Who = Who(map, given),
            Hook = action == "endTask" ? GivenReader.Find(map, "hook", map.Text("hook"), given.Hooks) : null,
            Task = action == "administerTask" ? null : GivenReader.Find(map, "task", map.Text("task"), given.Tasks),
            Role = action is "issue" or "renew" ? GivenReader.Find(map, "role", map.Text("role"), given.Roles) : null,
            Resource = Resource(map, given, action),
            Parameters = map.Pairs("parameters") ?? new Dictionary<string, string>(),
            Destination = map.Text("destination") ?? "",
            DeclaredDestination = declared?.Text("destination") ?? "",
            Audience = map.Text("audience") ?? "",
            Ttl = map.Duration("ttl") ?? TimeSpan.FromMinutes(15),
            RequestedTtl = map.Duration("requestedTtl"),
            ParentExpiresIn = map.Duration("parentExpiresIn"),
            Counters = Counters(map.Map("counters")),
            Now = map.Time("now") ?? given.Now,
            SourceIp = map.Address("sourceIp") ?? given.SourceIp,
            Expected = Expectation(map),
        };
        declared?.Done();
        CheckNeeds(map, test);
        map.Done();
        return errors.Count == before ? test : null;
    }

    private static WorkloadFacts? Who(MapReader map, Given given)
    {
        var who = GivenReader.Find(map, "who", map.Text("who"), given.Workloads);
        var (attributes, teams) = (map.Pairs("attributes"), map.Texts("teams"));
        if (who is null) return null;
        // A row may change what a token proves: of attributes those that it names, of teams all.
        var all = new Dictionary<string, string>(who.Attributes, StringComparer.Ordinal);
        foreach (var (name, value) in GivenReader.Attributes(who.Source, attributes)) all[name] = value;
        return who with { Attributes = all, Teams = teams is null ? who.Teams : GivenReader.Teams(who.Source, teams) };
    }

    private static (string Kind, string Name)? Resource(MapReader map, Given given, string action)
    {
        if (!Resources.TryGetValue(action, out var kinds)) return null;
        var found = kinds.Select(kind => (Kind: kind, Name: map.Text(kind))).Where(pair => pair.Name is not null).ToList();
        if (found is not [(var only, { Length: > 0 } name)])
        {
            map.Fault(map.Mark, kinds[0], $"{action} is about one of: {string.Join(", ", kinds)}.");
            return null;
        }

        object? thing = only switch
        {
            "workload" => GivenReader.Find(map, only, name, given.Workloads),
            "identitySource" => GivenReader.Find(map, only, name, given.Sources),
            "provider" => GivenReader.Find(map, only, name, given.Providers),
            "role" => GivenReader.Find(map, only, name, given.Roles),
            "hook" => GivenReader.Find(map, only, name, given.Hooks),
            "task" => GivenReader.Find(map, only, name, given.Tasks),
            _ => name,
        };
        return thing is null ? null : (only, name);
    }

    private static LeaseCounts Counters(MapReader? map)
    {
        if (map is null) return default;
        var counts = new LeaseCounts(map.Number("taskLeases"), map.Number("workloadLeases"), map.Number("roleLeases"), map.Number("providerLeases"));
        map.Done();
        return counts;
    }

    private static Expected Expectation(MapReader map)
    {
        var expect = map.Required("expect");
        if (expect.Length > 0 && expect is not ("allow" or "deny" or "approval")) map.Fault(map.MarkOf("expect"), "expect", "allow, deny or approval is expected.");
        var life = map.Text("maxTtl") == "none" ? TimeSpan.Zero : map.Duration("maxTtl");
        return new Expected(expect == "allow", expect == "approval", map.Texts("by"), life, map.Flag("errors"), map.Text("refusedAbove"));
    }

    private static void CheckNeeds(MapReader map, PolicyTest test)
    {
        if (test.Who is null && test.Hook is null && !map.Has("who") && !map.Has("hook")) map.Fault(map.Mark, "who", "This is required.");
        if (test is { Who: not null, Hook: not null }) map.Fault(map.MarkOf("hook"), "hook", "Either a workload or a hook asks.");
        if (test.Action is "issue" or "renew" && !map.Has("role")) map.Fault(map.Mark, "role", $"{test.Action} is about a role.");
        if (test.Action is "issue" or "renew" or "createTask" or "delegate" or "actOnTask" or "endTask" && !map.Has("task")) map.Fault(map.Mark, "task", $"{test.Action} is about a task.");
        if (test is { Action: "createTask", Task.Parent: not null }) map.Fault(map.MarkOf("task"), "task", "It has a task above it: opening it is asked as delegate.");
        if (test is { Action: "delegate", Task.Parent: null } && map.Has("task")) map.Fault(map.MarkOf("task"), "task", "It has no task above it: opening it is asked as createTask.");
        if (test.Action == "introspect" && test.Audience.Length == 0) map.Fault(map.Mark, "audience", "introspect is about tokens for an audience.");
    }
}

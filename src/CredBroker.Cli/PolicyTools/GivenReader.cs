using CredBroker.Manifests.Yaml;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>Reads <c>given</c>: the things that the rows of a table speak of. Names of nothing are errors, for a misspelled one would be denied, and look right.</summary>
internal static class GivenReader
{
    public static Given Read(MapReader? map)
    {
        var given = new Given();
        if (map is null) return given;
        if (map.Time("now") is { } now) given.Now = now;
        if (map.Address("sourceIp") is { } address) given.SourceIp = address;
        foreach (var (name, source) in map.Maps("identitySources")) ReadSource(given, name, source);
        foreach (var (name, workload) in map.Maps("workloads")) given.Workloads[name] = Workload(given, workload);
        foreach (var (name, provider) in map.Maps("providers")) given.Providers[name] = Provider(name, provider);
        foreach (var (name, role) in map.Maps("roles")) ReadRole(given, map, name, role);
        foreach (var (name, hook) in map.Maps("hooks")) given.Hooks[name] = Hook(name, hook);
        foreach (var (name, task) in map.Maps("tasks")) ReadTask(given, name, task);
        map.Done();
        return given;
    }

    /// <summary>The thing of a name; null, with an error, where there is none.</summary>
    public static T? Find<T>(MapReader map, string key, string? name, IReadOnlyDictionary<string, T> things)
        where T : class
    {
        if (string.IsNullOrEmpty(name)) return null;
        if (things.TryGetValue(name, out var thing)) return thing;
        map.Fault(map.MarkOf(key), key, $"Nothing given is called '{name}'.{StrictYaml.Suggest(name, [.. things.Keys])}");
        return null;
    }

    /// <summary>A workload's attributes or teams, named as its source names them.</summary>
    public static IReadOnlyDictionary<string, string> Attributes(string source, IReadOnlyDictionary<string, string>? pairs) =>
        (pairs ?? new Dictionary<string, string>()).ToDictionary(pair => $"{source}/{pair.Key}", pair => pair.Value, StringComparer.Ordinal);

    public static IReadOnlyList<string> Teams(string source, IReadOnlyList<string>? teams) => [.. (teams ?? []).Select(team => $"{source}/{team}")];

    private static void ReadSource(Given given, string name, MapReader map)
    {
        given.Sources[name] = new SourceFacts { Name = name, Environment = map.Text("environment") ?? "", People = map.Flag("people"), Owner = map.Text("owner") ?? "" };
        if (map.Flag("operator")) given.OperatorSources.Add(name);
        map.Done();
    }

    private static WorkloadFacts Workload(Given given, MapReader map)
    {
        var name = map.Required("identitySource");
        var source = Find(map, "identitySource", name, given.Sources);
        var facts = new WorkloadFacts
        {
            Source = name,
            Subject = map.Required("subject"),
            Environment = source?.Environment ?? "",
            People = source?.People ?? false,
            Instance = map.Text("instance"),
            Teams = Teams(name, map.Texts("teams")),
            Attributes = Attributes(name, map.Pairs("attributes")),
        };
        map.Done();
        return facts;
    }

    private static ProviderFacts Provider(string name, MapReader map)
    {
        var facts = new ProviderFacts
        {
            Name = name,
            Type = map.Text("type") ?? "",
            Environment = map.Text("environment") ?? "",
            Owner = map.Text("owner") ?? "",
            TargetIdentity = map.Text("targetIdentity") ?? "",
        };
        map.Done();
        return facts;
    }

    private static void ReadRole(Given given, MapReader parent, string name, MapReader map)
    {
        var parts = name.Split('/');
        ProviderFacts? provider = null;
        if (parts.Length != 2 || parts[1].Length == 0) parent.Fault(map.Mark, "roles", $"'{name}' is no role: write provider/role.");
        else provider = Find(parent, "roles", parts[0], given.Providers);
        var facts = new RoleFacts
        {
            Provider = provider ?? new ProviderFacts { Name = parts[0] },
            Name = parts[^1],
            Kind = map.Text("kind") ?? "",
            Sensitivity = map.Text("sensitivity") ?? "",
            Owner = map.Text("owner") ?? "",
            Revocability = Revocability(map),
            CanMint = map.Flag("canMint"),
        };
        map.Done();
        given.Roles[name] = facts;
    }

    private static string Revocability(MapReader map)
    {
        if (map.Text("revocability") is not { } text) return RevocabilityNames.All[0];
        if (!RevocabilityNames.All.Contains(text)) map.Fault(map.MarkOf("revocability"), "revocability", $"'{text}' is none.{StrictYaml.Suggest(text, RevocabilityNames.All)}");
        return text;
    }

    private static HookFacts Hook(string name, MapReader map)
    {
        var facts = new HookFacts { Name = name, Owner = map.Text("owner") ?? "" };
        map.Done();
        return facts;
    }

    private static void ReadTask(Given given, string name, MapReader map)
    {
        var performer = map.Required("performer");
        var by = Find(map, "performer", performer, given.Workloads);
        var opener = Find(map, "opener", map.Text("opener"), given.Workloads) ?? by;
        // Parents come first, so none is below itself.
        var above = Find(map, "parent", map.Text("parent"), given.Tasks);
        given.Tasks[name] = new GivenTask(
            new TaskFacts
            {
                Id = name,
                Opener = opener?.Name ?? "",
                Performer = by?.Name ?? "",
                Depth = above is null ? 0 : above.Facts.Depth + 1,
                Ancestors = above is null ? [] : [.. above.Facts.Ancestors, above.Facts.Id],
                What = map.Text("what") ?? "",
                ForWhom = map.Text("forWhom") ?? "",
                Data = map.Text("data") ?? "",
                Labels = map.Pairs("labels") ?? new Dictionary<string, string>(),
            },
            performer,
            map.Text("parent"));
        map.Done();
    }
}

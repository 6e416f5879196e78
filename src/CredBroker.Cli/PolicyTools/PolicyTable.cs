using System.Net;
using CredBroker.Manifests;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>A table of requests and what policy must say of them.</summary>
/// <param name="File">Its file.</param>
/// <param name="Given">The things that its requests speak of.</param>
/// <param name="Tests">Its rows.</param>
/// <param name="Policies">The files or folders, beside it, that hold the policies; none for all of its folder.</param>
internal sealed record PolicyTable(string File, Given Given, IReadOnlyList<PolicyTest> Tests, IReadOnlyList<string> Policies)
{
    /// <summary>The kind of the sets that do not say theirs.</summary>
    public string? Kind { get; init; }
}

/// <summary>The things that requests speak of, by the names that the table gives them.</summary>
internal sealed record Given
{
    public Dictionary<string, SourceFacts> Sources { get; } = new(StringComparer.Ordinal);

    /// <summary>The sources that are the operator's.</summary>
    public HashSet<string> OperatorSources { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, WorkloadFacts> Workloads { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, RoleFacts> Roles { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, ProviderFacts> Providers { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, HookFacts> Hooks { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, GivenTask> Tasks { get; } = new(StringComparer.Ordinal);

    public DateTimeOffset Now { get; set; } = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    public IPAddress SourceIp { get; set; } = IPAddress.Loopback;
}

/// <summary>A task, with the names of its performer and of the task above it in the table.</summary>
internal sealed record GivenTask(TaskFacts Facts, string Performer, string? Parent);

/// <summary>One row: a request, and what policy must say.</summary>
internal sealed record PolicyTest
{
    public required string Name { get; init; }

    public required SourceMark Mark { get; init; }

    public required string Action { get; init; }

    /// <summary>Who asks; null where a hook does.</summary>
    public WorkloadFacts? Who { get; init; }

    public HookFacts? Hook { get; init; }

    public GivenTask? Task { get; init; }

    public RoleFacts? Role { get; init; }

    /// <summary>What is administered or suspended: its kind (<c>provider</c>, <c>workload</c>, …) and its name in the table.</summary>
    public (string Kind, string Name)? Resource { get; init; }

    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    public string Destination { get; init; } = "";

    public string DeclaredDestination { get; init; } = "";

    public string Audience { get; init; } = "";

    public TimeSpan Ttl { get; init; }

    public TimeSpan? RequestedTtl { get; init; }

    public TimeSpan? ParentExpiresIn { get; init; }

    public LeaseCounts Counters { get; init; }

    public required DateTimeOffset Now { get; init; }

    public required IPAddress SourceIp { get; init; }

    public Expected? Expected { get; init; }
}

/// <summary>What policy must say. What is null may be anything.</summary>
/// <param name="Allow">Permitted or denied.</param>
/// <param name="Approval">Denied, and nothing but a person's approval is missing.</param>
/// <param name="By">The policies that decide, all of them: <c>id</c> or <c>set/id</c>.</param>
/// <param name="MaxTtl">The longest life; zero for none that any permit names.</param>
/// <param name="Errors">Whether a policy fails.</param>
/// <param name="RefusedAbove">The task above that could not get it itself.</param>
internal sealed record Expected(bool Allow, bool Approval, IReadOnlyList<string>? By, TimeSpan? MaxTtl, bool Errors, string? RefusedAbove);

using CredBroker.Abstractions;

namespace CredBroker.Benchmarks.Providers;

/// <summary>A provider in front of the stand-in of its target, with one role to issue from. One file of this folder for each provider.</summary>
/// <param name="Name">Provider and role, as in <c>vault scoped-token</c>.</param>
/// <param name="Start">Starts a stand-in of its own.</param>
internal sealed record ProviderScenario(string Name, Func<Task<MeasuredTarget>> Start)
{
    /// <summary>How many callers there may be at once; fewer where the broker itself lets only one at a time.</summary>
    public int MostCallers { get; init; } = int.MaxValue;

    /// <summary>Every scenario there is: a provider adds its own here.</summary>
    public static IReadOnlyList<ProviderScenario> All { get; } = [.. AwsScenarios.All, .. VaultScenarios.All, .. AzureScenarios.All];
}

/// <summary>What a scenario measures.</summary>
internal abstract class MeasuredTarget : IAsyncDisposable
{
    /// <summary>The provider, connected.</summary>
    public abstract IProvider Provider { get; }

    /// <summary>The role kind.</summary>
    public abstract string RoleKind { get; }

    /// <summary>The role's template.</summary>
    public abstract string Template { get; }

    /// <summary>How many requests the stand-in has received so far.</summary>
    public abstract int RoundTrips { get; }


    public abstract ValueTask DisposeAsync();

    /// <summary>A request for a lease of its own.</summary>
    public IssueRequest NewRequest()
    {
        var lease = Uid.New(TimeProvider.System);
        var now = TimeProvider.System.GetUtcNow();
        return new IssueRequest
        {
            LeaseId = lease,
            TaskId = Uid.New(TimeProvider.System),
            ExternalName = $"cb-test01-{lease}",
            Mark = $"cb1:test01:{lease}:0123abcd:{new string('m', 43)}",
            RoleKind = RoleKind,
            Template = System.Text.Json.JsonElement.Parse(Template),
            Workload = "source/subject",
            Deadline = now.AddSeconds(30),
            ExpiresAt = now.AddMinutes(20),
        };
    }
}

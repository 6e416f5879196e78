using CredBroker.Core.Clocks;
using CredBroker.Core.Pressure;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Diagnosis;

/// <summary>How the clock of the node that answers stands.</summary>
internal sealed class ClockExamination(StoreTime time) : IExamination
{
    public string Name => "clock";

    public Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken)
    {
        var state = time.State;
        IEnumerable<string?> wrong = [state.WhyNoIssue is { } issue ? $"{issue} Nothing is issued by this node." : null, state.WhyTimeHolds];
        return Task.FromResult<IReadOnlyList<Ailment>>([.. wrong.Where(what => what is not null).Select(what => new Ailment(
            Severity.Critical, "clock", "clock", what!, "Set this machine's clock right and keep it synchronised (chronyc tracking, timedatectl)"))]);
    }
}

/// <summary>Whether the store of the node that answers takes what is new.</summary>
internal sealed class PressureExamination(StorePressure pressure) : IExamination
{
    public string Name => "store";

    public Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken)
    {
        if (pressure.LowSpace)
        {
            return Found(new Ailment(
                Severity.Critical, "low-space", "store", $"The database has no room for what is new{(pressure.FreeBytes is { } free ? $": {free >> 20} MiB are free" : "")}. Nothing is opened or issued; ends and revocations use what is kept back.",
                "Make room where the database is"));
        }

        return pressure.Refusal is { } refusal ? Found(new Ailment(Severity.Warning, "store-busy", "store", refusal.Message, "See whether the database or its disk is slow; more calls than it can write are refused")) : Found();
    }

    private static Task<IReadOnlyList<Ailment>> Found(params IReadOnlyList<Ailment> ailments) => Task.FromResult(ailments);
}

/// <summary>Whether the node that answers has found notes of a second broker that runs as this installation.</summary>
internal sealed class AnchorExamination(Anchors anchors, Catalog catalog) : IExamination
{
    public string Name => "anchors";

    public Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken)
    {
        var found = new List<Ailment>();
        foreach (var (uid, since) in anchors.Strange)
        {
            if (!catalog.Current.TryFindProvider(uid, out var provider)) continue;
            found.Add(new Ailment(
                Severity.Critical, "second-installation", Subjects.Provider(provider.Name),
                $"Another broker with this installation's id and key, and another database, writes its note at the target; seen since {since:yyyy-MM-dd HH:mm:ss} UTC. It can revoke what this one issued.",
                "Stop that broker, such as a restore drill that reaches this target; then remove its note there (postgresql: DROP ROLE cba_...) before any node of this installation starts anew"));
        }

        return Task.FromResult<IReadOnlyList<Ailment>>(found);
    }
}

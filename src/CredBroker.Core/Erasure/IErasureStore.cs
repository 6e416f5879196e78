using CredBroker.Abstractions;
using CredBroker.Core.Audit;

namespace CredBroker.Core.Erasure;

/// <summary>Erases free texts: what people, agents and providers wrote in their own words.</summary>
public interface IErasureStore
{
    /// <summary>
    /// Erases the texts of one task that has ended and whose leases are all proven dead: its intent and labels, what providers said of its leases, in the rows, in kept
    /// receipts and beside its audit events. That it happened is told in the same transaction. Answered once the database's own files have let go of it as far as they can.
    /// </summary>
    Task<EraseOutcome> EraseAsync(Uid task, Actor by, CancellationToken cancellationToken);
}

/// <summary>What came of erasing.</summary>
public abstract record EraseOutcome
{
    private EraseOutcome()
    {
    }

    /// <summary>Nothing of it is there any more; so many texts were.</summary>
    public sealed record Erased(int Texts) : EraseOutcome;

    /// <summary>The task runs: policy asks with its intent.</summary>
    public sealed record Running : EraseOutcome;

    /// <summary>Leases are not proven dead: what the provider says is needed.</summary>
    public sealed record Unproven : EraseOutcome;

    /// <summary>There is no such task.</summary>
    public sealed record Unknown : EraseOutcome;
}

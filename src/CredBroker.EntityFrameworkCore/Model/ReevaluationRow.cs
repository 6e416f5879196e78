using CredBroker.Abstractions;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>Leases that have to be decided again, and how far that is.</summary>
public sealed class ReevaluationRow
{
    /// <summary>The workload's or task's id; the nil id for all leases.</summary>
    public Uid Id { get; set; }

    /// <summary>The workload whose attributes changed.</summary>
    public Uid? Workload { get; set; }

    /// <summary>The task that changed.</summary>
    public Uid? TaskId { get; set; }

    public DateTimeOffset RequestedAt { get; set; }

    /// <summary>When it begins: changes that belong together come before.</summary>
    public DateTimeOffset DueAt { get; set; }

    /// <summary>Until when the last claim holds.</summary>
    public DateTimeOffset Until { get; set; }

    /// <summary>Grows with every claim and every new cause.</summary>
    public long Fence { get; set; }

    /// <summary>The last lease that was decided again.</summary>
    public Uid? Cursor { get; set; }

    /// <summary>Whether another cause came while it was under way: then it begins anew when it is through, so that causes which keep coming starve nobody.</summary>
    public bool Again { get; set; }

    public long Examined { get; set; }
    public long Revoked { get; set; }
    public long Unclear { get; set; }
}

namespace CredBroker.Core.Reconciliation;

/// <summary>What a reconciliation may do about what it finds.</summary>
public enum ReconciliationMode
{
    /// <summary>Tell of it.</summary>
    Report = 1,

    /// <summary>Revoke again what is alive and was taken for dead, and end what is gone and was taken for alive.</summary>
    Sweep = 2,
}

/// <summary>What can be wrong between a target and the database.</summary>
public enum FindingKind
{
    /// <summary>Alive at the target under our valid mark, and dead in the database.</summary>
    Reappeared = 1,

    /// <summary>Alive in the database, and not at the target.</summary>
    Missing = 2,

    /// <summary>At the target under our valid mark, and not in the database: what came after a backup that was restored looks so. Never revoked.</summary>
    Unknown = 3,

    /// <summary>A mark of ours that no key of ours made, or that stands on something else than it was made for. Never acted on.</summary>
    Forged = 4,

    /// <summary>A name of ours without a mark. Never acted on.</summary>
    Unmarked = 5,
}

/// <summary>One thing that was found.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="ExternalName">Its name at the target, cut and cleaned: others may have chosen it.</param>
/// <param name="Lease">The id of the lease that it belongs to; empty where none is proven.</param>
public sealed record ReconciliationFinding(FindingKind Kind, string ExternalName, string Lease);

/// <summary>What one run found at one provider. What was found is in <see cref="Findings"/> up to a number, and counted in full.</summary>
public sealed record ReconciliationReport
{
    /// <summary>How many findings are kept.</summary>
    public const int MostFindings = 100;

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it was over.</summary>
    public required DateTimeOffset EndedAt { get; init; }

    /// <summary>Whether the listing came to its end, at the target that the provider is registered for.</summary>
    public required bool Complete { get; init; }

    /// <summary>Why it is not complete; empty when it is.</summary>
    public string Error { get; init; } = "";

    /// <summary>How many things the target listed.</summary>
    public long Listed { get; init; }

    /// <summary>How many live leases were held against the listing.</summary>
    public long Compared { get; init; }

    /// <summary>How many things carry the mark of another installation: its own business.</summary>
    public long OtherInstallations { get; init; }

    /// <summary>See <see cref="FindingKind.Reappeared"/>.</summary>
    public long Reappeared { get; init; }

    /// <summary>See <see cref="FindingKind.Missing"/>.</summary>
    public long Missing { get; init; }

    /// <summary>See <see cref="FindingKind.Unknown"/>.</summary>
    public long Unknown { get; init; }

    /// <summary>See <see cref="FindingKind.Forged"/>.</summary>
    public long Forged { get; init; }

    /// <summary>See <see cref="FindingKind.Unmarked"/>.</summary>
    public long Unmarked { get; init; }

    /// <summary>Of the unknown ones, those that nobody has accepted yet.</summary>
    public long NotAccepted { get; init; }

    /// <summary>In quarantine: leases from before it of which the listing can say nothing. While there are any, a person must release it.</summary>
    public long Uncovered { get; init; }

    /// <summary>How many leases were changed by it.</summary>
    public long Acted { get; init; }

    /// <summary>So many leases are missing that rather the listing is doubted: none was ended for it.</summary>
    public bool TooManyMissing { get; init; }

    /// <summary>Some of what was found.</summary>
    public IReadOnlyList<ReconciliationFinding> Findings { get; init; } = [];

    /// <summary>How many of a kind.</summary>
    public long CountOf(FindingKind kind) => kind switch
    {
        FindingKind.Reappeared => Reappeared,
        FindingKind.Missing => Missing,
        FindingKind.Unknown => Unknown,
        FindingKind.Forged => Forged,
        FindingKind.Unmarked => Unmarked,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Whether somebody must look: what others put there under our name is no such thing, else whoever can do that could raise alarms at will.</summary>
    public bool NeedsAPerson() => Reappeared + Missing + Unknown > 0;
}

using CredBroker.Abstractions;
using CredBroker.Core.Signing;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>The database itself: one that was restored begins another epoch, and the earlier ones are remembered. The highest id is the present one.</summary>
public sealed class EpochRow
{
    public int Id { get; set; }
    public Uid Epoch { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
}

/// <summary>The oldest version that may use the database: the one that knows this migration. One row; empty where every version may.</summary>
public sealed class SchemaFloorRow
{
    public int Id { get; set; }
    public string OldestMigration { get; set; } = "";
}

/// <summary>
/// One start of one node's writer. Every commit writes its row: the commit's number, the highest time ever committed, and the head of its
/// audit chain. So the row also tells whether a commit whose answer was lost has happened.
/// </summary>
public sealed class WriterRow
{
    public Uid Uid { get; set; }
    public Uid Epoch { get; set; }
    public long Commits { get; set; }
    public DateTimeOffset At { get; set; }

    /// <summary>The newest migration that its version knows.</summary>
    public string Migration { get; set; } = "";

    /// <summary>A migration has taken away what its version needs: it commits nothing any more.</summary>
    public bool Retired { get; set; }

    public long AuditSequence { get; set; }
    public byte[] AuditHash { get; set; } = [];
}

/// <summary>When a node was last there to receive signs of life, and a time in which none was, as long as its consequences are not all written.</summary>
public sealed class LifeRow
{
    public int Id { get; set; }
    public DateTimeOffset AliveAt { get; set; }

    /// <summary>The last sign of life before the gap; null when there is none to be made good.</summary>
    public DateTimeOffset? DownFrom { get; set; }

    /// <summary>The first sign of life after it.</summary>
    public DateTimeOffset? DownTo { get; set; }

    /// <summary>The last task that was looked at.</summary>
    public Uid? Cursor { get; set; }
}

/// <summary>An audit event in its place.</summary>
public sealed class AuditRow
{
    public Uid Writer { get; set; }
    public long Sequence { get; set; }
    public DateTimeOffset At { get; set; }
    public string Type { get; set; } = "";
    public string ByKind { get; set; } = "";
    public string ByName { get; set; } = "";
    public Uid? TaskId { get; set; }
    public Uid? LeaseId { get; set; }
    public Uid? DecisionId { get; set; }
    public string Resource { get; set; } = "";
    public string Detail { get; set; } = "";
    public byte[] PreviousHash { get; set; } = [];
    public byte[] Hash { get; set; } = [];
}

/// <summary>A free text of an audit event, apart from it: the event has its hash.</summary>
public sealed class AuditTextRow
{
    public Uid Writer { get; set; }
    public long Sequence { get; set; }
    public string Name { get; set; } = "";
    public string Body { get; set; } = "";
    public byte[] Salt { get; set; } = [];
}

/// <summary>A signing key; its private part encrypted.</summary>
public sealed class SigningKeyRow
{
    public Uid Uid { get; set; }
    public KeyFamily Family { get; set; }
    public int Ordinal { get; set; }
    public string KeyId { get; set; } = "";
    public byte[] Encrypted { get; set; } = [];
    public DateTimeOffset PublishedAt { get; set; }
    public DateTimeOffset UseFrom { get; set; }
    public DateTimeOffset? RetireAt { get; set; }
}

/// <summary>An element of Data Protection's key ring; its secret wrapped.</summary>
public sealed class ProtectionKeyRow
{
    public Uid Id { get; set; }
    public string Name { get; set; } = "";
    public string Xml { get; set; } = "";
}

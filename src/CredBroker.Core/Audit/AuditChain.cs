using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Abstractions;

namespace CredBroker.Core.Audit;

/// <summary>The chain that one writer's events form: each holds the hash of the one before, so that a change, a gap or a cut tail shows.</summary>
public static class AuditChain
{
    private static readonly byte[] Domain = "credbroker.audit.v1"u8.ToArray();

    /// <summary>What stands before the first event.</summary>
    public static byte[] Start { get; } = new byte[SHA256.HashSizeInBytes];

    /// <summary>
    /// SHA-256 over a canonical form of an event: every field with its length (32 bits, most significant first), absent ones marked, so that no two
    /// different events have the same bytes.
    /// </summary>
    public static byte[] HashOf(Uid writer, long sequence, DateTimeOffset at, AuditDraft draft, byte[] previous)
    {
        ArgumentNullException.ThrowIfNull(draft);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Domain);
        Append(hash, previous);
        Append(hash, writer.ToBytes());
        Append(hash, sequence);
        Append(hash, at.ToMicros());
        Append(hash, Encoding.UTF8.GetBytes(draft.Type));
        Append(hash, Encoding.UTF8.GetBytes(draft.By.Kind));
        Append(hash, Encoding.UTF8.GetBytes(draft.By.Name));
        Append(hash, draft.TaskId?.ToBytes());
        Append(hash, draft.LeaseId?.ToBytes());
        Append(hash, draft.DecisionId?.ToBytes());
        Append(hash, Encoding.UTF8.GetBytes(draft.Resource));
        Append(hash, Encoding.UTF8.GetBytes(draft.Detail.ToJsonString()));
        return hash.GetHashAndReset();
    }

    /// <summary>
    /// Checks one writer's events, in their order and from the first. <paramref name="head"/> is the last event's place and hash as it was noted
    /// elsewhere: without it, a cut tail cannot be seen.
    /// </summary>
    public static AuditFinding Verify(IEnumerable<AuditEvent> events, AuditHead? head = null)
    {
        ArgumentNullException.ThrowIfNull(events);
        var sequence = 0L;
        var previous = Start;
        var met = head is not { Sequence: > 0 };
        foreach (var found in events)
        {
            if (found.Sequence != sequence + 1) return new AuditFinding.Gap(sequence + 1, found.Sequence);
            sequence = found.Sequence;
            var hash = HashOf(found.Writer, found.Sequence, found.At, found.Draft, previous);
            if (!found.PreviousHash.AsSpan().SequenceEqual(previous) || !found.Hash.AsSpan().SequenceEqual(hash)) return new AuditFinding.Changed(sequence);
            if (head is not null && head.Sequence == sequence)
            {
                if (!head.Hash.AsSpan().SequenceEqual(hash)) return new AuditFinding.Changed(sequence);
                met = true;
            }

            previous = hash;
        }

        return met ? new AuditFinding.Sound(new AuditHead(sequence, previous)) : new AuditFinding.Cut(sequence, head!.Sequence);
    }

    private static void Append(IncrementalHash hash, long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, byte[]? value)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, value?.Length ?? -1);
        hash.AppendData(length);
        if (value is not null) hash.AppendData(value);
    }
}

/// <summary>The end of a writer's chain.</summary>
public sealed record AuditHead(long Sequence, byte[] Hash);

/// <summary>What a check of a chain found.</summary>
public abstract record AuditFinding
{
    private AuditFinding()
    {
    }

    /// <summary>It is as it was written, up to this end.</summary>
    public sealed record Sound(AuditHead Head) : AuditFinding;

    /// <summary>This event, or its link to the one before, was changed.</summary>
    public sealed record Changed(long Sequence) : AuditFinding;

    /// <summary>An event is missing.</summary>
    public sealed record Gap(long Expected, long Found) : AuditFinding;

    /// <summary>The chain ends before the head that is known.</summary>
    public sealed record Cut(long Ends, long Known) : AuditFinding;
}

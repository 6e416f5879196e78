using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.Extensions.Logging;

namespace CredBroker.EntityFrameworkCore.Quarantine;

/// <summary>
/// Recognises a database that is older than it was: by the witness at start, and by this node's own memory whenever it connects again. What it finds becomes the first
/// transaction of the writer's new incarnation: another epoch, and every provider in quarantine. Dying before that commit finds it again; the witness knows the new epoch
/// only after it. An epoch that was seen and is not known becomes one that is over, in the same transaction: whoever else has seen it finds no second restore by it.
/// </summary>
internal sealed partial class RestoreGuard(Witness witness, ILogger<RestoreGuard> logger)
{
    /// <summary>Whether what this node committed last is there.</summary>
    public static async Task<bool> HasAsync(WriteSession session, WriterRow committed)
    {
        var row = await session.FindAsync(session.Tables.Writers, $"WHERE x.uid = {committed.Uid}");
        return row is not null && row.Commits >= committed.Commits;
    }

    /// <summary>Why the database is taken for one that was restored; null when it is not. <paramref name="remembered"/>: the last commit that this process saw, if it saw any.</summary>
    public async Task<Suspicion?> SuspicionAsync(WriteSession session, EpochRow present, WriterRow? remembered)
    {
        if (remembered is not null) return await SuspicionAsync(session, present, remembered.Epoch, remembered.Uid, remembered.Commits, "this server");
        if (!witness.Kept) return null;
        var (exists, note) = witness.Read();
        if (note is not null && Uid.TryParse(note.Epoch, out var epoch) && Uid.TryParse(note.Writer, out var writer))
            return await SuspicionAsync(session, present, epoch, writer, note.Commits, "the witness");
        if (exists) return new Suspicion("The witness cannot be read.");
        // A node that joins others has none yet. A file has one process: whoever has it without its witness has a copy.
        var used = !session.Dialect.LocksRows && await session.CountAsync($"SELECT 1 FROM {session.Tables.Writers.Name} x LIMIT 1") > 0;
        return used ? new Suspicion("The database is not new, and its witness is missing.") : null;
    }

    /// <summary>The new epoch with its quarantine, to be committed with the writer's first batch.</summary>
    public async Task BeginAsync(WriteSession session, EpochRow present, Uid next, Suspicion suspicion)
    {
        LogRestored(logger, suspicion.Why);
        Uid[] begun = suspicion.UnknownEpoch is { } lost ? [lost, next] : [next];
        await session.InsertAsync(session.Tables.Epochs, [.. begun.Select((epoch, index) => new EpochRow { Id = present.Id + 1 + index, Epoch = epoch, CreatedAt = session.Now })]);
        session.Audit(new AuditDraft(AuditTypes.DatabaseRestored, Actor.Broker) { Detail = new JsonObject { ["epoch"] = next.ToString(), ["why"] = suspicion.Why } });
        await Quarantining.StartAllAsync(session, suspicion.Why);
    }

    /// <summary>The same, by a note that somebody else kept.</summary>
    public static async Task<Suspicion?> SuspicionAsync(WriteSession session, EpochRow present, Uid epoch, Uid writer, long commits, string who)
    {
        if (epoch != present.Epoch)
        {
            // Another node has found the restore that made that epoch the past.
            return await session.CountAsync($"SELECT 1 FROM {session.Tables.Epochs.Name} x WHERE x.epoch = {epoch}") > 0 ? null : new Suspicion($"The database does not know the epoch that {who} has seen.", epoch);
        }

        var row = await session.FindAsync(session.Tables.Writers, $"WHERE x.uid = {writer}");
        if (row is null) return new Suspicion($"The database does not know the writer whose {commits} commits {who} has seen.");
        return row.Commits < commits ? new Suspicion($"The database has {row.Commits} commits of a writer of which {who} has seen {commits}.") : null;
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "A backup was restored: {Why} Every provider is in quarantine: nothing is revoked on the word of stored time, and nothing issued, until a complete listing or a person clears it. See credbroker quarantine show")]
    private static partial void LogRestored(ILogger logger, string why);
}

/// <summary>Why a database is taken for one that was restored.</summary>
/// <param name="Why">For people.</param>
/// <param name="UnknownEpoch">The epoch that was seen and that the database does not know, if it is that.</param>
internal sealed record Suspicion(string Why, Uid? UnknownEpoch = null);

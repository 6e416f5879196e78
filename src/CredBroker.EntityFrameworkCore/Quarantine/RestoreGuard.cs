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
/// only after it.
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
    public async Task<string?> SuspicionAsync(WriteSession session, EpochRow present, WriterRow? remembered)
    {
        if (remembered is not null) return await SuspicionAsync(session, present, remembered.Epoch, remembered.Uid, remembered.Commits, "this server");
        if (!witness.Kept) return null;
        var (exists, note) = witness.Read();
        if (note is not null && Uid.TryParse(note.Epoch, out var epoch) && Uid.TryParse(note.Writer, out var writer))
            return await SuspicionAsync(session, present, epoch, writer, note.Commits, "the witness");
        if (exists) return "The witness cannot be read.";
        // A node that joins others has none yet. A file has one process: whoever has it without its witness has a copy.
        var used = !session.Dialect.LocksRows && await session.CountAsync($"SELECT 1 FROM {session.Tables.Writers.Name} x LIMIT 1") > 0;
        return used ? "The database is not new, and its witness is missing." : null;
    }

    /// <summary>The new epoch with its quarantine, to be committed with the writer's first batch.</summary>
    public async Task BeginAsync(WriteSession session, EpochRow next, string why)
    {
        LogRestored(logger, why);
        await session.InsertAsync(session.Tables.Epochs, next);
        session.Audit(new AuditDraft(AuditTypes.DatabaseRestored, Actor.Broker) { Detail = new JsonObject { ["epoch"] = next.Epoch.ToString(), ["why"] = why } });
        await Quarantining.StartAllAsync(session, why);
    }

    /// <summary>The same, by a note that somebody else kept.</summary>
    public static async Task<string?> SuspicionAsync(WriteSession session, EpochRow present, Uid epoch, Uid writer, long commits, string who)
    {
        if (epoch != present.Epoch)
        {
            // Another node has found the restore that made that epoch the past.
            return await session.CountAsync($"SELECT 1 FROM {session.Tables.Epochs.Name} x WHERE x.epoch = {epoch}") > 0 ? null : $"The database does not know the epoch that {who} has seen.";
        }

        var row = await session.FindAsync(session.Tables.Writers, $"WHERE x.uid = {writer}");
        if (row is null) return $"The database does not know the writer whose {commits} commits {who} has seen.";
        return row.Commits < commits ? $"The database has {row.Commits} commits of a writer of which {who} has seen {commits}." : null;
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "A backup was restored: {Why} Every provider is in quarantine: nothing is revoked on the word of stored time, and nothing issued, until a complete listing or a person clears it. See credbroker quarantine show")]
    private static partial void LogRestored(ILogger logger, string why);
}

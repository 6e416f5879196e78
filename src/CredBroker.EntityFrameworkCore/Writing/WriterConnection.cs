using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Quarantine;
using CredBroker.EntityFrameworkCore.Registry;
using Microsoft.Extensions.Logging;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>
/// The writer's connection and what every commit says of itself: the writer's incarnation, the commit's number, the time, and the head of
/// the audit chain. The one place where a commit is made.
/// </summary>
internal sealed partial class WriterConnection(
    Dialect dialect, Tables tables, StoreTime clock, TimeProvider time, SchemaFloor floor, Witness witness, RestoreGuard restores, ILogger<WriterConnection> logger, CommitHook? hook = null) : IAsyncDisposable
{
    private const int RereadAtMost = 3;
    private WriteSession? _session;
    private WriterRow? _committed;
    private WriterRow? _writing;
    private bool _unscrubbed;

    /// <summary>This start of this node's writer; null before the first change.</summary>
    public Uid? Incarnation => _committed?.Uid;

    /// <summary>What was committed last; null before the first change.</summary>
    public CommitNote? Latest => _committed is { } row ? new CommitNote(row.Epoch, row.Uid, row.Commits, row.At) : null;

    /// <summary>The open session.</summary>
    public async Task<WriteSession> OpenAsync()
    {
        if (_session is not null) return _session;
        var session = new WriteSession(await dialect.ConnectAsync(CancellationToken.None), dialect, tables);
        try
        {
            await floor.CheckAsync(session);
            if (_committed is null || !await RestoreGuard.HasAsync(session, _committed))
            {
                await BeginIncarnationAsync(session);
                // A migration that raised the floor meanwhile did not see this writer's row.
                await floor.CheckAsync(session);
            }
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }

        return _session = session;
    }

    /// <summary>Writes what the batch counted, gives its events their places, and writes the writer's own row: the last statements before the commit.</summary>
    public async Task WriteHeadAsync(WriteSession session)
    {
        var head = _committed ?? throw new InvalidOperationException("The writer has no incarnation.");
        await Counters.WriteAsync(session);
        var rows = new List<AuditRow>(session.Drafts.Count);
        var texts = new List<AuditTextRow>();
        var (sequence, hash) = (head.AuditSequence, head.AuditHash);
        foreach (var (draft, at) in session.Drafts)
        {
            var previous = hash;
            var (told, apart) = AuditMapping.Part(draft, head.Uid, ++sequence);
            hash = AuditChain.HashOf(head.Uid, sequence, at, told, previous);
            rows.Add(AuditMapping.ToRow(told, head.Uid, sequence, at, previous, hash));
            texts.AddRange(apart);
        }

        await session.InsertAsync(tables.Audit, rows);
        await session.InsertAsync(tables.AuditTexts, texts);
        _writing = new WriterRow { Uid = head.Uid, Epoch = session.NewEpoch ?? head.Epoch, Commits = head.Commits + 1, At = clock.Now(), AuditSequence = sequence, AuditHash = hash };
        var written = await session.ExecuteAsync(
            $"UPDATE {tables.Writers.Name} SET commits = {_writing.Commits}, at = {_writing.At}, audit_sequence = {sequence}, audit_hash = {hash} WHERE uid = {head.Uid} AND NOT retired");
        if (written == 0) throw floor.Fallen();
        if (session.NewEpoch is { } begun) await session.ExecuteAsync($"UPDATE {tables.Writers.Name} SET epoch = {begun} WHERE uid = {head.Uid}");
    }

    /// <summary>Commits. A commit whose answer was lost is looked up, because the writer's row says whether it happened.</summary>
    public async Task<CommitOutcome> CommitAsync(WriteSession session)
    {
        hook?.BeforeCommit();
        try
        {
            await session.ControlAsync("COMMIT");
        }
        catch (Exception e) when (dialect.IsRace(e))
        {
            await DropAsync();
            return new CommitOutcome.Raced(e);
        }
        catch (Exception e)
        {
            LogCommitLost(logger, e);
            await DropAsync();
            if (await WasCommittedAsync() is not { } happened)
            {
                // Nobody knows where this chain ends: the next one is another's.
                _committed = null;
                return new CommitOutcome.Failed(new StoreUnavailableException("The commit was sent, but its answer was lost: read again before answering anybody.", outcomeUnknown: true, e));
            }

            if (!happened) return new CommitOutcome.Failed(new StoreUnavailableException("The database did not take the commit.", outcomeUnknown: false, e));
        }

        _committed = _writing;
        clock.Raise(_committed!.At);
        witness.Saw(_committed.Epoch, _committed.Uid, _committed.Commits, must: _committed.Commits == 1);
        return new CommitOutcome.Committed();
    }

    /// <summary>
    /// Makes the database's files let go of what was erased, as far as the database can. What cannot be done now (somebody reads) is done after the next commit.
    /// </summary>
    public async Task ScrubAsync(WriteSession session)
    {
        _unscrubbed |= session.Erased;
        if (!_unscrubbed || dialect.Scrub is not { } scrub) return;
        try
        {
            var busy = await session.ReadAsync(scrub, static reader => Convert.ToInt64(reader.GetValue(0), System.Globalization.CultureInfo.InvariantCulture));
            _unscrubbed = busy is not [0];
        }
        catch (Exception e)
        {
            LogCommitLost(logger, e);
            await DropAsync();
        }
    }

    /// <summary>Gives up the connection; the next batch makes another.</summary>
    public async Task DropAsync()
    {
        if (Interlocked.Exchange(ref _session, null) is not { } session) return;
        try
        {
            await session.DisposeAsync();
        }
        catch (Exception e)
        {
            LogCommitLost(logger, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        witness.Flush();
        await DropAsync();
    }

    private async Task BeginIncarnationAsync(WriteSession session)
    {
        await session.InsertIfNewAsync(tables.Epochs, new EpochRow { Id = 1, Epoch = Uid.New(time), CreatedAt = clock.Now() });
        var present = (await session.FindAsync(tables.Epochs, $"ORDER BY x.id DESC LIMIT 1"))!;
        var suspicion = await restores.SuspicionAsync(session, present, _committed);
        var highest = await session.ReadAsync($"SELECT max(x.at) FROM {tables.Writers.Name} x", static reader => SqlValues.ToInstant(reader.GetValue(0)));
        if (highest[0] is { } at) clock.Raise(at);
        var epoch = suspicion is null ? present.Epoch : Uid.New(time);
        // Written before its first batch, so that there is a row to lock when a commit's answer is lost.
        var row = new WriterRow { Uid = Uid.New(time), Epoch = epoch, Commits = 0, At = clock.Now(), Migration = floor.Newest, AuditSequence = 0, AuditHash = AuditChain.Start };
        if (suspicion is null) await session.InsertAsync(tables.Writers, row);
        else await BeginEpochAsync(session, row, present, suspicion);
        _committed = suspicion is null ? row : _writing;
        witness.Saw(epoch, row.Uid, _committed!.Commits, must: true);
    }

    // All or nothing: whoever dies here finds it again.
    private async Task BeginEpochAsync(WriteSession session, WriterRow row, EpochRow present, Suspicion suspicion)
    {
        await session.ControlAsync(dialect.Begin);
        session.Reset();
        session.Now = clock.Now();
        await session.InsertAsync(tables.Writers, row);
        await restores.BeginAsync(session, present, row.Epoch, suspicion);
        _committed = row;
        await WriteHeadAsync(session);
        await session.ControlAsync("COMMIT");
    }

    private async Task<bool?> WasCommittedAsync()
    {
        var writing = _writing!;
        for (var attempt = 0; attempt < RereadAtMost; attempt++)
        {
            try
            {
                var session = await OpenAsync();
                await session.ControlAsync(dialect.Begin);
                // The lock waits for a transaction that is still ending.
                var found = await session.FindAsync(tables.Writers, $"WHERE x.uid = {writing.Uid} {dialect.ForUpdate}");
                await session.ControlAsync("ROLLBACK");
                return found is not null && found.Commits >= writing.Commits;
            }
            catch (Exception e)
            {
                LogCommitLost(logger, e);
                await DropAsync();
            }
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The connection of the store's writer failed")]
    private static partial void LogCommitLost(ILogger logger, Exception error);
}

/// <summary>What runs when a transaction has done everything but commit. Nobody registers one but the host that tests being killed there.</summary>
internal sealed record CommitHook(Action BeforeCommit);

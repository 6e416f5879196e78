using CredBroker.Core;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Pressure;
using Microsoft.Extensions.Logging;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>
/// The one writer of this node. Intentions wait in a queue; it takes as many as are there, runs one after another and commits them together, so that one
/// write to the disk serves all. When one of them throws, all run again, each in a savepoint, so that it fails alone. Nobody is answered before the commit.
/// </summary>
internal sealed partial class BrokerWriter : IAsyncDisposable
{
    private const int MostRuns = 10;
    private readonly WriteQueue _queue;
    private readonly StorePressure _pressure;
    private readonly WriterConnection _connection;
    private readonly Dialect _dialect;
    private readonly StoreTime _clock;
    private readonly Signals _signals;
    private readonly ILogger _logger;
    private readonly Task _loop;

    public BrokerWriter(WriterConnection connection, Dialect dialect, StoreTime clock, Signals signals, WriteQueue queue, StorePressure pressure, ILogger<BrokerWriter> logger)
    {
        (_connection, _dialect, _clock, _signals, _queue, _pressure, _logger) = (connection, dialect, clock, signals, queue, pressure, logger);
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>Whether nobody waits to be written: when what is in no hurry may go.</summary>
    public bool Idle => _queue.Count == 0;

    /// <summary>Runs a change and answers it after its commit. <paramref name="work"/> may run more than once, and must not wait for anything but the session.</summary>
    /// <exception cref="StoreUnavailableException">The queue has no room for it, or the database cannot take it.</exception>
    public Task<T> WriteAsync<T>(LockSet locks, Func<WriteSession, Task<T>> work, CancellationToken cancellationToken) => WriteAsync(Urgency.New, locks, work, cancellationToken);

    /// <summary>The same, before or after others.</summary>
    /// <exception cref="StoreUnavailableException">The queue has no room for it, or the database cannot take it.</exception>
    public async Task<T> WriteAsync<T>(Urgency urgency, LockSet locks, Func<WriteSession, Task<T>> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var intention = new Intention<T>(urgency, locks, work, cancellationToken);
        _queue.Add(intention);
        return await intention.Answered;
    }

    /// <summary>Finishes what waits, and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Complete();
        await _loop;
        await _connection.DisposeAsync();
    }

    private async Task LoopAsync()
    {
        while (await _queue.WaitAsync())
        {
            // Shared and exclusive locks in one transaction could wait for each other across nodes.
            var batch = _queue.Take(_dialect.MaxBatch, apart: _dialect.LocksRows);
            if (batch.Count == 0) continue;
            try
            {
                await CommitAsync(batch);
            }
            catch (Exception e)
            {
                // Whatever it was: the writer goes on, and nobody waits for ever.
                LogBatchFailed(_logger, batch.Count, e);
                foreach (var intention in batch) intention.Fail(new StoreUnavailableException("The store could not write this.", outcomeUnknown: false, e));
            }
        }
    }

    private async Task CommitAsync(List<Intention> batch)
    {
        var savepoints = false;
        for (var run = 1; ; run++)
        {
            switch (await TryCommitAsync(batch, savepoints))
            {
                case CommitOutcome.Disturbed:
                    savepoints = true;
                    break;
                case CommitOutcome.Committed:
                    foreach (var intention in batch) intention.Answer();
                    return;
                case CommitOutcome.Failed failed:
                    Note(failed.Error);
                    foreach (var intention in batch) intention.Fail(failed.Error);
                    return;
                case CommitOutcome.Raced raced when run == MostRuns:
                    foreach (var intention in batch) intention.Fail(new StoreUnavailableException("Other nodes were always faster.", outcomeUnknown: false, raced.Error));
                    return;
                case CommitOutcome.Raced when batch.Count > 1 && run >= MostRuns / 2:
                    // Together they keep losing: each by itself holds less.
                    foreach (var intention in batch) await CommitAsync([intention]);
                    return;
            }
        }
    }

    private async Task<CommitOutcome> TryCommitAsync(List<Intention> batch, bool savepoints)
    {
        WriteSession session;
        try
        {
            session = await _connection.OpenAsync();
        }
        catch (Exception e)
        {
            LogUnreachable(_logger, e);
            return new CommitOutcome.Failed(e as StoreUnavailableException ?? new StoreUnavailableException("The database cannot be reached.", outcomeUnknown: false, e));
        }

        Intention? running = null;
        try
        {
            session.Reset();
            await session.ControlAsync(_dialect.Begin);
            session.Now = _clock.Now();
            if (_dialect.LocksRows) await BatchLocks.TakeAsync(session, [.. batch.Select(intention => intention.Locks)]);
            foreach (var intention in batch)
            {
                running = intention;
                if (savepoints) await RunInSavepointAsync(session, intention, first: intention == batch[0]);
                else await RunAsync(session, intention);
            }

            running = null;
            if (!session.Wrote && session.Drafts.Count == 0)
            {
                await session.ControlAsync("ROLLBACK");
                return new CommitOutcome.Committed();
            }

            await _connection.WriteHeadAsync(session);
        }
        catch (Exception e)
        {
            return await UndoAsync(session, e, one: running is not null && batch.Count > 1 && !savepoints);
        }

        var outcome = await _connection.CommitAsync(session);
        if (outcome is CommitOutcome.Committed && session.MadeWork) _signals.Set();
        if (outcome is CommitOutcome.Committed) await _connection.ScrubAsync(session);
        return outcome;
    }

    private Task RunAsync(WriteSession session, Intention intention)
    {
        intention.Error = null;
        session.Now = _clock.Now();
        return intention.RunAsync(session);
    }

    private async Task RunInSavepointAsync(WriteSession session, Intention intention, bool first)
    {
        var mark = session.Mark();
        try
        {
            // One way over the network for the end of the one before and the beginning of this one.
            await session.ControlAsync(first ? "SAVEPOINT intention" : "RELEASE SAVEPOINT intention; SAVEPOINT intention");
            await RunAsync(session, intention);
        }
        catch (Exception e) when (!EndsAll(e, session))
        {
            await session.ControlAsync("ROLLBACK TO SAVEPOINT intention");
            session.Return(mark);
            intention.Error = ToAnswer(e, session);
            Note(intention.Error);
        }
    }

    private bool EndsAll(Exception error, WriteSession session) => _dialect.IsRace(error) || _dialect.IsFatal(error, session.Connection);

    private async Task<CommitOutcome> UndoAsync(WriteSession session, Exception error, bool one)
    {
        try
        {
            await session.ControlAsync("ROLLBACK");
            if (_dialect.IsRace(error)) return new CommitOutcome.Raced(error);
            // A server that has become read-only goes on answering: the next batch looks for another.
            if (_dialect.IsFatal(error, session.Connection)) await _connection.DropAsync();
            else if (one) return new CommitOutcome.Disturbed();
        }
        catch (Exception e)
        {
            LogUnreachable(_logger, e);
            await _connection.DropAsync();
        }

        return new CommitOutcome.Failed(ToAnswer(error, session));
    }

    private Exception ToAnswer(Exception error, WriteSession session) =>
        _dialect.IsUnavailable(error) || _dialect.IsFatal(error, session.Connection)
            ? new StoreUnavailableException("The database cannot take this now. Nothing was written.", outcomeUnknown: false, error)
            : error;

    /// <summary>Without room for it nothing new is taken for a while, so that ends have what is left.</summary>
    private void Note(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
            if (_dialect.IsFull(cause)) _pressure.WasFull();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A batch of {Count} changes could not be written")]
    private static partial void LogBatchFailed(ILogger logger, int count, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The database cannot be reached, or takes nothing")]
    private static partial void LogUnreachable(ILogger logger, Exception error);
}

/// <summary>What came of a batch.</summary>
internal abstract record CommitOutcome
{
    private CommitOutcome()
    {
    }

    public sealed record Committed : CommitOutcome;

    /// <summary>Nothing was written, because of one of several intentions: the others must not fail with it.</summary>
    public sealed record Disturbed : CommitOutcome;

    /// <summary>Nothing was written; running it again may help.</summary>
    public sealed record Raced(Exception Error) : CommitOutcome;

    /// <summary>Nothing was written, or nobody knows: the error says which.</summary>
    public sealed record Failed(Exception Error) : CommitOutcome;
}

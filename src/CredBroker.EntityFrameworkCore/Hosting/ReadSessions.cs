using System.Collections.Concurrent;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>
/// What every request asks of the database, in statements that stay prepared. EF builds its command anew each time and SQLite parses it anew, which costs more than
/// the reading; whatever is not on the hot path asks through <see cref="ReadContexts"/>.
/// </summary>
internal sealed class ReadSessions(Backend backend, SchemaFloor floor, Tables tables) : IAsyncDisposable
{
    // As many as read at once: a reading of SQLite holds its thread.
    private readonly ConcurrentBag<SqlSession> _idle = [];

    /// <summary>Asks the database. Each statement sees what was committed before it.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer, or is of a version that this one is too old for.</exception>
    public Task<T> ReadAsync<T>(Func<SqlSession, Task<T>> read, CancellationToken cancellationToken) => ReadContexts.AnsweredAsync(floor, async () =>
    {
        var session = _idle.TryTake(out var idle) ? idle : new SqlSession(await backend.ConnectForReadingAsync(cancellationToken), backend.Dialect, tables);
        return await ReadAsync(session, read);
    });

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryTake(out var session)) await session.DisposeAsync();
    }

    private async Task<T> ReadAsync<T>(SqlSession session, Func<SqlSession, Task<T>> read)
    {
        var keep = false;
        try
        {
            var answer = await read(session);
            // The driver of the other database keeps connections and statements itself.
            keep = backend.Dialect.KeepsCommands;
            return answer;
        }
        finally
        {
            if (keep) _idle.Add(session);
            else await session.DisposeAsync();
        }
    }
}

using System.Data.Common;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>Contexts for reading. On SQLite their connections cannot write.</summary>
internal sealed class ReadContexts(Func<BrokerContext> create, SchemaFloor floor)
{
    // How often a reading is tried that gave way to something else.
    private const int MostAttempts = 3;

    /// <summary>A context of its own, to be disposed.</summary>
    public BrokerContext Create() => create();

    /// <summary>Asks the database.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer, or is of a version that this one is too old for.</exception>
    public Task<T> ReadAsync<T>(Func<BrokerContext, Task<T>> read) => AnsweredAsync(floor, async () =>
    {
        await using var context = create();
        return await read(context);
    });

    /// <summary>Runs a reading of either sort: again where it gave way to something else, and with what the database says as a fault of the store.</summary>
    internal static async Task<T> AnsweredAsync<T>(SchemaFloor floor, Func<Task<T>> read)
    {
        floor.Demand();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await read();
            }
            catch (Exception e) when (attempt < MostAttempts && LostToAnother(e))
            {
                continue; // A migration beside it had locked the one table, and wanted the other.
            }
            catch (Exception e) when (e is DbException || e.InnerException is DbException)
            {
                throw new StoreUnavailableException("The database does not answer.", outcomeUnknown: false, e);
            }
        }
    }

    private static bool LostToAnother(Exception error) => (error as DbException ?? error.InnerException as DbException)?.SqlState == "40P01";
}

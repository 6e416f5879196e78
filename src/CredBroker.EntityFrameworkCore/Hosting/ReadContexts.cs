using System.Data.Common;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>Contexts for reading. On SQLite their connections cannot write.</summary>
internal sealed class ReadContexts(Func<BrokerContext> create)
{
    /// <summary>A context of its own, to be disposed.</summary>
    public BrokerContext Create() => create();

    /// <summary>Asks the database.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer.</exception>
    public async Task<T> ReadAsync<T>(Func<BrokerContext, Task<T>> read)
    {
        try
        {
            await using var context = create();
            return await read(context);
        }
        catch (Exception e) when (e is DbException || e.InnerException is DbException)
        {
            throw new StoreUnavailableException("The database does not answer.", outcomeUnknown: false, e);
        }
    }
}

using CredBroker.Core.Leases;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>
/// One process for one SQLite file: a lock of the operating system on a file beside it, which ends with the process however it ends. It also
/// makes the database's file, so that nobody else can read it from the start.
/// </summary>
internal sealed class SqliteFileLock(string path) : IDisposable
{
    private readonly Lock _gate = new();
    private FileStream? _held;

    /// <summary>Takes the lock, unless this store has it already.</summary>
    /// <exception cref="StoreUnavailableException">Another process has the file.</exception>
    public void Take()
    {
        lock (_gate)
        {
            if (_held is not null) return;
            try
            {
                _held = Open(path + ".lock");
                using (Open(path, FileShare.ReadWrite))
                {
                }
            }
            catch (IOException e)
            {
                _held?.Dispose();
                _held = null;
                throw new StoreUnavailableException($"The file {path} is in use by another process, or cannot be made. One process alone may have it.", outcomeUnknown: false, e);
            }
        }
    }

    public void Dispose() => _held?.Dispose();

    private static FileStream Open(string file, FileShare share = FileShare.None)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(file, options);
    }
}

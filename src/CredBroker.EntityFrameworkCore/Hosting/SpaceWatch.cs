using CredBroker.Core.Pressure;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>Looks how much room the disk has where the database is this process's own file. Of PostgreSQL's disk nobody here knows before it is full.</summary>
internal sealed class SpaceWatch(StoreOptions options, StorePressure pressure)
{
    public void Look() => pressure.Measured(Free(), options.KeptBack);

    private long? Free()
    {
        if (options.FreeSpace is { } told) return told();
        if (options.Kind != DatabaseKind.Sqlite) return null;
        try
        {
            return new DriveInfo(Path.GetDirectoryName(options.Where)!).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Who cannot look learns it from the first write that finds no room.
            return null;
        }
    }
}

using System.Globalization;

namespace CredBroker.TestSupport.Postgres;

/// <summary>Where initdb, postgres and pg_ctl are.</summary>
internal sealed record PostgresBinaries(string Folder)
{
    // On the path may be links to some of them only.
    public string this[string tool] => Path.Combine(Folder, tool) is var named && File.Exists(named)
        ? named
        : Path.Combine(Path.GetDirectoryName(File.ResolveLinkTarget(Path.Combine(Folder, "postgres"), returnFinalTarget: true)?.FullName ?? named)!, tool);

    /// <summary>On the path first; else the newest that Debian installed.</summary>
    public static PostgresBinaries? Find()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        const string debian = "/usr/lib/postgresql";
        var installed = Directory.Exists(debian)
            ? Directory.GetDirectories(debian).OrderByDescending(VersionOf).Select(folder => Path.Combine(folder, "bin"))
            : [];
        return path.Concat(installed).Where(HasAll).Select(folder => new PostgresBinaries(folder)).FirstOrDefault();
    }

    private static bool HasAll(string folder) => new[] { "initdb", "postgres", "pg_ctl" }.All(tool => File.Exists(Path.Combine(folder, tool)));

    private static int VersionOf(string folder) =>
        int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;
}

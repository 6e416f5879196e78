using CredBroker.Abstractions;

namespace CredBroker.Server.Tests.Configuration;

/// <summary>A folder of the test's own, gone afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"credbroker-test-{Uid.New(TimeProvider.System)}");

    public TemporaryFolder() => Directory.CreateDirectory(Path);

    /// <summary>Writes a file that only its owner can read, unless another mode is said.</summary>
    public string Write(string name, string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        var file = System.IO.Path.Combine(Path, name);
        File.WriteAllText(file, text);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, mode);
        return file;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

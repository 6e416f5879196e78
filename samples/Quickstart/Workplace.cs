using System.Net;
using System.Net.Sockets;

namespace Quickstart;

/// <summary>A folder that only this user can read, gone afterwards, and ports that nobody else has.</summary>
internal sealed class Workplace : IDisposable
{
    public Workplace()
    {
        Folder = Directory.CreateTempSubdirectory("credbroker-quickstart-").FullName; // 0700 on Unix
        (HttpPort, GrpcPort) = FreePorts();
    }

    public string Folder { get; }

    public int HttpPort { get; }

    public int GrpcPort { get; }

    public Uri Http => new($"http://127.0.0.1:{HttpPort}");

    public Uri Grpc => new($"http://127.0.0.1:{GrpcPort}");

    /// <summary>Writes a file that only this user can read.</summary>
    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, options);
        writer.Write(text);
        return path;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    // Both are held at once, so that they differ.
    private static (int, int) FreePorts()
    {
        using var one = new TcpListener(IPAddress.Loopback, 0);
        using var other = new TcpListener(IPAddress.Loopback, 0);
        one.Start();
        other.Start();
        return (((IPEndPoint)one.LocalEndpoint).Port, ((IPEndPoint)other.LocalEndpoint).Port);
    }
}

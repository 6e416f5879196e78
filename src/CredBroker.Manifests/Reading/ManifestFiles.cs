using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Manifests.Reading;

/// <summary>Reads files below one folder: no links, bounded in size and number, and all that was read goes into one hash.</summary>
internal sealed class ManifestFiles(string root, ManifestLimits limits) : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly string _root = Path.GetFullPath(root);
    private long _total;

    /// <summary>The manifests' paths, in the order of their names.</summary>
    /// <exception cref="IOException">A link, or too much of it.</exception>
    public IReadOnlyList<string> List()
    {
        var found = new List<string>();
        Walk(_root, 0, found);
        // By name with forward slashes, so that the order and the hash are the same on every system.
        return [.. found.OrderBy(Relative, StringComparer.Ordinal)];
    }

    /// <summary>A file's text.</summary>
    /// <exception cref="IOException">It's not a regular file of the folder, too large, or not UTF-8.</exception>
    public string Read(string path)
    {
        CheckInside(path);
        var bytes = ReadBytes(path);
        _total += bytes.Length;
        if (_total > limits.MaxTotalBytes) throw new IOException($"The manifests together are larger than {limits.MaxTotalBytes} bytes.");
        AddToHash(Utf8.GetBytes(Relative(path)));
        AddToHash(bytes);
        try
        {
            var text = Utf8.GetString(bytes);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException)
        {
            throw new IOException($"{Relative(path)} is not UTF-8.");
        }
    }

    /// <summary>SHA-256 of the names and contents read so far.</summary>
    public string Hash() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>The path below the folder, with forward slashes.</summary>
    public string Relative(string path) => Path.GetRelativePath(_root, path).Replace(Path.DirectorySeparatorChar, '/');

    public void Dispose() => _hash.Dispose();

    private void Walk(string folder, int depth, List<string> found)
    {
        if (depth > limits.MaxFolderDepth) throw new IOException($"{Relative(folder)} is deeper than {limits.MaxFolderDepth} folders.");
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            if (entry.Name.StartsWith('.')) continue;
            var manifest = entry.Extension is ".yaml" or ".yml" && !TestTables.IsOne(entry.Name);
            if (entry.LinkTarget is not null)
            {
                if (manifest || (entry.Attributes & FileAttributes.Directory) != 0) throw new IOException($"{Relative(entry.FullName)} is a symbolic link, which manifests aren't.");
                continue;
            }

            if (entry is DirectoryInfo) Walk(entry.FullName, depth + 1, found);
            else if (manifest) found.Add(entry.FullName);
            if (found.Count > limits.MaxFiles) throw new IOException($"More than {limits.MaxFiles} manifests.");
        }
    }

    private void CheckInside(string path)
    {
        var relative = Relative(path);
        if (relative.StartsWith("../", StringComparison.Ordinal) || relative == ".." || Path.IsPathRooted(relative)) throw new IOException($"{relative} is outside the folder.");
        var below = _root;
        foreach (var part in relative.Split('/'))
        {
            below = Path.Combine(below, part);
            if (new FileInfo(below).LinkTarget is not null) throw new IOException($"{Relative(below)} is a symbolic link, which manifests aren't.");
        }

        if (Directory.Exists(path)) throw new IOException($"{relative} is a folder.");
        if (!File.Exists(path)) throw new IOException($"There is no file {relative}.");
        if ((File.GetAttributes(path) & (FileAttributes.Device | FileAttributes.Directory)) != 0) throw new IOException($"{relative} is not a regular file.");
    }

    private byte[] ReadBytes(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (!file.CanSeek || file.Length > limits.MaxFileBytes) throw new IOException($"{Relative(path)} is larger than {limits.MaxFileBytes} bytes, or no regular file.");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private void AddToHash(byte[] bytes)
    {
        // With lengths, so that no other split of the same bytes has the same hash.
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, bytes.Length);
        _hash.AppendData(length);
        _hash.AppendData(bytes);
    }
}

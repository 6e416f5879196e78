using System.Text;
using Microsoft.Win32.SafeHandles;

namespace CredBroker.Client;

/// <summary>
/// Files that hold what nobody else may read or replace: the caller's own, without any right for group and others, no symbolic link,
/// no device. On Windows the user's profile folder protects them, and only links are refused.
/// </summary>
public static class PrivateFile
{
    private const UnixFileMode Others = (UnixFileMode)0b111_111;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a private file.</summary>
    /// <exception cref="IOException">It isn't private, too large, not UTF-8, or can't be read; the message says which.</exception>
    public static string ReadText(string path, int maxBytes)
    {
        if (new FileInfo(path).LinkTarget is not null) throw new IOException($"{path} is a symbolic link: name the file itself.");
        if (FileOwner.IsSpecial(path)) throw new IOException($"{path} is not a regular file.");
        using var file = File.OpenHandle(path);
        // Checked on what was opened, so that nothing can be put in its place between the look and the read.
        if (!OperatingSystem.IsWindows())
        {
            var mode = File.GetUnixFileMode(file);
            if ((mode & Others) != 0)
                throw new IOException($"{path} has mode 0{Convert.ToString((int)mode, 8)}: others may use it. Run: chmod 600 {path}");
            if (!FileOwner.IsCaller(file)) throw new IOException($"{path} belongs to somebody else.");
        }

        return Read(file, path, maxBytes);
    }

    /// <summary>Reads a file whoever may read it.</summary>
    /// <exception cref="IOException">It's too large, not UTF-8, or can't be read.</exception>
    internal static string ReadAnyText(string path, int maxBytes)
    {
        using var file = File.OpenHandle(path);
        return Read(file, path, maxBytes);
    }

    /// <summary>Writes a private file, mode 0600. An existing one is replaced as a whole if <paramref name="overwrite"/>, else refused.</summary>
    /// <exception cref="IOException">It exists, or can't be written.</exception>
    public static void WriteText(string path, string text, bool overwrite = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!overwrite)
        {
            WriteNew(path, text);
            return;
        }

        var beside = $"{path}.{Path.GetRandomFileName()}";
        WriteNew(beside, text);
        try
        {
            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    private static void WriteNew(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using var stream = new FileStream(path, options);
        stream.Write(Utf8.GetBytes(text));
        stream.Flush(flushToDisk: true);
    }

    private static string Read(SafeFileHandle file, string path, int maxBytes)
    {
        var buffer = new byte[maxBytes + 1];
        var count = 0;
        while (count < buffer.Length && RandomAccess.Read(file, buffer.AsSpan(count), count) is > 0 and var read) count += read;
        if (count > maxBytes) throw new IOException($"{path} is larger than {maxBytes} bytes.");
        try
        {
            return Utf8.GetString(buffer, 0, count);
        }
        catch (DecoderFallbackException)
        {
            throw new IOException($"{path} is not UTF-8.");
        }
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace CredBroker.Server.Configuration;

/// <summary>Reads files that only the broker may read: a key that others can read or replace is no key.</summary>
internal static class PrivateFile
{
    /// <summary>No key or password is longer.</summary>
    public const int MaxBytes = 64 * 1024;

    private const int EmptyPath = 0x1000;     // AT_EMPTY_PATH of statx(2), whose layout is the same on all of Linux' architectures
    private const uint WantUid = 0x8;         // STATX_UID
    private const int UidOffset = 20;         // stx_uid

    /// <summary>The file's bytes.</summary>
    /// <exception cref="IOException">It cannot be read, or is not private; the message says what to do and holds nothing of the content.</exception>
    public static byte[] Read(string path)
    {
        try
        {
            if (!File.Exists(path)) throw new IOException($"There is no file {path}.");
            using var file = File.OpenHandle(path);
            CheckMode(file, path);
            CheckOwner(file, path);
            var length = RandomAccess.GetLength(file);
            if (length > MaxBytes) throw new IOException($"{path} is larger than {MaxBytes} bytes: it is not what it should be.");
            var content = new byte[length];
            return content.AsSpan(0, RandomAccess.Read(file, content, 0)).ToArray();
        }
        catch (UnauthorizedAccessException)
        {
            throw new IOException($"{path} cannot be read by this user.");
        }
    }

    /// <summary>The file's text without the line feed that editors put at its end.</summary>
    public static string ReadText(string path)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Read(path));
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (DecoderFallbackException)
        {
            throw new IOException($"{path} is not UTF-8 text.");
        }
    }

    /// <summary>Makes a new file that nobody else can read.</summary>
    public static void Create(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, new UTF8Encoding(false), options);
        writer.Write(text);
    }

    private static void CheckMode(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var mode = File.GetUnixFileMode(file);
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        if ((mode & Others) != 0) throw new IOException($"{path} can be used by others than its owner: chmod 0400 or 0600.");
    }

    private static void CheckOwner(SafeFileHandle file, string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        var status = new byte[256];
        if (Statx((int)file.DangerousGetHandle(), "", EmptyPath, WantUid, status) != 0) throw new IOException($"The owner of {path} cannot be found out.");
        var owner = BitConverter.ToUInt32(status, UidOffset);
        if (owner != 0 && owner != GetEuid()) throw new IOException($"{path} belongs to another user: its owner must be the one whom the server runs as, or root.");
    }

    [DllImport("libc", EntryPoint = "statx")]
    private static extern int Statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte[] status);

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint GetEuid();
}

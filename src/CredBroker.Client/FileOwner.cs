using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CredBroker.Client;

/// <summary>Whose a file is: .NET doesn't tell. Linux does by statx(2), whose layout is the same on all its architectures.</summary>
internal static partial class FileOwner
{
    private const int EmptyPath = 0x1000;      // AT_EMPTY_PATH
    private const int NoFollow = 0x100;        // AT_SYMLINK_NOFOLLOW
    private const int CurrentFolder = -100;    // AT_FDCWD
    private const uint TypeModeUid = 0x1 | 0x2 | 0x8;
    private const int UidOffset = 20;          // stx_uid
    private const int ModeOffset = 28;         // stx_mode
    private const int TypeMask = 0xF000;       // S_IFMT
    private const int Regular = 0x8000;        // S_IFREG
    private const int Folder = 0x4000;         // S_IFDIR

    /// <summary>
    /// Whether the file belongs to the effective user. Elsewhere than on Linux a file that grants nothing to others and could still be
    /// opened is the caller's own, unless the caller is root.
    /// </summary>
    public static bool IsCaller(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) return GetEuid() != 0;
        var status = new byte[256];
        return Statx((int)file.DangerousGetHandle(), "", EmptyPath, TypeModeUid, status) == 0
            && BitConverter.ToUInt32(status, UidOffset) == GetEuid();
    }

    /// <summary>Whether a path is there and names a pipe, device or socket, which would block or lie when it is opened.</summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux()) return false;
        var status = new byte[256];
        if (Statx(CurrentFolder, path, NoFollow, TypeModeUid, status) != 0) return false;
        return (BitConverter.ToUInt16(status, ModeOffset) & TypeMask) is not (Regular or Folder);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, byte[] status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEuid();
}

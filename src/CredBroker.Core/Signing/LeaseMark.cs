using System.Buffers.Text;
using CredBroker.Abstractions;

namespace CredBroker.Core.Signing;

/// <summary>
/// What we write on everything that we make at a target: <c>cb1:installation:lease:keyid:mac</c>. The text alone proves nothing:
/// <see cref="LeaseMarks"/> checks the MAC. It never says why or for whom something was made: comments can be read by every login.
/// </summary>
/// <param name="InstallationId">The installation.</param>
/// <param name="LeaseId">The lease.</param>
/// <param name="KeyId">Which wrapping key the MAC's key was derived from: 8 hexadecimal digits.</param>
/// <param name="Mac">HMAC-SHA-256, base64url: 43 characters.</param>
public sealed record LeaseMark(string InstallationId, Uid LeaseId, string KeyId, string Mac)
{
    private const string Version = "cb1";

    /// <summary>The length of a mark, in characters.</summary>
    public const int Length = 3 + 1 + 6 + 1 + Uid.Length + 1 + 8 + 1 + 43;

    /// <summary>What the MAC is made over.</summary>
    internal static string Body(string installationId, Uid leaseId) => $"{Version}:{installationId}:{leaseId}";

    /// <summary>Reads a mark's form. What was read is not yet proven.</summary>
    public static LeaseMark? Parse(string? text)
    {
        if (text is not { Length: Length }) return null;
        var parts = text.Split(':');
        return parts is [Version, { Length: 6 } installation, var lease, { Length: 8 } keyId, { Length: 43 } mac]
            && installation.All(IsNameCharacter) && keyId.All(char.IsAsciiHexDigitLower) && mac.All(IsBase64UrlCharacter) && Base64Url.IsValid(mac) && Uid.TryParse(lease, out var uid)
            ? new LeaseMark(installation, uid, keyId, mac)
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Body(InstallationId, LeaseId)}:{KeyId}:{Mac}";

    private static bool IsBase64UrlCharacter(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_';

    private static bool IsNameCharacter(char character) => char.IsAsciiDigit(character) || char.IsAsciiLetterLower(character);
}

/// <summary>What a mark found at a target is worth.</summary>
public enum MarkVerdict
{
    /// <summary>No mark at all.</summary>
    None = 0,

    /// <summary>Ours, and authentic: evidence, and something that may be swept.</summary>
    Ours = 1,

    /// <summary>It names another installation: not for us to judge or touch.</summary>
    OtherInstallation = 2,

    /// <summary>It names this installation and no key of ours made it: reported, never acted on.</summary>
    Forged = 3,
}

using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Abstractions;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Quarantine;

/// <summary>
/// The text of a note that stands at a target: <c>cba1:installation:provider:epoch:writer:commits:at:keyid:mac</c>. Its MAC is over everything before the key's id, with a key of its own that
/// is derived from the wrapping key by HKDF: only what this installation wrote for this provider is believed.
/// </summary>
public sealed class AnchorNotes
{
    private const string Version = "cba1";
    private readonly string _installationId;
    private readonly List<(string Id, byte[] Key)> _keys;

    /// <summary>Derives the keys.</summary>
    public AnchorNotes(InstallationOptions installation)
    {
        ArgumentNullException.ThrowIfNull(installation);
        _installationId = installation.Id;
        _keys = [.. installation.PreviousWrappingKeys.Prepend(installation.WrappingKey).Select(key => (LeaseMarks.KeyIdOf(key), HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, info: "credbroker/anchor/v1"u8.ToArray())))];
    }

    /// <summary>Writes a note for a provider.</summary>
    public string Write(Uid provider, CommitNote note)
    {
        ArgumentNullException.ThrowIfNull(note);
        var body = string.Create(CultureInfo.InvariantCulture, $"{Version}:{_installationId}:{provider}:{note.Epoch}:{note.Writer}:{note.Commits}:{note.At.ToMicros()}");
        return $"{body}:{_keys[0].Id}:{Mac(_keys[0].Key, body)}";
    }

    /// <summary>Reads one of a provider. Null for anything that this installation did not write for it.</summary>
    public CommitNote? Read(Uid provider, string? text)
    {
        if (text?.Split(':') is not [Version, var installation, var about, var epoch, var writer, var commits, var at, var keyId, var mac]) return null;
        var body = text[..(text.Length - keyId.Length - mac.Length - 2)];
        var given = Encoding.UTF8.GetBytes(mac);
        if (!_keys.Any(key => key.Id == keyId && CryptographicOperations.FixedTimeEquals(given, Encoding.UTF8.GetBytes(Mac(key.Key, body))))) return null;
        return installation == _installationId && about == provider.ToString() && Uid.TryParse(epoch, out var epochId) && Uid.TryParse(writer, out var writerId)
            && long.TryParse(commits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var micros)
            ? new CommitNote(epochId, writerId, count, Instants.FromMicros(micros))
            : null;
    }

    private static string Mac(byte[] key, string body) => Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(body)));
}

using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>
/// The SSH engine as a certificate authority: it signs keys, in OpenSSH's form (PROTOCOL.certkeys), and keeps nothing: there is no lease and no revocation. Its own key is of ECDSA, whatever was
/// asked for: this platform has no Ed25519.
/// </summary>
internal sealed class SshEngine : IEngine
{
    private const string Curve = "nistp256";
    private readonly Dictionary<string, JsonObject> _roles = new(StringComparer.Ordinal);
    private readonly ECParameters _authority = NewKey();
    private readonly string _issuerId = Random.Uuid();

    public string Type => "ssh";

    public string Accessor { get; } = $"ssh_{Random.Hex(8)}";

    private string PublicKey => $"ecdsa-sha2-{Curve} {Convert.ToBase64String(PublicBlob())}";

    public bool IsOpen(string path) => path == "public_key";

    public StandInAnswer? Handle(Call call, string path) => (call.Method, path.Split('/')) switch
    {
        ("POST", ["config", "ca"]) => Answers.Data(new JsonObject { ["issuer_id"] = _issuerId, ["issuer_name"] = "", ["public_key"] = PublicKey }),
        ("POST", ["roles", var name]) => WriteRole(call, name),
        ("POST", ["sign", var name]) => Sign(call, name),
        ("GET", ["public_key"]) => StandInAnswer.Of(200, PublicKey, "text/plain").With("Cache-Control", "no-store"),
        _ => null,
    };

    private StandInAnswer WriteRole(Call call, string name)
    {
        _roles[name] = call.Body;
        return Answers.Empty(204);
    }

    private StandInAnswer Sign(Call call, string name)
    {
        if (!_roles.TryGetValue(name, out var role)) throw Refusal.Of(400, $"Unknown role: {name}");
        var key = ReadKey(call.Text("public_key") ?? "");
        var principals = (call.Text("valid_principals") ?? role["default_user"]?.GetValue<string>() ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        var allowed = (role["allowed_users"]?.GetValue<string>() ?? "").Split(',');
        if (principals.FirstOrDefault(principal => !allowed.Contains(principal)) is { } stranger) throw Refusal.Of(400, $"{stranger} is not a valid value for valid_principals");
        var most = Durations.Read(role, "max_ttl") ?? TimeSpan.FromHours(1);
        var life = Durations.Read(call.Body, "ttl") ?? Durations.Read(role, "ttl") ?? most;
        if (life > most) throw Refusal.Of(400, $"ttl is larger than maximum allowed {Durations.Seconds(most)}");
        var serial = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(8));
        var certificate = CertificateOf(key, serial, call.Text("key_id") ?? "", principals, call.Now, life, role["default_extensions"]?.AsObject() ?? []);
        return Answers.Data(new JsonObject
        {
            ["issuer_id"] = _issuerId,
            ["serial_number"] = serial.ToString("x16", CultureInfo.InvariantCulture),
            ["signed_key"] = $"{key.Type}-cert-v01@openssh.com {Convert.ToBase64String(certificate)}\n",
        });
    }

    private byte[] CertificateOf((string Type, byte[] Parts) key, ulong serial, string keyId, IEnumerable<string> principals, DateTimeOffset now, TimeSpan life, JsonObject extensions)
    {
        var body = new Blob().Text($"{key.Type}-cert-v01@openssh.com").Bytes(RandomNumberGenerator.GetBytes(32)).Raw(key.Parts).Number(serial).Short(1).Text(keyId)
            .Bytes(principals.Aggregate(new Blob(), (list, principal) => list.Text(principal)).ToArray())
            .Number((ulong)now.AddSeconds(-30).ToUnixTimeSeconds()).Number((ulong)(now + life).ToUnixTimeSeconds())
            .Bytes([])
            .Bytes(extensions.OrderBy(extension => extension.Key, StringComparer.Ordinal).Aggregate(new Blob(), (list, extension) => list.Text(extension.Key).Text(extension.Value!.GetValue<string>())).ToArray())
            .Bytes([]).Bytes(PublicBlob());
        using var authority = ECDsa.Create(_authority);
        var signature = authority.SignData(body.ToArray(), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        var numbers = new Blob().Integer(signature[..32]).Integer(signature[32..]).ToArray();
        return body.Bytes(new Blob().Text($"ecdsa-sha2-{Curve}").Bytes(numbers).ToArray()).ToArray();
    }

    private byte[] PublicBlob()
    {
        return new Blob().Text($"ecdsa-sha2-{Curve}").Text(Curve).Bytes([4, .. _authority.Q.X!, .. _authority.Q.Y!]).ToArray();
    }

    private static ECParameters NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportParameters(includePrivateParameters: true);
    }

    // What follows its type is the same in a key and in a certificate of it.
    private static (string Type, byte[] Parts) ReadKey(string text)
    {
        var parts = text.Split(' ');
        var blob = new byte[text.Length];
        if (parts.Length < 2 || !Convert.TryFromBase64String(parts[1], blob, out var written)) throw NoKey();
        var length = written > 4 ? BinaryPrimitives.ReadInt32BigEndian(blob) : 0;
        if (length <= 0 || length >= written - 4 || Encoding.ASCII.GetString(blob, 4, length) != parts[0]) throw NoKey();
        return (parts[0], blob[(length + 4)..written]);
    }

    private static Refusal NoKey() => Refusal.Of(400, "failed to parse public_key as SSH key: ssh: short read");

    /// <summary>OpenSSH's encoding: whatever has no fixed length has it in front.</summary>
    private sealed class Blob
    {
        private readonly List<byte> _bytes = [];

        public Blob Raw(ReadOnlySpan<byte> bytes)
        {
            _bytes.AddRange(bytes);
            return this;
        }

        public Blob Bytes(ReadOnlySpan<byte> bytes) => Short((uint)bytes.Length).Raw(bytes);

        public Blob Text(string text) => Bytes(Encoding.UTF8.GetBytes(text));

        public Blob Number(ulong number)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
            return Raw(bytes);
        }

        public Blob Short(uint number)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
            return Raw(bytes);
        }

        /// <summary>A number that is not negative: a leading zero where its first bit is set.</summary>
        public Blob Integer(byte[] number)
        {
            var trimmed = number.AsSpan().TrimStart((byte)0);
            return Bytes(trimmed.Length > 0 && trimmed[0] < 128 ? trimmed : [0, .. trimmed]);
        }

        public byte[] ToArray() => [.. _bytes];
    }
}

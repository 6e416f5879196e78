using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>The PKI engine: a real certificate authority with one root, whose certificates have a lease where the role says so and are revoked with it.</summary>
internal sealed class PkiEngine(string mount) : IEngine
{
    private const string NoUrls =
        "This mount hasn't configured any authority information access (AIA) fields; this may make it harder for systems to find missing certificates in the chain or to validate revocation status of certificates. Consider updating /config/urls or the newly generated issuer with this information.";

    private const string LeasesAreMany =
        "it is encouraged to disable generate_lease and rely on PKI's native capabilities when possible; this option can cause instance-wide issues with large numbers of issued certificates";

    private readonly Dictionary<string, JsonObject> _roles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Issued> _issued = new(StringComparer.Ordinal);
    private readonly string _issuerId = Random.Uuid();
    private (string Certificate, string Key) _root;

    public string Type => "pki";

    public string Accessor { get; } = $"pki_{Random.Hex(8)}";

    public bool IsOpen(string path) => false;

    /// <summary>Whether a certificate of this engine's is revoked, by its serial number.</summary>
    public bool IsRevoked(string serial) => _issued[serial].RevokedAt is not null;

    public StandInAnswer? Handle(Call call, string path) => (call.Method, path.Split('/')) switch
    {
        ("POST", ["root", "generate", "internal"]) => GenerateRoot(call),
        ("POST", ["roles", var name]) => WriteRole(call, name),
        ("POST", ["issue", var role]) => Issue(call, role),
        ("POST", ["revoke"]) => Answers.Data(RevocationOf(Find(call.Text("serial_number") ?? "") ?? throw Refusal.Of(400, $"certificate with serial {call.Text("serial_number")} not found."), call.Now, withState: true)),
        ("GET", ["cert", var serial]) => Read(serial),
        ("LIST", ["certs", "revoked"]) => Answers.Data(new JsonObject { ["keys"] = Answers.List(_issued.Where(issued => issued.Value.RevokedAt is not null).Select(issued => issued.Key)) }),
        _ => null,
    };

    private Issued? Find(string serial) => _issued.GetValueOrDefault(serial);

    private StandInAnswer GenerateRoot(Call call)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={call.Text("common_name")}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = request.CreateSelfSigned(call.Now.AddSeconds(-30), call.Now + Durations.Read(call.Body, "ttl")!.Value);
        _root = (root.ExportCertificatePem(), key.ExportECPrivateKeyPem());
        var data = new JsonObject
        {
            ["certificate"] = _root.Certificate,
            ["expiration"] = new DateTimeOffset(root.NotAfter).ToUnixTimeSeconds(),
            ["issuer_id"] = _issuerId,
            ["issuer_name"] = "",
            ["issuing_ca"] = _root.Certificate,
            ["key_id"] = Random.Uuid(),
            ["key_name"] = "",
            ["serial_number"] = SerialOf(root),
        };
        return Answers.Data(data, [NoUrls]);
    }

    private StandInAnswer WriteRole(Call call, string name)
    {
        var role = JsonNode.Parse(Defaults)!.AsObject();
        foreach (var (member, value) in call.Body) role[member] = value?.DeepClone();
        role["max_ttl"] = Durations.Seconds(Durations.Read(call.Body, "max_ttl") ?? TimeSpan.Zero);
        _roles[name] = role;
        return Answers.Data(role.DeepClone(), role["generate_lease"]!.GetValue<bool>() ? [LeasesAreMany] : null);
    }

    private StandInAnswer Issue(Call call, string name)
    {
        if (!_roles.TryGetValue(name, out var role)) throw Refusal.Of(400, $"unknown role: {name}");
        var subject = call.Text("common_name") ?? throw Refusal.Of(400, "the common_name field is required, or must be provided in a CSR with \"use_csr_common_name\" set to true, unless \"require_cn\" is set to false");
        if (!role["allowed_domains"]!.AsArray().Any(domain => subject.EndsWith($".{domain!.GetValue<string>()}", StringComparison.Ordinal))) throw Refusal.Of(400, $"common name {subject} not allowed by this role");
        var (most, asked) = (TimeSpan.FromSeconds(role["max_ttl"]!.GetValue<long>()), Durations.Read(call.Body, "ttl"));
        var life = asked is { } wanted && wanted <= most ? wanted : most;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={subject}", key, HashAlgorithmName.SHA256);
        using var root = X509Certificate2.CreateFromPem(_root.Certificate, _root.Key);
        using var certificate = request.Create(root, call.Now.AddSeconds(-30), call.Now + life, RandomNumberGenerator.GetBytes(20));
        var serial = SerialOf(certificate);
        var issued = new Issued(certificate.ExportCertificatePem());
        _issued[serial] = issued;
        var data = new JsonObject
        {
            ["ca_chain"] = new JsonArray(_root.Certificate),
            ["certificate"] = issued.Pem,
            ["expiration"] = (call.Now + life).ToUnixTimeSeconds(),
            ["issuing_ca"] = _root.Certificate,
            ["not_before"] = call.Now.AddSeconds(-30).ToUnixTimeSeconds(),
            ["private_key"] = key.ExportECPrivateKeyPem(),
            ["private_key_type"] = "ec",
            ["serial_number"] = serial,
        };
        string[] warnings = asked > most ? [$"TTL \"{Go(asked.Value)}\" is longer than permitted maxTTL \"{Go(most)}\", so maxTTL is being used"] : [];
        if (!role["generate_lease"]!.GetValue<bool>()) return Answers.Data(data, warnings);
        var lease = new Lease
        {
            Id = $"{mount}/issue/{name}/{Random.Text(24)}{call.Realm.Suffix}",
            Path = $"{mount}/issue/{name}",
            Token = call.Token!,
            IssueTime = call.Now,
            ExpireTime = call.Now + life,
            MountAccessor = Accessor,
            Undo = () =>
            {
                issued.RevokedAt ??= call.Now;
                return null;
            },
        };
        call.Realm.Leases.Add(lease);
        return Answers.Json(200, Answers.Envelope(data: data, leaseId: lease.Id, duration: Durations.Seconds(life), warnings: warnings));
    }

    private StandInAnswer Read(string serial)
    {
        if (Find(serial) is not { } issued) return Answers.Error(404);
        var data = new JsonObject { ["certificate"] = issued.Pem };
        if (issued.RevokedAt is not { } at) return Answers.Data(new JsonObject { ["certificate"] = issued.Pem, ["revocation_time"] = 0, ["revocation_time_rfc3339"] = "" });
        data["issuer_id"] = _issuerId;
        foreach (var (member, value) in RevocationOf(issued, at, withState: false)) data[member] = value?.DeepClone();
        return Answers.Data(data);
    }

    // The first revocation's time stays.
    private static JsonObject RevocationOf(Issued issued, DateTimeOffset now, bool withState)
    {
        var at = issued.RevokedAt ??= now;
        var data = new JsonObject { ["revocation_time"] = at.ToUnixTimeSeconds(), ["revocation_time_rfc3339"] = Durations.Time(at) };
        if (withState) data["state"] = "revoked";
        return data;
    }

    private static string SerialOf(X509Certificate2 certificate) => string.Join(':', Convert.FromHexString(certificate.SerialNumber).Select(part => part.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));

    // As Go writes a duration: every unit below the largest.
    private static string Go(TimeSpan value) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(long)value.TotalHours}h{value.Minutes}m{value.Seconds}s");

    private sealed class Issued(string pem)
    {
        public string Pem { get; } = pem;

        public DateTimeOffset? RevokedAt { get; set; }
    }

    private const string Defaults = """
        {"allow_any_name":false,"allow_bare_domains":false,"allow_glob_domains":false,"allow_globs_in_identity_templates":false,"allow_ip_sans":true,"allow_localhost":true,
         "allow_subdomains":false,"allow_token_displayname":false,"allow_wildcard_certificates":true,"allowed_domains":[],"allowed_domains_template":false,"allowed_ip_sans_cidr":[],
         "allowed_other_sans":[],"allowed_serial_numbers":[],"allowed_uri_sans":[],"allowed_uri_sans_template":false,"allowed_user_ids":[],"basic_constraints_valid_for_non_ca":false,
         "client_flag":true,"cn_validations":["email","hostname"],"code_signing_flag":false,"country":[],"email_protection_flag":false,"enforce_hostnames":true,"ext_key_usage":[],
         "ext_key_usage_oids":[],"generate_lease":false,"issuer_ref":"default","key_bits":2048,"key_type":"rsa","key_usage":["DigitalSignature","KeyAgreement","KeyEncipherment"],
         "locality":[],"max_ttl":0,"no_store":false,"not_after":"","not_after_bound":"permit","not_before":"","not_before_bound":"permit","not_before_duration":30,"organization":[],
         "ou":[],"policy_identifiers":[],"postal_code":[],"province":[],"require_cn":true,"server_flag":true,"signature_bits":0,"street_address":[],"ttl":0,"use_csr_common_name":true,
         "use_csr_sans":true,"use_pss":false}
        """;
}

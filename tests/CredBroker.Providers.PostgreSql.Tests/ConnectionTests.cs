using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;

namespace CredBroker.Providers.PostgreSql.Tests;

/// <summary>Whom the broker talks to, what it gives away, and what it makes of failures.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ConnectionTests
{
    [Test]
    public async Task Gives_no_password_to_a_server_that_asks_for_it_in_the_clear()
    {
        await using var target = await Target.CreateAsync();
        // AuthenticationCleartextPassword, and AuthenticationMD5Password with its salt (PostgreSQL's protocol, message formats).
        foreach (byte[] demand in new byte[][] { [(byte)'R', 0, 0, 0, 8, 0, 0, 0, 3], [(byte)'R', 0, 0, 0, 12, 0, 0, 0, 5, 1, 2, 3, 4] })
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var caught = ListenAsync(listener, demand);
            var failure = await FailureAsync(target, Change(target, "port", ((IPEndPoint)listener.LocalEndpoint).Port));
            Assert.That(failure.Effect, Is.EqualTo(ProviderEffect.None));
            Assert.That(await caught, Does.Not.Contain(target.Broker.Password).And.Not.Contain("md5"));
        }
    }

    [Test]
    public async Task Tells_failures_apart()
    {
        await using var target = await Target.CreateAsync();
        Assert.That(await FaultAsync(target, Change(target, "port", 1)), Is.EqualTo((ProviderFault.Unreachable, ProviderEffect.None)));
        Assert.That(await FaultAsync(target, target.Configure(database: "no_such_database")), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
        Assert.That(await FaultAsync(target, target.Configure(username: "no_such_login")), Is.EqualTo((ProviderFault.Denied, ProviderEffect.None)));

        await target.Database.ExecuteAsync($"ALTER ROLE {target.Broker.Username} CONNECTION LIMIT 0");
        Assert.That(await FaultAsync(target, target.Configuration), Is.EqualTo((ProviderFault.Throttled, ProviderEffect.None)));
        await target.Database.ExecuteAsync($"ALTER ROLE {target.Broker.Username} CONNECTION LIMIT -1 NOCREATEROLE");
        Assert.That(await FaultAsync(target, target.Configuration), Is.EqualTo((ProviderFault.Denied, ProviderEffect.None)));
        await target.Database.ExecuteAsync($"ALTER ROLE {target.Broker.Username} CREATEROLE; DROP OWNED BY {target.Group}; DROP ROLE {target.Group}");
        Assert.That(await FaultAsync(target, target.Configuration), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
    }

    [Test]
    public async Task Connects_only_where_the_egress_policy_lets_it()
    {
        await using var target = await Target.CreateAsync();
        var denied = target.Context with { Egress = new FixedEgress(null) };
        await using var provider = target.Type.Create(denied, target.Configuration);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.CheckAsync(CancellationToken.None));
        Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
    }

    [Test]
    public async Task Does_not_go_without_tls_to_a_localhost_that_is_elsewhere()
    {
        await using var target = await Target.CreateAsync();
        var lured = target.Context with { Egress = new FixedEgress(IPAddress.Parse("192.0.2.1")) };
        await using var provider = target.Type.Create(lured, Change(target, "host", "localhost"));
        Assert.That((await Assert.ThrowsAsync<ProviderException>(() => provider.CheckAsync(CancellationToken.None)))!.Fault, Is.EqualTo(ProviderFault.Misconfigured));
    }

    [Test]
    public async Task Verifies_the_name_that_was_configured_at_the_address_that_was_checked()
    {
        await using var target = await Target.CreateAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned(key, "db.example");
        await InstallAsync(target, certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        var context = target.Context with { Egress = new FixedEgress(IPAddress.Loopback) };

        await using (var right = target.Type.Create(context, Tls(target, "db.example", certificate.ExportCertificatePem())))
            Assert.That((await right.CheckAsync(CancellationToken.None)).Healthy);
        await using (var wrongName = target.Type.Create(context, Tls(target, "other.example", certificate.ExportCertificatePem())))
            Assert.That((await Assert.ThrowsAsync<ProviderException>(() => wrongName.CheckAsync(CancellationToken.None)))!.Fault, Is.EqualTo(ProviderFault.Misconfigured));
        using var strangerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = SelfSigned(strangerKey, "db.example");
        await using (var wrongRoot = target.Type.Create(context, Tls(target, "db.example", stranger.ExportCertificatePem())))
            Assert.That((await Assert.ThrowsAsync<ProviderException>(() => wrongRoot.CheckAsync(CancellationToken.None)))!.Fault, Is.EqualTo(ProviderFault.Misconfigured));

        foreach (var setting in new[] { "ssl", "ssl_cert_file", "ssl_key_file" }) await target.Database.ExecuteAsync($"ALTER SYSTEM RESET {setting}");
        await target.Database.ExecuteAsync("SELECT pg_reload_conf()");
    }

    [Test]
    public void Names_the_host_that_its_secret_goes_to()
    {
        var configuration = JsonElement.Parse("""{"host":"DB.Example","database":"app","username":"broker","password":{"source":"pw"},"groups":["app_ro"]}""");
        Assert.That(new PostgreSqlProviderType().Validate(configuration), Is.Empty);
        Assert.That(new PostgreSqlProviderType().SecretsOf(configuration), Is.EqualTo(new[] { new SecretUse(new SecretRef("pw"), "db.example") }));
    }

    private static JsonElement Change(Target target, string member, JsonNode value)
    {
        var configuration = JsonNode.Parse(target.Configuration.GetRawText())!;
        configuration[member] = value;
        return configuration.Deserialize<JsonElement>();
    }

    private static JsonElement Tls(Target target, string host, string root)
    {
        var configuration = JsonNode.Parse(target.Configuration.GetRawText())!;
        configuration["host"] = host;
        configuration["sslMode"] = "verify-full";
        configuration["rootCertificate"] = root;
        return configuration.Deserialize<JsonElement>();
    }

    private static async Task<ProviderException> FailureAsync(Target target, JsonElement configuration)
    {
        await using var provider = target.Connect(configuration);
        return (await Assert.ThrowsAsync<ProviderException>(() => provider.IssueAsync(target.NewRequest(), NoJournal.Instance, CancellationToken.None)))!;
    }

    private static async Task<(ProviderFault Fault, ProviderEffect Effect)> FaultAsync(Target target, JsonElement configuration)
    {
        var failure = await FailureAsync(target, configuration);
        return (failure.Fault, failure.Effect);
    }

    private static async Task<string> ListenAsync(TcpListener listener, byte[] demand)
    {
        using var client = await listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        var caught = new StringBuilder();
        var buffer = new byte[4096];
        var first = true;
        for (var read = await stream.ReadAsync(buffer); read > 0; read = await stream.ReadAsync(buffer))
        {
            caught.Append(Encoding.Latin1.GetString(buffer, 0, read));
            if (first) await stream.WriteAsync(demand);
            first = false;
        }

        return caught.ToString();
    }

    private static X509Certificate2 SelfSigned(ECDsa key, string name)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
    }

    // The server writes its own files: this works wherever the test's server runs.
    private static async Task InstallAsync(Target target, string certificate, string key)
    {
        var folder = await target.Database.ScalarAsync<string>("SHOW data_directory");
        foreach (var (name, pem) in new[] { ("test.crt", certificate), ("test.key", key) })
            await target.Database.ExecuteAsync($"COPY (SELECT unnest(string_to_array('{pem.Trim()}', E'\\n'))) TO PROGRAM 'umask 077 && cat >{folder}/{name}'");
        foreach (var setting in new[] { $"ssl_cert_file = '{folder}/test.crt'", $"ssl_key_file = '{folder}/test.key'", "ssl = on" })
            await target.Database.ExecuteAsync($"ALTER SYSTEM SET {setting}");
        await target.Database.ExecuteAsync("SELECT pg_reload_conf()");
        for (var look = 0; look < 100 && await target.Database.ScalarAsync<string>("SELECT current_setting('ssl') FROM pg_sleep(0.05)") != "on"; look++)
        {
        }
    }

    private sealed class FixedEgress(IPAddress? address) : IEgress
    {
        public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancellationToken) =>
            address is null ? throw new EgressDeniedException($"The policy lets nothing out to {host}.") : Task.FromResult<IReadOnlyList<IPAddress>>([address]);

        public HttpMessageHandler CreateHttpHandler(X509Certificate2Collection? authorities = null) => throw new AssertionException("There is no HTTP here.");
    }
}

using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Abstractions;
using CredBroker.Core.Egress;
using CredBroker.TestSupport.StandIns;
using DevIdentity;

namespace CredBroker.Core.Tests.Egress;

[TestFixture]
internal sealed class PolicyEgressTests
{
    private static readonly EgressPolicy Everything = new() { Allow = ["0.0.0.0/0", "::/0", "*.example.com", "example.com"] };

    [TestCase("169.254.169.254")]
    [TestCase("169.254.0.1")]
    [TestCase("::ffff:169.254.169.254")]
    [TestCase("::ffff:a9fe:a9fe")]
    [TestCase("::169.254.169.254")]
    [TestCase("::ffff:0:169.254.169.254")]
    [TestCase("64:ff9b::a9fe:a9fe")]
    [TestCase("64:ff9b:1::a9fe:a9fe")]
    [TestCase("2002:a9fe:a9fe::1")]
    [TestCase("2001:0:a9fe:a9fe::1")]
    [TestCase("2001:0:808:808:0:0:5601:5601")]
    [TestCase("fe80::1")]
    [TestCase("fe80::a9fe:a9fe%1")]
    [TestCase("fd00:ec2::254")]
    [TestCase("fd20:ce::254")]
    [TestCase("168.63.129.16")]
    [TestCase("100.100.100.200")]
    [TestCase("0.0.0.0")]
    [TestCase("::")]
    [TestCase("224.0.0.1")]
    [TestCase("255.255.255.255")]
    [TestCase("ff02::1")]
    public void Metadata_and_link_local_addresses_are_denied_whatever_is_allowed(string address)
    {
        var egress = Make(Everything, ("metadata.example.com", [address]));
        Assert.That(() => egress.ResolveAsync(address, 80, CancellationToken.None), Throws.TypeOf<EgressDeniedException>());
        Assert.That(() => egress.ResolveAsync("metadata.example.com", 80, CancellationToken.None), Throws.TypeOf<EgressDeniedException>());
    }

    [TestCase("127.0.0.1")]
    [TestCase("127.8.9.10")]
    [TestCase("2130706433")]
    [TestCase("0x7f000001")]
    [TestCase("0177.0.0.1")]
    [TestCase("::1")]
    [TestCase("[::1]")]
    [TestCase("::ffff:127.0.0.1")]
    [TestCase("64:ff9b::7f00:1")]
    [TestCase("10.0.0.1")]
    [TestCase("172.16.0.1")]
    [TestCase("192.168.1.1")]
    [TestCase("100.64.0.1")]
    [TestCase("fd12::1")]
    [TestCase("2002:a00:1::")]
    public void Loopback_and_private_addresses_are_denied_unless_allowed(string address) =>
        Assert.That(() => Make(new EgressPolicy()).ResolveAsync(address, 80, CancellationToken.None), Throws.TypeOf<EgressDeniedException>());

    [Test]
    public async Task Public_addresses_are_allowed_and_a_mixed_answer_is_filtered()
    {
        var egress = Make(new EgressPolicy(), ("mixed.example.org", ["10.0.0.1", "93.184.215.14", "169.254.169.254", "2606:4700::1"]));
        var addresses = await egress.ResolveAsync("mixed.example.org", 443, CancellationToken.None);
        Assert.That(addresses.Select(address => address.ToString()), Is.EqualTo(new[] { "93.184.215.14", "2606:4700::1" }));
    }

    [Test]
    public async Task A_network_or_a_host_can_be_allowed()
    {
        var egress = Make(new EgressPolicy { Allow = ["10.1.0.0/16", "db.example.com", "*.corp.example"] },
            ("db.example.com", ["192.168.7.7"]), ("a.b.corp.example", ["192.168.7.8"]), ("corp.example", ["192.168.7.9"]), ("evilcorp.example", ["192.168.7.9"]));
        Assert.That(await egress.ResolveAsync("10.1.2.3", 5432, CancellationToken.None), Has.Count.EqualTo(1));
        Assert.That(await egress.ResolveAsync("DB.Example.com.", 5432, CancellationToken.None), Has.Count.EqualTo(1));
        Assert.That(await egress.ResolveAsync("a.b.corp.example", 5432, CancellationToken.None), Has.Count.EqualTo(1));
        foreach (var host in new[] { "10.2.0.1", "192.168.7.7", "corp.example", "evilcorp.example" })
            Assert.That(() => egress.ResolveAsync(host, 5432, CancellationToken.None), Throws.TypeOf<EgressDeniedException>(), host);
    }

    [Test]
    public void Deny_wins_by_name_and_by_address()
    {
        var egress = Make(new EgressPolicy { Allow = ["10.0.0.0/8", "*.example.com"], Deny = ["10.9.0.0/16", "secret.example.com"] },
            ("secret.example.com", ["10.1.1.1"]), ("other.example.com", ["10.9.1.1"]));
        foreach (var host in new[] { "10.9.1.1", "::ffff:10.9.1.1", "SECRET.example.com", "other.example.com" })
            Assert.That(() => egress.ResolveAsync(host, 80, CancellationToken.None), Throws.TypeOf<EgressDeniedException>(), host);
    }

    [Test]
    public void Everything_else_can_be_denied()
    {
        var egress = Make(new EgressPolicy { OnlyAllowed = true, Allow = ["10.0.0.0/8"] });
        Assert.That(() => egress.ResolveAsync("93.184.215.14", 443, CancellationToken.None), Throws.TypeOf<EgressDeniedException>());
    }

    [Test]
    public async Task The_connection_goes_to_the_address_that_was_checked()
    {
        await using var issuer = await DevIdentitySource.StartAsync();
        var port = new Uri(issuer.Issuer).Port;
        var asked = 0;
        var egress = new PolicyEgress(new EgressPolicy(), (_, _) =>
        {
            asked++;
            return Task.FromResult(new[] { IPAddress.Parse(asked == 1 ? "127.0.0.1" : "93.184.215.14") }); // Rebinds after the check.
        });
        using var http = new HttpClient(egress.CreateHttpHandler());
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync($"http://rebind.example.org:{port}/keys"));
        Assert.That(refused!.InnerException, Is.TypeOf<EgressDeniedException>());
        Assert.That((asked, issuer.KeyRequests), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task An_allowed_host_is_reached_by_its_next_address_when_one_is_dead()
    {
        await using var issuer = await DevIdentitySource.StartAsync();
        var egress = Make(new EgressPolicy { Allow = ["issuer.example.org"] }, ("issuer.example.org", ["127.0.0.2", "127.0.0.1"]));
        using var http = new HttpClient(egress.CreateHttpHandler());
        var answer = await http.GetStringAsync($"http://issuer.example.org:{new Uri(issuer.Issuer).Port}/keys");
        Assert.That(answer, Does.Contain("\"keys\""));
    }

    [Test]
    public async Task Redirects_are_not_followed_and_no_proxy_is_asked()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var server = AnswerOnceAsync(listener, "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        var handler = (SocketsHttpHandler)Make(new EgressPolicy { Allow = ["127.0.0.1"] }).CreateHttpHandler();
        using var http = new HttpClient(handler);
        using var response = await http.GetAsync($"http://127.0.0.1:{port}/");
        await server;
        Assert.That((response.StatusCode, handler.UseProxy, handler.UseCookies, handler.AllowAutoRedirect), Is.EqualTo((HttpStatusCode.Found, false, false, false)));
    }

    [Test]
    public async Task Only_the_authorities_that_are_given_certify_a_server()
    {
        await using var server = await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System, Tls = true }, _ => StandInAnswer.Of(200, "hello", "text/plain"));
        using var other = new TestAuthority();
        foreach (var (pem, believed) in new (string?, bool)[] { (server.AuthorityPem, true), (other.Pem, false), (null, false) })
        {
            X509Certificate2Collection? authorities = null;
            if (pem is not null) (authorities = []).ImportFromPem(pem);
            using var http = new HttpClient(Make(new EgressPolicy { Allow = ["127.0.0.1"] }).CreateHttpHandler(authorities));
            var asking = http.GetStringAsync(server.Address);
            if (believed) Assert.That(await asking, Is.EqualTo("hello"));
            else await Assert.ThatAsync(() => asking, Throws.InstanceOf<HttpRequestException>());
        }
    }

    [Test]
    public async Task A_body_is_read_up_to_its_limit()
    {
        using var small = new ByteArrayContent(new byte[100]);
        Assert.That(await small.ReadBytesAsync(100, CancellationToken.None), Has.Length.EqualTo(100));
        using var large = new ByteArrayContent(new byte[101]);
        Assert.That(() => large.ReadBytesAsync(100, CancellationToken.None), Throws.TypeOf<InvalidDataException>());
        using var unsaid = new StreamContent(new MemoryStream(new byte[1_000_000]));
        unsaid.Headers.ContentLength = null;
        Assert.That(() => unsaid.ReadBytesAsync(100, CancellationToken.None), Throws.TypeOf<InvalidDataException>());
    }

    [TestCase("10.0.0.1/8")]
    [TestCase("10.0.0.0/33")]
    [TestCase("")]
    [TestCase("*")]
    [TestCase("*.")]
    [TestCase("a..b")]
    [TestCase("http://a.example")]
    [TestCase("a b")]
    [TestCase("fe80::1%1")]
    [TestCase("999.1.1.1")]
    public void Says_which_rule_is_none(string rule)
    {
        var errors = new EgressPolicy { Allow = ["10.0.0.0/8", rule], Deny = [rule] }.Validate();
        Assert.That(errors.Select(error => error.Path), Is.EqualTo(new[] { "allow[1]", "deny[0]" }));
    }

    [Test]
    public async Task A_denial_prints_no_hostile_name()
    {
        var egress = Make(new EgressPolicy { Deny = ["*.example.org"] });
        var denied = await Assert.ThrowsAsync<EgressDeniedException>(() => egress.ResolveAsync("\u001b[31m\u202e.example.org", 80, CancellationToken.None));
        Assert.That(denied!.Message, Does.Not.Contain("\u001b").And.Not.Contain("\u202e"));
    }

    private static PolicyEgress Make(EgressPolicy policy, params (string Host, string[] Addresses)[] names) => new(policy, (host, _) =>
        Task.FromResult(names.Single(name => name.Host == host).Addresses.Select(IPAddress.Parse).ToArray()));

    private static async Task AnswerOnceAsync(TcpListener listener, string answer)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        await stream.ReadAtLeastAsync(new byte[4096], 1);
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer));
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using CredBroker.Contracts.V1;
using CredBroker.Server.Tests.Configuration;
using CredBroker.TestSupport.Server;
using DevIdentity;
using Grpc.Core;
using Grpc.Net.Client;

namespace CredBroker.Server.Tests.Hosting;

/// <summary>The sockets of the real server: what is spoken on them, and whose word about the caller counts.</summary>
internal sealed class ListenerTests
{
    private TemporaryFolder _folder;
    private DevIdentitySource _identity;
    private IntermediateAuthority _authority;
    private int[] _ports;

    [SetUp]
    public async Task Start()
    {
        _folder = new TemporaryFolder();
        _authority = new IntermediateAuthority();
        _ports = ServerProcess.FreePorts(2);
        _identity = await DevIdentitySource.StartAsync();
        _folder.Write("wrapping.key", "cWxmbpb3wqmrYxDDkPo5Vyh5xjGx9bhcFZHhd8vPb0I=");
    }

    [TearDown]
    public async Task Stop()
    {
        await _identity.DisposeAsync();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Speaks_rest_and_grpc_on_one_port_by_tls_and_nothing_in_the_clear()
    {
        var (chain, key) = _authority.Issue(1);
        _folder.Write("tls.crt", chain);
        _folder.Write("tls.key", key);
        var address = new Uri($"https://127.0.0.1:{_ports[0]}");
        using var handler = _authority.Handler();
        await using var server = await ServerProcess.StartReadyAsync(
            Configure($"listen: {{tls: {{address: \"127.0.0.1:{_ports[0]}\", certificateFile: tls.crt, keyFile: tls.key}}}}", address), address, handler);

        using var rest = new HttpClient(handler, disposeHandler: false) { DefaultRequestVersion = HttpVersion.Version11, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        rest.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Root());
        Assert.That((await rest.GetAsync(new Uri(address, "/v1/tasks"))).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = _authority.Handler(), DisposeHttpClient = true });
        Assert.That((await new Tasks.TasksClient(channel).ListTasksAsync(new(), new Metadata { { "authorization", $"Bearer {Root()}" } })).Tasks, Is.Empty);

        using var plain = new HttpClient();
        Assert.That(() => plain.GetAsync(new Uri($"http://127.0.0.1:{_ports[0]}/healthz")), Throws.InstanceOf<HttpRequestException>(), "nothing is answered in the clear");
        using var stranger = new HttpClient();
        Assert.That(() => stranger.GetAsync(new Uri(address, "/healthz")), Throws.InstanceOf<HttpRequestException>(), "who does not know the root trusts nobody here");
    }

    [Test]
    public async Task Speaks_rest_and_grpc_on_two_ports_of_loopback()
    {
        var address = new Uri($"http://127.0.0.1:{_ports[0]}");
        await using var server = await ServerProcess.StartReadyAsync(Configure($"listen: {{http: \"127.0.0.1:{_ports[0]}\", grpc: \"127.0.0.1:{_ports[1]}\"}}", address), address);
        var grpc = new Uri($"http://127.0.0.1:{_ports[1]}");

        Assert.That(await StatusAsync(address, HttpVersion.Version11), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync(grpc, HttpVersion.Version20), Is.EqualTo(HttpStatusCode.OK));
        using var channel = GrpcChannel.ForAddress(grpc);
        Assert.That((await new Tasks.TasksClient(channel).ListTasksAsync(new(), new Metadata { { "authorization", $"Bearer {Root()}" } })).Tasks, Is.Empty);
        Assert.That(() => StatusAsync(address, HttpVersion.Version20), Throws.InstanceOf<HttpRequestException>());
        Assert.That(await StatusAsync(grpc, HttpVersion.Version11), Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Does_not_start_with_the_key_of_another_certificate()
    {
        _folder.Write("tls.crt", _authority.Issue(1).Chain);
        _folder.Write("tls.key", _authority.Issue(2).Key);
        var listen = $"listen: {{tls: {{address: \"127.0.0.1:{_ports[0]}\", certificateFile: tls.crt, keyFile: tls.key}}}}";
        var (code, output) = await ServerProcess.RunAsync(null, "--config", Configure(listen, new Uri("https://broker.example")), "--check");

        Assert.That(code, Is.EqualTo(1), output);
        Assert.That(output, Does.Contain("listen.tls.certificateFile").And.Not.Contain("   at "));
    }

    [TestCase("http")]
    [TestCase("grpc")]
    public async Task Does_not_start_in_the_clear_off_loopback(string listener)
    {
        var (code, output) = await ServerProcess.RunAsync(null, "--config", Configure($"listen: {{{listener}: \"0.0.0.0:{_ports[0]}\"}}", new Uri("https://broker.example")));

        Assert.That(code, Is.EqualTo(1), output);
        Assert.That(output, Does.Contain($"listen.{listener}").And.Contain("TLS is required"));
    }

    [Test]
    public async Task Believes_the_listed_proxy_alone_about_where_a_call_came_from()
    {
        var address = new Uri($"http://127.0.0.1:{_ports[0]}");
        await using var server = await ServerProcess.StartReadyAsync(
            Configure($"listen: {{http: \"127.0.0.1:{_ports[0]}\", behindTlsProxy: {{trustedProxies: [127.0.0.2]}}}}", new Uri("https://broker.example")), address);

        await CallAsync("127.0.0.2", "203.0.113.9");
        await ShowsAsync(server, "A bearer token from 203.0.113.9 was refused");
        await CallAsync("127.0.0.3", "203.0.113.10");
        await ShowsAsync(server, "A bearer token from 127.0.0.3 was refused");
        // What the proxy's own caller claims stands left of what the proxy saw.
        await CallAsync("127.0.0.2", "198.51.100.1, 203.0.113.11");
        await ShowsAsync(server, "A bearer token from 203.0.113.11 was refused");
        Assert.That(server.Output, Does.Not.Contain("203.0.113.10").And.Not.Contain("198.51.100.1"));

        async Task CallAsync(string from, string forwarded)
        {
            using var client = new HttpClient(From(from));
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/v1/tasks"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "no.token.atall");
            request.Headers.Add("X-Forwarded-For", forwarded);
            request.Headers.Add("X-Forwarded-Proto", "https");
            Assert.That((await client.SendAsync(request)).StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        }
    }

    [Test]
    public async Task Serves_nobody_who_goes_round_the_proxy()
    {
        var own = NetworkInterface.GetAllNetworkInterfaces().Where(network => network.OperationalStatus == OperationalStatus.Up)
            .SelectMany(network => network.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address)
            .FirstOrDefault(found => found.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(found));
        if (own is null) Assert.Ignore("This machine has no IPv4 address but loopback's: nobody can come from elsewhere.");
        var loopback = new Uri($"http://127.0.0.1:{_ports[0]}");
        await using var server = await ServerProcess.StartReadyAsync(
            Configure($"listen: {{http: \"0.0.0.0:{_ports[0]}\", behindTlsProxy: {{trustedProxies: [192.0.2.10]}}}}", new Uri("https://broker.example")), loopback);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{own}:{_ports[0]}/healthz")) { Headers = { { "X-Forwarded-Proto", "https" }, { "X-Forwarded-For", "127.0.0.1" } } };

        Assert.That((await client.SendAsync(request)).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    private string Root() => _identity.Mint("root", "operator");

    private static async Task<HttpStatusCode> StatusAsync(Uri address, Version version)
    {
        using var client = new HttpClient { DefaultRequestVersion = version, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        return (await client.GetAsync(new Uri(address, "/healthz"))).StatusCode;
    }

    /// <summary>Calls from one of loopback's addresses.</summary>
    private static SocketsHttpHandler From(string address) => new()
    {
        ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    // What a process prints comes a moment later.
    private static async Task ShowsAsync(ServerProcess server, string text)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var look = 0; look < 200 && !server.Output.Contains(text, StringComparison.Ordinal); look++) await timer.WaitForNextTickAsync();
        Assert.That(server.Output, Does.Contain(text));
    }

    private string Configure(string listen, Uri publicUrl) => _folder.Write("credbroker.yaml", $$"""
        installation: {id: tests1, publicUrl: "{{publicUrl.ToString().TrimEnd('/')}}", wrappingKeyFile: wrapping.key}
        {{listen}}
        operator:
          identitySources:
            - name: operator
              oidc: {issuer: "{{_identity.Issuer}}", audiences: [operator]}
          root: {identitySource: operator, subject: root}
        egress: {allow: [127.0.0.1]}
        """);
}

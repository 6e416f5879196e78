using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>A server that speaks HTTP, with TLS by a certificate for the right name and of the attacker's own authority, or without.</summary>
internal abstract class RogueHttp(string name, bool tls) : RogueTarget
{
    private static readonly TestAuthority Attackers = new();

    public sealed override string Name => name;

    protected bool Tls => tls;

    public sealed override async Task AnswerAsync(Stream stream, Action<byte[]> keep, CancellationToken cancellationToken)
    {
        if (!tls)
        {
            await ServeAsync(stream, keep, cancellationToken);
            return;
        }

        await using var secured = new SslStream(stream, leaveInnerStreamOpen: true);
        using var certificate = Attackers.Certify([]);
        try
        {
            await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancellationToken);
            await ServeAsync(secured, keep, cancellationToken);
        }
        catch (AuthenticationException)
        {
            // The client did not believe the certificate, and said so.
        }
    }

    public sealed override Task<bool> WorksAsync(RealTargets targets, IReadOnlyList<byte[]> caught) => Task.FromResult(caught.Select(RequestOf).Any(request => Opens(targets, request)));

    public sealed override async Task TellAsync(RealTargets targets, RecordingListener listener)
    {
        using var handler = new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Attackers.Trust() } };
        using var client = new HttpClient(handler);
        using var request = LogIn(targets, $"{(tls ? "https" : "http")}://127.0.0.1:{listener.Port.ToString(CultureInfo.InvariantCulture)}");
        using var answer = await client.SendAsync(request);
    }

    /// <summary>What the server says to whatever it is asked.</summary>
    protected abstract (int Status, string Body) AnswerTo(string target);

    /// <summary>The log-in that must not reach it.</summary>
    protected abstract HttpRequestMessage LogIn(RealTargets targets, string address);

    /// <summary>Says to the real one what was said to the attacker's.</summary>
    protected abstract bool Opens(RealTargets targets, StandInRequest request);

    private async Task ServeAsync(Stream stream, Action<byte[]> keep, CancellationToken cancellationToken)
    {
        while (await ReadAsync(stream, keep, cancellationToken) is { } request)
        {
            var (status, body) = AnswerTo(request.Target);
            var answer = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), cancellationToken);
        }
    }

    // Whatever comes is kept, whether it becomes a whole request or not.
    private static async Task<StandInRequest?> ReadAsync(Stream stream, Action<byte[]> keep, CancellationToken cancellationToken)
    {
        var text = "";
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var read = await stream.ReadAsync(buffer, cancellationToken);
            text += Encoding.Latin1.GetString(buffer, 0, read);
            if (read > 0 && !IsWhole(text)) continue;
            if (text.Length > 0) keep(Encoding.Latin1.GetBytes(text));
            return read == 0 ? null : RequestOf(Encoding.Latin1.GetBytes(text));
        }
    }

    private static bool IsWhole(string text) =>
        text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is > 0 and var end
        && text.Length - end - 4 >= int.Parse(RequestOf(Encoding.Latin1.GetBytes(text)).Header("Content-Length") ?? "0", CultureInfo.InvariantCulture);

    private static StandInRequest RequestOf(byte[] message)
    {
        var parts = Encoding.Latin1.GetString(message).Split("\r\n\r\n", 2);
        var lines = parts[0].Split("\r\n");
        var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[^1], StringComparer.OrdinalIgnoreCase);
        var first = lines[0].Split(' ');
        return new StandInRequest(first[0], "127.0.0.1", first.ElementAtOrDefault(1) ?? "/", headers, Encoding.Latin1.GetBytes(parts.ElementAtOrDefault(1) ?? ""));
    }
}

/// <summary>A server that says that it is Vault, and of the right cluster.</summary>
internal sealed class RogueVault(string name, bool tls) : RogueHttp(name, tls)
{
    public static IReadOnlyList<RogueTarget> Ways { get; } =
    [
        new RogueVault("vault with a certificate of the attacker's own authority", tls: true),
        new RogueVault("vault without TLS", tls: false),
    ];

    public override string Type => "vault";

    // Nothing proves the host without TLS: then the operator declares its port too.
    public override bool IsSpokenWith => Tls;

    public override Struct Point(Struct configuration, string host, int port)
    {
        var changed = configuration.Clone();
        changed.Fields["address"] = Value.ForString(string.Create(CultureInfo.InvariantCulture, $"{(Tls ? "https" : "http")}://{host}:{port}"));
        if (!Tls) changed.Fields.Remove("rootCertificate");
        return changed;
    }

    protected override (int Status, string Body) AnswerTo(string target) => target.StartsWith("/v1/sys/health", StringComparison.Ordinal)
        ? (200, """{"initialized":true,"sealed":false,"standby":false,"version":"2.6.2","cluster_name":"c","cluster_id":"0f0f0f0f-0000-4000-8000-000000000000"}""")
        : (400, """{"errors":["no"]}""");

    protected override HttpRequestMessage LogIn(RealTargets targets, string address) => new(HttpMethod.Post, $"{address}/v1/auth/approle/login")
    {
        Content = new StringContent($$"""{"role_id":"{{targets.Vault.RoleId}}","secret_id":"{{targets.Vault.SecretId}}"}""", Encoding.UTF8, "application/json"),
    };

    protected override bool Opens(RealTargets targets, StandInRequest request) => request.Method == "POST" && targets.Vault.Bao.Answer(request).Status == 200;
}

/// <summary>A server that says that it is Microsoft's token endpoint. It may stand on loopback alone, and never without TLS.</summary>
internal sealed class RogueAzure(string name, string[] endpoints) : RogueHttp(name, tls: true)
{
    public static IReadOnlyList<RogueTarget> Ways { get; } = [new RogueAzure("azure whose token endpoint is the attacker's", ["authority"]), new RogueAzure("azure that is all the attacker's", ["authority", "graph", "resourceManager"])];

    public override string Type => "azure";

    public override Struct Point(Struct configuration, string host, int port)
    {
        var changed = configuration.Clone();
        foreach (var endpoint in endpoints)
            changed.Fields["endpoints"].StructValue.Fields[endpoint] = Value.ForString(string.Create(CultureInfo.InvariantCulture, $"https://{host}:{port}"));
        return changed;
    }

    protected override (int Status, string Body) AnswerTo(string target) => (400, """{"error":"invalid_client","error_description":"no","error_codes":[7000215]}""");

    protected override HttpRequestMessage LogIn(RealTargets targets, string address) => new(HttpMethod.Post, $"{address}/{targets.Azure.Azure.Tenant.Id}/oauth2/v2.0/token")
    {
        Content = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = targets.Azure.Azure.BrokerClientId,
            ["client_secret"] = targets.Azure.ClientSecret,
            ["scope"] = "https://graph.microsoft.com/.default",
        }),
    };

    protected override bool Opens(RealTargets targets, StandInRequest request) => request.Method == "POST" && targets.Azure.Azure.Answer(request).Status == 200;
}

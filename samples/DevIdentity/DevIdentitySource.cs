using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace DevIdentity;

/// <summary>
/// An OIDC issuer for development and tests, on loopback alone: discovery, keys, and <c>POST /token</c>, which vouches for whatever it is
/// asked to. Never for anything that matters: whoever reaches it can be anybody.
/// </summary>
public sealed class DevIdentitySource : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly List<DevKey> _keys = [];
    private readonly string _algorithm;
    private int _keyCount;
    private int _discoveryRequests;
    private int _keyRequests;
    private int _tokenRequests;

    private DevIdentitySource(WebApplication app, string algorithm, TimeProvider time)
    {
        _app = app;
        _algorithm = algorithm;
        _time = time;
        RotateKey(keepOld: false);
    }

    /// <summary>The issuer: the address that it listens on, without a trailing slash.</summary>
    public string Issuer { get; private set; } = "";

    /// <summary>What it answers as its issuer and puts in <c>iss</c>; null for <see cref="Issuer"/>.</summary>
    public string? ClaimedIssuer { get; set; }

    /// <summary>Everything is answered with 503.</summary>
    public bool Down { get; set; }

    /// <summary>Keys are refused with 406 to who asks for <c>application/json</c> alone, as Kubernetes does.</summary>
    public bool KubernetesKeys { get; set; }

    /// <summary>What is answered in place of the keys; null for the keys.</summary>
    public string? KeysAnswer { get; set; }

    /// <summary>How often the discovery document was asked for.</summary>
    public int DiscoveryRequests => Volatile.Read(ref _discoveryRequests);

    /// <summary>How often the keys were asked for.</summary>
    public int KeyRequests => Volatile.Read(ref _keyRequests);

    /// <summary>How often a token was asked for.</summary>
    public int TokenRequests => Volatile.Read(ref _tokenRequests);

    /// <summary>The id of the key that signs.</summary>
    public string KeyId => Current.KeyId;

    /// <summary>The public key that verifies, as PEM.</summary>
    public string PublicKeyPem => Current.ToPublicPem();

    private DevKey Current
    {
        get
        {
            lock (_gate) return _keys[^1];
        }
    }

    /// <summary>Starts an issuer.</summary>
    /// <param name="url">A loopback address; port 0 takes a free one.</param>
    /// <param name="algorithm">ES256 or RS256.</param>
    /// <param name="time">The clock of its tokens; null for the system's.</param>
    /// <param name="cancellationToken">Stops starting.</param>
    public static async Task<DevIdentitySource> StartAsync(
        string url = "http://127.0.0.1:0", string algorithm = "ES256", TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || !address.IsLoopback)
            throw new ArgumentException("The development issuer listens on loopback alone: it vouches for whatever it is asked to.", nameof(url));
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        var app = builder.Build();
        var source = new DevIdentitySource(app, algorithm, time ?? TimeProvider.System);
        source.Map();
        await app.StartAsync(cancellationToken);
        source.Issuer = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First().TrimEnd('/');
        return source;
    }

    /// <summary>Makes a new key, which signs from now on.</summary>
    /// <param name="keepOld">The earlier keys stay published.</param>
    public void RotateKey(bool keepOld = true)
    {
        lock (_gate)
        {
            if (!keepOld)
            {
                foreach (var key in _keys) key.Dispose();
                _keys.Clear();
            }

            _keys.Add(new DevKey($"dev-{++_keyCount}", _algorithm));
        }
    }

    /// <summary>Makes a token in process.</summary>
    /// <param name="subject">The <c>sub</c>.</param>
    /// <param name="audience">The <c>aud</c>.</param>
    /// <param name="claims">Further claims; they win over the usual ones, and null takes one away.</param>
    /// <param name="lifetime">Its life; 5 min by default.</param>
    public string Mint(string subject, string audience, JsonObject? claims = null, TimeSpan? lifetime = null)
    {
        var now = _time.GetUtcNow();
        var payload = new JsonObject
        {
            ["iss"] = ClaimedIssuer ?? Issuer,
            ["sub"] = subject,
            ["aud"] = audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + (lifetime ?? TimeSpan.FromMinutes(5))).ToUnixTimeSeconds(),
        };
        foreach (var (name, value) in claims ?? [])
        {
            if (value is null) payload.Remove(name);
            else payload[name] = value.DeepClone();
        }

        return Sign(new JsonObject { ["alg"] = _algorithm, ["kid"] = KeyId, ["typ"] = "JWT" }.ToJsonString(), payload.ToJsonString());
    }

    /// <summary>Signs a header and a payload as they are: for tokens that no issuer should make.</summary>
    public string Sign(string header, string payload) => Sign(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload));

    /// <summary>Signs bytes as they are.</summary>
    public string Sign(byte[] header, byte[] payload)
    {
        var text = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(payload)}";
        return $"{text}.{Base64Url.EncodeToString(Current.Sign(Encoding.ASCII.GetBytes(text)))}";
    }

    /// <summary>The published keys, as a JWK Set.</summary>
    public string KeySet()
    {
        lock (_gate) return new JsonObject { ["keys"] = new JsonArray([.. _keys.Select(key => key.ToJwk())]) }.ToJsonString();
    }

    /// <summary>Waits until the process is told to stop.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken = default) => _app.WaitForShutdownAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        lock (_gate)
        {
            foreach (var key in _keys) key.Dispose();
        }
    }

    private void Map()
    {
        _app.MapGet("/.well-known/openid-configuration", () =>
        {
            Interlocked.Increment(ref _discoveryRequests);
            return Answer(new JsonObject
            {
                ["issuer"] = ClaimedIssuer ?? Issuer,
                ["jwks_uri"] = $"{Issuer}/keys",
                ["response_types_supported"] = new JsonArray("id_token"),
                ["subject_types_supported"] = new JsonArray("public"),
                ["id_token_signing_alg_values_supported"] = new JsonArray(_algorithm),
            }.ToJsonString(), "application/json");
        });
        _app.MapGet("/keys", (HttpRequest request) =>
        {
            Interlocked.Increment(ref _keyRequests);
            var accept = request.Headers.Accept.ToString();
            return KubernetesKeys && !accept.Contains("application/jwk-set+json", StringComparison.Ordinal) && !accept.StartsWith("*/*", StringComparison.Ordinal)
                ? Results.StatusCode(StatusCodes.Status406NotAcceptable)
                : Answer(KeysAnswer ?? KeySet(), "application/jwk-set+json");
        });
        _app.MapPost("/token", (TokenRequest request) =>
        {
            Interlocked.Increment(ref _tokenRequests);
            if (string.IsNullOrEmpty(request.Subject) || string.IsNullOrEmpty(request.Audience) || request.Lifetime is < 1 or > 86_400)
                return Results.Problem("subject and audience are required; lifetime is 1 to 86400 seconds.", statusCode: StatusCodes.Status400BadRequest);
            var token = Mint(request.Subject, request.Audience, request.Claims, TimeSpan.FromSeconds(request.Lifetime));
            return Answer(JsonSerializer.Serialize(new { token }), "application/json");
        });
    }

    private IResult Answer(string body, string type) => Down ? Results.StatusCode(StatusCodes.Status503ServiceUnavailable) : Results.Text(body, type, Encoding.UTF8);

    private sealed record TokenRequest(string Subject, string Audience, JsonObject? Claims = null, int Lifetime = 300);
}

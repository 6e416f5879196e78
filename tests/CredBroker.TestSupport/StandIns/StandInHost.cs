using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace CredBroker.TestSupport.StandIns;

/// <summary>How a stand-in is served.</summary>
public sealed record StandInOptions
{
    /// <summary>The target's own clock, which may be another than the broker's: it moves only as the test moves it, unless it is the system's.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>Whether to speak TLS, by a throwaway authority.</summary>
    public bool Tls { get; init; }

    /// <summary>The real names of the services that it stands in for, as in <c>sts.amazonaws.com</c>: <see cref="StandInHost.Egress"/> leads them here.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>The port; 0 for a free one. A target that comes back after it was away has the same.</summary>
    public int Port { get; init; }
}

/// <summary>
/// A stand-in on loopback. The stand-in itself is a function from request to answer that knows nothing of HTTP servers; here it gets a socket, a log of
/// requests, and faults.
/// </summary>
public sealed class StandInHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Func<StandInRequest, StandInAnswer> _answer;
    private readonly StandInOptions _options;
    private readonly TestAuthority? _authority;

    private StandInHost(StandInOptions options, Func<StandInRequest, StandInAnswer> answer)
    {
        _options = options;
        _answer = answer;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseShutdownTimeout(TimeSpan.Zero);
        if (options.Tls)
        {
            _authority = new TestAuthority();
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxRequestLineSize = 64 * 1024;
            kestrel.Listen(IPAddress.Loopback, options.Port, listen =>
            {
                if (_authority is not null) listen.UseHttps(_authority.Certify(options.Hosts));
            });
        });
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Everything that reached it.</summary>
    public StandInLog Log { get; } = new();

    /// <summary>How it misbehaves.</summary>
    public StandInFaults Faults { get; } = new();

    /// <summary>The egress of a provider under test.</summary>
    public StandInEgress Egress { get; private set; } = null!;

    /// <summary>The throwaway authority's certificate in PEM; empty without TLS.</summary>
    public string AuthorityPem => _authority?.Pem ?? "";

    /// <summary>Serves a stand-in.</summary>
    public static async Task<StandInHost> StartAsync(StandInOptions options, Func<StandInRequest, StandInAnswer> answer)
    {
        var host = new StandInHost(options, answer);
        await host._app.StartAsync();
        host.Address = new Uri(host._app.Urls.Single());
        host.Egress = new StandInEgress(options.Hosts, host.Address.Port, host._authority);
        return host;
    }

    /// <summary>A client that reaches it. The caller disposes it.</summary>
    public HttpClient CreateClient() => new(Egress.CreateHttpHandler()) { BaseAddress = Address };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _authority?.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var request = await ReadAsync(context.Request, context.RequestAborted);
        Log.Add(request);
        switch (Faults.Take(request))
        {
            case null:
                await WriteAsync(context, _answer(request));
                break;
            case StandInFault.Answers instead:
                await WriteAsync(context, instead.Answer);
                break;
            case StandInFault.Quotes instead:
                await WriteAsync(context, instead.Answer(request));
                break;
            case StandInFault.ActsAndAnswers instead:
                _answer(request);
                await WriteAsync(context, instead.Answer);
                break;
            case StandInFault.LosesAnswer:
                _answer(request);
                context.Abort();
                break;
            case StandInFault.LosesRequest:
                context.Abort();
                break;
            case StandInFault.Hangs:
                await HangAsync(context);
                break;
            case StandInFault.ActsAndHangs:
                _answer(request);
                await HangAsync(context);
                break;
            case StandInFault.ActsLate late:
                await Task.Delay(late.After, _options.Clock, _app.Lifetime.ApplicationStopping);
                await WriteAsync(context, _answer(request));
                break;
            case StandInFault.AnswersLate late:
                var answer = _answer(request);
                await Task.Delay(late.After, late.Clock ?? _options.Clock, context.RequestAborted);
                await WriteAsync(context, answer);
                break;
        }
    }

    private static async Task HangAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    private static async Task<StandInRequest> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        var headers = request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return new StandInRequest(request.Method, request.Host.Host.ToLowerInvariant(), target, headers, body.ToArray());
    }

    private async Task WriteAsync(HttpContext context, StandInAnswer answer)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.Headers.Date = _options.Clock.GetUtcNow().ToString("R"); // Clients measure skew by it.
        if (answer.ContentType is not null) response.ContentType = answer.ContentType;
        foreach (var (name, value) in answer.Headers) response.Headers[name] = value;
        if (answer.Status is 204 or 304 || HttpMethods.IsHead(context.Request.Method)) return;
        response.ContentLength = answer.Body.Length;
        await response.Body.WriteAsync(answer.Body, context.RequestAborted);
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Quickstart;

/// <summary>
/// A small protected service, as any could be: it verifies a token's signature by the broker's public keys, and then asks the broker whether the token
/// still lives (RFC 7662). Whoever leaves the second out accepts it until its <c>exp</c>.
/// </summary>
internal sealed class ReportsService : IAsyncDisposable
{
    public const string Audience = "https://reports.example";
    public const string Workload = "reports-service";

    private readonly WebApplication _app;
    private readonly HttpClient _broker = new();
    private readonly Installation _installation;

    private ReportsService(WebApplication app, Installation installation) => (_app, _installation) = (app, installation);

    public Uri Address { get; private set; } = null!;

    public static async Task<ReportsService> StartAsync(Installation installation, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var service = new ReportsService(builder.Build(), installation);
        service._app.MapGet("/reports/week", (Delegate)service.GetAsync);
        await service._app.StartAsync(cancellationToken);
        service.Address = new Uri(service._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return service;
    }

    /// <summary>Asks for the report with a token.</summary>
    public async Task<(HttpStatusCode Status, string Body)> CallAsync(string token, CancellationToken cancellationToken)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, "/reports/week")) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
        using var answer = await client.SendAsync(request, cancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        _broker.Dispose();
        await _app.DisposeAsync();
    }

    private async Task<IResult> GetAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.Ordinal)) return Results.Unauthorized();
        var token = header["Bearer ".Length..];
        if (!await IsSignedAsync(token, context.RequestAborted)) return Results.Text("the signature is not the broker's", statusCode: 401);
        if (!await LivesAsync(token, context.RequestAborted)) return Results.Text("the broker says that this token is dead", statusCode: 401);
        return Results.Text("12 tickets were closed this week");
    }

    // What any JOSE library does: issuer, audience, time and signature, by the published keys.
    private async Task<bool> IsSignedAsync(string token, CancellationToken cancellationToken)
    {
        var issuer = new Uri(_installation.Place.Http, "/lease").ToString();
        var keys = new JsonWebKeySet(await _broker.GetStringAsync(new Uri($"{issuer}/.well-known/jwks.json"), cancellationToken));
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = issuer,
            ValidAudience = Audience,
            IssuerSigningKeys = keys.GetSigningKeys(),
            ValidAlgorithms = ["ES256"],
        });
        return result.IsValid;
    }

    // The service is a workload too, and proves who it is like any other.
    private async Task<bool> LivesAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_installation.Place.Http, "/oauth2/introspect"))
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", _installation.AgentToken(Workload)) },
            Content = new FormUrlEncodedContent([new("token", token)]),
        };
        using var answer = await _broker.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync(cancellationToken));
        return body.RootElement.GetProperty("active").GetBoolean();
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CredBroker.Client.Tasks;

namespace AzureAgent;

/// <summary>Azure, as the holder of a credential sees it: with a token that the broker took, or with a client secret to take one.</summary>
internal sealed class AzureSession(IssuedLease lease) : IDisposable
{
    // Azure has said yes before all of it knows: a new secret is refused for up to 18 s, a new role for minutes.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);
    private const int MostTries = 100;
    private const long SecretNotKnown = 7000215;
    private const long ApplicationNotKnown = 700016;

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private string? _token;

    /// <summary>Whether a new token can be had. Of a token that was handed out there is no other.</summary>
    public async Task<bool> LogInAsync()
    {
        if (lease.Credential.ContainsKey("access_token"))
        {
            _token ??= lease["access_token"].Reveal();
            return false;
        }

        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = lease["client_id"].Reveal(),
            ["client_secret"] = lease["client_secret"].Reveal(),
            ["scope"] = "https://management.azure.com/.default",
        });
        using var answer = await _http.PostAsync(new Uri(new Uri(lease["authority_host"].Reveal()), $"{lease["tenant_id"].Reveal()}/oauth2/v2.0/token"), form);
        using var body = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync());
        if (answer.IsSuccessStatusCode)
        {
            _token = body.RootElement.GetProperty("access_token").GetString();
            return true;
        }

        var codes = body.RootElement.GetProperty("error_codes").EnumerateArray().Select(code => code.GetInt64()).ToList();
        if (codes.Contains(SecretNotKnown) || codes.Contains(ApplicationNotKnown)) return false;
        throw new InvalidOperationException($"The token endpoint refuses: {string.Join(", ", codes)}.");
    }

    /// <summary>Logs in and reads, as often as it takes Azure to know of the credential.</summary>
    public async Task<HttpStatusCode> ReadPatientlyAsync(Uri resource)
    {
        using var timer = new PeriodicTimer(Pause);
        for (var tries = 0; ; tries++)
        {
            if (_token is null) await LogInAsync();
            var status = _token is null ? HttpStatusCode.Unauthorized : await ReadAsync(resource);
            if (status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) || tries == MostTries) return status;
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Reads with the token at hand.</summary>
    public async Task<HttpStatusCode> ReadAsync(Uri resource)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, resource);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        using var answer = await _http.SendAsync(request);
        return answer.StatusCode;
    }

    public void Dispose() => _http.Dispose();
}

using System.Net;
using System.Text.Json;
using CredBroker.Client.Tasks;

namespace VaultAgent;

/// <summary>Vault or OpenBao, as the holder of a token sees it. What it needs to know is in the credential.</summary>
internal sealed class VaultSession : IDisposable
{
    private readonly HttpClient _http;
    private string _token;

    private VaultSession(IssuedLease lease)
    {
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(lease["address"].Reveal()) };
        if (lease["namespace"].Reveal() is { Length: > 0 } name) _http.DefaultRequestHeaders.Add("X-Vault-Namespace", name);
        _token = lease["token"].Reveal();
    }

    /// <summary>Takes the credential of a lease, and unwraps it where it is wrapped: that works once, so that a theft on the way is noticed here.</summary>
    public static async Task<VaultSession> OpenAsync(IssuedLease lease)
    {
        var session = new VaultSession(lease);
        if (lease["wrapped"].Reveal() != "true") return session;
        using var answer = await session.SendAsync(HttpMethod.Post, "sys/wrapping/unwrap");
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException("Somebody else has unwrapped the token, or its time is over: tell the administrators.");
        using var body = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync());
        session._token = body.RootElement.GetProperty("auth").GetProperty("client_token").GetString()!;
        return session;
    }

    /// <summary>Reads; the answer's status is what matters here.</summary>
    public async Task<HttpStatusCode> ReadAsync(string path)
    {
        using var answer = await SendAsync(HttpMethod.Get, path);
        return answer.StatusCode;
    }

    public void Dispose() => _http.Dispose();

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, $"/v1/{path}");
        request.Headers.Add("X-Vault-Token", _token);
        request.Headers.Add("X-Vault-Request", "true");
        return _http.SendAsync(request);
    }
}

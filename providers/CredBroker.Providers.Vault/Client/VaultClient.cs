using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Client;

/// <summary>Sends calls: each once, under the operator's egress policy, to the path that was meant, with an answer no larger than expected.</summary>
internal sealed class VaultClient : IDisposable
{
    private const int MostBytes = 1024 * 1024;
    private const int MostListBytes = 64 * 1024 * 1024;
    private readonly ProviderContext _context;
    private readonly VaultConfiguration _configuration;
    private readonly TimeProvider _time;
    private HttpClient? _http;

    public VaultClient(ProviderContext context, VaultConfiguration configuration)
    {
        _context = context;
        _configuration = configuration;
        _time = context.Time;
    }

    public async Task<VaultReply> SendAsync(VaultCall call, Secret? token, CancellationToken cancellationToken, bool inNamespace = true)
    {
        var http = _http ?? await ConnectAsync(cancellationToken).ConfigureAwait(false);
        using var request = RequestFor(call, token, inNamespace);
        using var late = new CancellationTokenSource(_configuration.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            var body = await ReadAsync(call, response, either.Token).ConfigureAwait(false);
            return new VaultReply(call, (int)response.StatusCode, Parse(call, response, body), body, response.Headers.Date ?? _time.GetUtcNow(), Wait(response));
        }
        catch (HttpRequestException e) when (e.InnerException is EgressDeniedException denied)
        {
            throw new ProviderException(ProviderFault.Misconfigured, denied.Message, ProviderEffect.None);
        }
        catch (EgressDeniedException denied)
        {
            throw new ProviderException(ProviderFault.Misconfigured, denied.Message, ProviderEffect.None);
        }
        catch (HttpRequestException e)
        {
            throw Faults.Unreachable(call, e);
        }
        catch (IOException)
        {
            throw Faults.Unreachable(call, new HttpRequestException(HttpRequestError.ResponseEnded));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Faults.TimedOut(call, _configuration.Timeout);
        }
    }

    public void Dispose() => _http?.Dispose();

    /// <summary>With the first call, since whom to believe is read from a secret source. Who comes at the same time uses what the first one made.</summary>
    private async Task<HttpClient> ConnectAsync(CancellationToken cancellationToken)
    {
        X509Certificate2Collection? authorities = null;
        if (_configuration.RootCertificate is { } source)
        {
            authorities = [];
            try
            {
                authorities.ImportFromPem((await _context.ResolveSecretAsync(source, cancellationToken).ConfigureAwait(false)).Reveal());
            }
            catch (CryptographicException)
            {
                authorities.Clear();
            }

            if (authorities.Count == 0) throw new ProviderException(ProviderFault.Misconfigured, $"The secret source {source.Source} holds no certificate in PEM.", ProviderEffect.None);
        }

        var made = new HttpClient(new RefusalRedaction(_context.Egress.CreateHttpHandler(authorities), "X-Vault-Token", "secret_id", "jwt")) { Timeout = Timeout.InfiniteTimeSpan };
        if (Interlocked.CompareExchange(ref _http, made, null) is not { } first) return made;
        made.Dispose();
        return first;
    }

    private HttpRequestMessage RequestFor(VaultCall call, Secret? token, bool inNamespace)
    {
        var path = $"/v1/{call.Path}";
        var target = new UriBuilder(_configuration.BaseAddress) { Path = path, Query = call.Query }.Uri;
        if (target.AbsolutePath != path)
            throw new ProviderException(ProviderFault.Misconfigured, "The path is not one that reaches the target as it is written.", ProviderEffect.None);
        var request = new HttpRequestMessage(call.Method, target);
        request.Headers.Add("X-Vault-Request", "true"); // A request that somebody made this broker send by a form or a link has none.
        if (inNamespace && _configuration.Namespace is { } name) request.Headers.Add("X-Vault-Namespace", name);
        if (token is not null) request.Headers.Add("X-Vault-Token", token.Reveal());
        if (call.WrapFor is { } wrap) request.Headers.Add("X-Vault-Wrap-TTL", Durations.Format(wrap));
        if (call.Body is not null)
        {
            request.Content = new ByteArrayContent(call.Body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        else if (call.ReachesEngine)
        {
            // The handler sends a request without a body again by itself when the connection breaks; reading from an engine makes a credential each time.
            request.Content = new ByteArrayContent([]);
        }

        return request;
    }

    private static async Task<byte[]> ReadAsync(VaultCall call, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var most = call.IsList ? MostListBytes : MostBytes;
        if (response.Content.Headers.ContentLength > most) throw TooLarge(call);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var body = new MemoryStream();
            var buffer = new byte[16 * 1024];
            for (var read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false); read > 0; read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false))
            {
                if (body.Length + read > most) throw TooLarge(call);
                body.Write(buffer, 0, read);
            }

            return body.ToArray();
        }
    }

    // A body that is no JSON is tolerated where the status alone says that nothing was done.
    private static VaultAnswer Parse(VaultCall call, HttpResponseMessage response, byte[] body)
    {
        if (body.Length == 0) return new VaultAnswer();
        try
        {
            return JsonSerializer.Deserialize(body, VaultJson.Default.VaultAnswer) ?? new VaultAnswer();
        }
        catch (JsonException)
        {
            return response.IsSuccessStatusCode ? throw Faults.Unintelligible(call) : new VaultAnswer();
        }
    }

    private TimeSpan? Wait(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => Bounded(delta),
        { Date: { } date } => Bounded(date - (response.Headers.Date ?? _time.GetUtcNow())),
        _ => null,
    };

    // A target that is out of its mind must not put off a revocation for ever.
    private static TimeSpan Bounded(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait > TimeSpan.FromMinutes(5) ? TimeSpan.FromMinutes(5) : wait;

    private static ProviderException TooLarge(VaultCall call) => new(ProviderFault.Misconfigured, $"The answer to {call.Method} {call.Path} is larger than Vault's ever is.");
}

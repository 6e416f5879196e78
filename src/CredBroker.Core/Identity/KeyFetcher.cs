using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Egress;

namespace CredBroker.Core.Identity;

/// <summary>Fetches an issuer's keys, from the network under the egress policy or from a file.</summary>
internal sealed class KeyFetcher(IEgress egress, TimeProvider time) : IDisposable
{
    private const int LargestDocument = 256 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly HttpClient _http = new(egress.CreateHttpHandler()) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };

    /// <summary>The keys.</summary>
    /// <exception cref="KeyFetchException">They could not be had; the message says why, for administrators.</exception>
    public async Task<VerificationKeys> FetchAsync(KeyPlace place)
    {
        // Not the caller's token: others wait for the same fetch.
        using var timeout = new CancellationTokenSource(Timeout, time);
        try
        {
            var text = place switch
            {
                KeyPlace.Discovery discovery => await GetKeysAsync(await DiscoverAsync(discovery, timeout.Token), timeout.Token),
                KeyPlace.Url url => await GetKeysAsync(url.Address, timeout.Token),
                KeyPlace.File file => await ReadFileAsync(file.Path, timeout.Token),
                _ => throw new ArgumentOutOfRangeException(nameof(place)),
            };
            return JsonWebKeySetReader.Read(text) ?? throw new KeyFetchException("The answer is no JWK Set.");
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested)
        {
            throw new KeyFetchException($"No answer within {Timeout.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (e is HttpRequestException { InnerException: EgressDeniedException } or EgressDeniedException)
        {
            throw new KeyFetchException((e.InnerException ?? e).Message, e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException or InvalidDataException or DecoderFallbackException)
        {
            throw new KeyFetchException(e.Message, e);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>
    /// The document must be the issuer's own (OpenID Connect Discovery 1.0, section 4.3), and from a document that came by https no key is
    /// fetched by less.
    /// </summary>
    private async Task<string> DiscoverAsync(KeyPlace.Discovery place, CancellationToken cancellationToken)
    {
        var text = await GetAsync(place.Address, "application/json, */*;q=0.1", cancellationToken);
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            if (StringOf(document.RootElement, "issuer") != place.Issuer)
                throw new KeyFetchException("The discovery document names another issuer than the registered one.");
            if (StringOf(document.RootElement, "jwks_uri") is not { } address || !IssuerUrl.IsAllowed(address)
                || (place.Address.StartsWith("https:", StringComparison.OrdinalIgnoreCase) && !address.StartsWith("https:", StringComparison.OrdinalIgnoreCase)))
            {
                throw new KeyFetchException("The discovery document's jwks_uri is no https URL.");
            }

            return address;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new KeyFetchException("The discovery document is no JSON object.", e);
        }
    }

    // Kubernetes answers 406 to application/json alone: its keys are application/jwk-set+json.
    private Task<string> GetKeysAsync(string address, CancellationToken cancellationToken) =>
        GetAsync(address, "application/jwk-set+json, application/json;q=0.9, */*;q=0.1", cancellationToken);

    private async Task<string> GetAsync(string address, string accept, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        foreach (var type in accept.Split(", ")) request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(type));
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK) throw new KeyFetchException($"{address} answered {(int)response.StatusCode}; redirects are not followed.");
        return StrictUtf8.GetString(await response.Content.ReadBytesAsync(LargestDocument, cancellationToken));
    }

    private static async Task<string> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > LargestDocument) throw new InvalidDataException($"{path} is larger than {LargestDocument} bytes.");
        using var reader = new StreamReader(file, StrictUtf8);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    private static string? StringOf(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>An issuer's keys could not be had.</summary>
internal sealed class KeyFetchException(string message, Exception? innerException = null) : Exception(message, innerException);

using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CredBroker.Abstractions;

/// <summary>
/// For providers that speak HTTP: a target's refusal may quote what it refuses, and what it refuses may be a secret. Before anybody reads the refusal, an SDK that logs it among them, the secrets
/// of its request are taken out of it.
/// </summary>
/// <param name="inner">Sends.</param>
/// <param name="names">Which headers, fields of a form and members of a JSON body hold secrets in this protocol. Of <c>Authorization</c> it is the part behind the scheme, and a signature in it.</param>
public sealed class RefusalRedaction(HttpMessageHandler inner, params string[] names) : DelegatingHandler(inner)
{
    private const int MostBytes = 1024 * 1024;
    private const string Instead = "***";

    // What is shorter would take words out that are no secrets.
    private const int ShortestSecret = 8;

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode < HttpStatusCode.BadRequest) return response;
        try
        {
            var secrets = await SecretsOfAsync(request, cancellationToken).ConfigureAwait(false);
            if (secrets.Count > 0) await CleanAsync(response, secrets, cancellationToken).ConfigureAwait(false);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<HashSet<string>> SecretsOfAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var secrets = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, values) in request.Headers.NonValidated.Where(header => IsNamed(header.Key)))
            secrets.UnionWith(name.Equals("Authorization", StringComparison.OrdinalIgnoreCase) ? values.SelectMany(OfAuthorization) : values);
        if (request.Content is { } content) secrets.UnionWith(OfBody(await content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)));
        secrets.RemoveWhere(secret => secret.Length < ShortestSecret);
        return secrets;
    }

    private static IEnumerable<string> OfAuthorization(string value) =>
        [value, value[(value.IndexOf(' ', StringComparison.Ordinal) + 1)..], value[(value.TrimEnd('=').LastIndexOf('=') + 1)..]];

    private IEnumerable<string> OfBody(string body)
    {
        if (!body.AsSpan().TrimStart().StartsWith("{"))
            return body.Split('&').Select(pair => pair.Split('=', 2)).Where(pair => pair.Length == 2 && IsNamed(pair[0])).Select(pair => WebUtility.UrlDecode(pair[1]));
        try
        {
            using var document = JsonDocument.Parse(body);
            return [.. document.RootElement.EnumerateObject().Where(member => IsNamed(member.Name) && member.Value.ValueKind == JsonValueKind.String).Select(member => member.Value.GetString()!)];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private bool IsNamed(string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static async Task CleanAsync(HttpResponseMessage response, IEnumerable<string> secrets, CancellationToken cancellationToken)
    {
        var said = await ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
        var text = Encoding.UTF8.GetString(said);
        var cleaned = secrets.SelectMany(FormsOf).Distinct().OrderByDescending(form => form.Length).Aggregate(text, (all, form) => all.Replace(form, Instead, StringComparison.Ordinal));
        var content = new ByteArrayContent(cleaned == text ? said : Encoding.UTF8.GetBytes(cleaned));
        foreach (var (name, values) in response.Content.Headers.NonValidated.Where(header => !header.Key.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)))
            content.Headers.TryAddWithoutValidation(name, values);
        response.Content.Dispose();
        response.Content = content;
    }

    // As far as any refusal reaches: of more nobody reads the rest.
    private static async Task<byte[]> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var buffer = new byte[MostBytes];
            return buffer[..await stream.ReadAtLeastAsync(buffer, MostBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)];
        }
    }

    private static IEnumerable<string> FormsOf(string secret) =>
    [
        secret, Uri.EscapeDataString(secret), WebUtility.UrlEncode(secret), WebUtility.HtmlEncode(secret),
        JsonEncodedText.Encode(secret).ToString(), JsonEncodedText.Encode(secret, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(), secret.Replace("/", "\\/", StringComparison.Ordinal),
    ];
}

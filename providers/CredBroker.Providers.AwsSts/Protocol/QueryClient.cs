using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>
/// One service's Query API. A call is sent once and never repeated here: who calls knows whether it made something. Answers are capped in size and
/// time.
/// </summary>
internal sealed class QueryClient(HttpClient http, ServiceEndpoint endpoint, TimeProvider time, TimeSpan timeout)
{
    /// <summary>Sends one action, signed by the keys; without keys for the actions that take a token instead.</summary>
    /// <exception cref="ProviderException">There was no answer in the service's own form. Its effect says whether anything was sent.</exception>
    public async Task<QueryAnswer> CallAsync(string action, AwsKeys? keys, IEnumerable<(string Name, string Value)> parameters, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        if (cancellationToken.IsCancellationRequested)
            throw new ProviderException(ProviderFault.Unreachable, "The call was cancelled before anything was sent.", ProviderEffect.None);
        using var request = RequestFor(action, keys, parameters);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            return await ReadAsync(action, response, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            var why = late.IsCancellationRequested ? $"did not answer within {DurationConverter.Format(timeout)}" : "had not answered when the call was cancelled";
            throw new ProviderException(ProviderFault.Unreachable, $"{endpoint.Service} {action}: {endpoint.Address.Host} {why}.");
        }
        catch (Exception e) when (Faults.OfTransport(e, $"{endpoint.Service} {action}") is { } fault)
        {
            throw fault;
        }
    }

    private HttpRequestMessage RequestFor(string action, AwsKeys? keys, IEnumerable<(string Name, string Value)> parameters)
    {
        var form = new StringBuilder("Action=").Append(action).Append("&Version=").Append(endpoint.ApiVersion);
        foreach (var (name, value) in parameters)
            form.Append('&').Append(Encode(name)).Append('=').Append(Encode(value));
        var body = Encoding.ASCII.GetBytes(form.ToString());
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint.Address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(RequestSigner.ContentType);
        request.Headers.Accept.ParseAdd("text/xml");
        if (keys is null) return request;
        foreach (var (name, value) in RequestSigner.Sign(endpoint, keys, body, time.GetUtcNow())) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    // Outside of the unreserved characters everything is percent-encoded; a space is a plus, as in a form.
    private static string Encode(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    private async Task<QueryAnswer> ReadAsync(string action, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var now = response.Headers.Date ?? time.GetUtcNow();
        var status = (int)response.StatusCode;
        var root = await ReadBodyAsync(response, cancellationToken).ConfigureAwait(false) is { } body ? AnswerReader.Read(body) : null;
        if (root is not null && status == 200 && root.Name.LocalName == $"{action}Response") return new QueryAnswer.Done(root.Child($"{action}Result") ?? root, now);
        if (root is not null && status >= 400 && root.Name.LocalName == "ErrorResponse" && root.Find("Error") is { } error && error.Text("Code") is { Length: > 0 } code)
            return new QueryAnswer.Refused(Faults.CodeOf(code), Faults.Clean(error.Text("Message") ?? ""), status, now, RetryAfterOf(response));

        // Whoever spoke, it was not the service: a proxy's page says nothing about what became of the call.
        var words = string.Create(CultureInfo.InvariantCulture, $"{endpoint.Service} {action}: {endpoint.Address.Host} answered {status} with something that is no answer of this service.");
        throw new ProviderException(status is 429 ? ProviderFault.Throttled : ProviderFault.Unreachable, words, retryAfter: RetryAfterOf(response));
    }

    private static async Task<byte[]?> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var body = new MemoryStream();
            var buffer = new byte[16 * 1024];
            int count;
            while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (body.Length + count > AnswerReader.MaxBytes) return null;
                body.Write(buffer, 0, count);
            }

            return body.ToArray();
        }
    }

    private static TimeSpan? RetryAfterOf(HttpResponseMessage response) =>
        response.Headers.RetryAfter?.Delta is { } delta && delta > TimeSpan.Zero && delta < TimeSpan.FromHours(1) ? delta : null;
}

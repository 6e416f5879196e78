using System.Collections.Concurrent;
using System.Text.Json;
using Azure;
using Azure.Security.KeyVault.Secrets;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure.KeyVault;

/// <summary>The SDK's clients, one for each vault, with every retry off and the version pinned.</summary>
internal sealed class VaultClients(AzureHttp http, ProviderContext context)
{
    private readonly ConcurrentDictionary<string, SecretClient> _clients = new(StringComparer.Ordinal);

    public SecretClient Of(string vault) => _clients.GetOrAdd(vault, address => new SecretClient(
        new Uri(address), http.Tokens,
        http.Configure(new SecretClientOptions(SecretClientOptions.ServiceVersion.V7_4)
        {
            // A stand-in on this machine has no name below that of its audience; the audience itself is pinned by the tokens in any case.
            DisableChallengeResourceVerification = new Uri(address).IsLoopback,
        })));

    /// <summary>Runs a call. Answers what it gave and the vault's clock, or the error that is expected.</summary>
    public async Task<(T? Value, ServiceError? Error, DateTimeOffset Now)> AskAsync<T>(
        Func<Task<Response<T>>> call, bool makes, Func<int, ServiceError, bool> expects, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var answer = await call().ConfigureAwait(false);
            return (answer.Value, null, NowOf(answer.GetRawResponse()));
        }
        catch (RequestFailedException e) when (e.GetRawResponse() is { } response)
        {
            var error = ErrorOf(response);
            if (expects(response.Status, error)) return (null, error, NowOf(response));
            throw Faults.Of(response.Status, error.Inner?.Code ?? error.Code, error.Message, AzureHttp.RetryAfterOf(response), makes);
        }
        catch (InvalidOperationException)
        {
            throw OtherAudience();
        }
        catch (Exception e) when (Faults.Translate(e, makes, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>Reads a listing to its end.</summary>
    public async Task<(IReadOnlyList<SecretProperties> Found, DateTimeOffset Now)> ListAsync(AsyncPageable<SecretProperties> listing, CancellationToken cancellationToken)
    {
        var found = new List<SecretProperties>();
        var now = context.Time.GetUtcNow();
        try
        {
            await foreach (var page in listing.AsPages().WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                found.AddRange(page.Values);
                now = NowOf(page.GetRawResponse());
            }
        }
        catch (RequestFailedException e) when (e.GetRawResponse() is { } response)
        {
            var error = ErrorOf(response);
            if (response.Status == 404 && error.Is("SecretNotFound")) return ([], NowOf(response));
            throw Faults.Of(response.Status, error.Inner?.Code ?? error.Code, error.Message, AzureHttp.RetryAfterOf(response), makes: false);
        }
        catch (InvalidOperationException)
        {
            throw OtherAudience();
        }
        catch (Exception e) when (Faults.Translate(e, makes: false, cancellationToken) is { } translated)
        {
            throw translated;
        }

        return (found, now);
    }

    // The SDK's client throws this for a challenge whose audience is not the vault's own domain, before it sends anything.
    private static ProviderException OtherAudience() =>
        new(ProviderFault.TargetMismatch, "The vault asks for a token of an audience that is not its own.", ProviderEffect.None);

    private DateTimeOffset NowOf(Response response) => response.Headers.Date ?? context.Time.GetUtcNow();

    private static ServiceError ErrorOf(Response response)
    {
        try
        {
            return JsonSerializer.Deserialize(response.Content.ToMemory().Span, AzureJson.Default.ErrorEnvelope)?.Error ?? ServiceError.None;
        }
        catch (JsonException)
        {
            return ServiceError.None;
        }
    }
}

using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Azure;
using Azure.Identity;
using CredBroker.Abstractions;
using Microsoft.Identity.Client;

namespace CredBroker.Providers.Azure.Connect;

/// <summary>
/// Turns what the services answer, and what the SDK throws, into what the broker can act on. The cause is never attached: it can quote a request.
/// </summary>
internal static class Faults
{
    /// <summary>What a refusal means. Every 4xx is the service's word that it did nothing; of a 5xx nobody knows.</summary>
    public static ProviderException Of(AzureAnswer answer, bool makes = false) =>
        Of(answer.Status, answer.Error.Code, answer.Error.Message, answer.RetryAfter, makes);

    /// <summary>The same for a service that the SDK's own client talks to.</summary>
    public static ProviderException Of(int status, string? code, string? message, TimeSpan? retryAfter, bool makes) => new(
        status switch
        {
            401 or 403 => ProviderFault.Denied,
            429 => ProviderFault.Throttled,
            408 or >= 500 => ProviderFault.Unreachable,
            404 when code is "SubscriptionNotFound" or "ResourceGroupNotFound" or "ResourceNotFound" => ProviderFault.Misconfigured,
            400 when code is "Directory_QuotaExceeded" or "RoleAssignmentLimitExceeded" => ProviderFault.Throttled,
            400 => ProviderFault.Misconfigured,
            >= 300 and < 400 => ProviderFault.Misconfigured,
            _ => ProviderFault.Credential,
        },
        Clean($"{status} {code}: {message}"),
        makes && status is 408 or >= 500 or (>= 200 and < 400) ? ProviderEffect.Unknown : ProviderEffect.None,
        retryAfter);

    /// <summary>What an exception means; null for one that is not the service's.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="makes">The call makes something, and may have been sent.</param>
    /// <param name="cancellationToken">Whose cancellation is the caller's own, and passes as it is.</param>
    public static ProviderException? Translate(Exception exception, bool makes, CancellationToken cancellationToken)
    {
        var effect = makes ? ProviderEffect.Unknown : ProviderEffect.None;
        if (exception is ProviderException) return null;
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case ProviderException inner:
                    return inner;
                case EgressDeniedException denied:
                    return new(ProviderFault.Misconfigured, Clean(denied.Message), ProviderEffect.None);
                case AuthenticationException tls:
                    return new(ProviderFault.Misconfigured, $"TLS: {Clean(tls.Message)}", effect);
                case MsalServiceException msal:
                    return OfLogIn(msal);
            }
        }

        return exception switch
        {
            OperationCanceledException when cancellationToken.IsCancellationRequested => null,
            OperationCanceledException or TimeoutException => new(ProviderFault.Unreachable, "The service did not answer in time.", effect),
            RequestFailedException { Status: > 0 } e => Of(e.Status, e.ErrorCode, null, null, makes),
            RequestFailedException or HttpRequestException or SocketException or IOException => new(ProviderFault.Unreachable, Clean(exception.Message), effect),
            AuthenticationFailedException or MsalException => new(
                IsOfTheNetwork(exception) ? ProviderFault.Unreachable : ProviderFault.Denied, $"The broker could not log in: {Clean(exception.Message)}", ProviderEffect.None),
            _ => null,
        };
    }

    /// <summary>Whether an error of the token endpoint is one of these: by its codes, as the words have changed and will again.</summary>
    public static bool IsOneOf(TokenError? error, params ReadOnlySpan<long> codes)
    {
        foreach (var code in error?.Codes ?? [])
            if (codes.Contains(code)) return true;
        return false;
    }

    public static TokenError? ReadTokenError(string? body)
    {
        try
        {
            return body is null ? null : JsonSerializer.Deserialize(body, AzureJson.Default.TokenError);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>One line without control characters, cut.</summary>
    public static string Clean(string text)
    {
        var cut = text.Length > 500 ? text[..500] : text;
        return new string([.. cut.Select(character => char.IsControl(character) ? ' ' : character)]);
    }

    // Whoever was never asked has denied nothing.
    private static bool IsOfTheNetwork(Exception? exception) =>
        exception is not null && (exception is HttpRequestException or SocketException || IsOfTheNetwork(exception.InnerException));

    private static ProviderException OfLogIn(MsalServiceException e)
    {
        var error = ReadTokenError(e.ResponseBody);
        var fault = e.StatusCode switch
        {
            429 => ProviderFault.Throttled,
            >= 500 or 0 => ProviderFault.Unreachable,
            _ when IsOneOf(error, 90002) => ProviderFault.Misconfigured,
            _ => ProviderFault.Denied,
        };
        var words = error?.Description ?? $"The token endpoint answered {e.StatusCode}.";
        return new ProviderException(fault, $"The broker could not log in: {Clean(words)}", ProviderEffect.None, e.Headers?.RetryAfter?.Delta);
    }
}

using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>What the services' errors mean to the broker.</summary>
internal static class Faults
{
    private const int LongestWords = 500;

    /// <summary>A code as it is compared: one error is called with and without the suffix.</summary>
    public static string CodeOf(string code)
    {
        var clean = Clean(code);
        const string Suffix = "Exception";
        return clean.Length > Suffix.Length && clean.EndsWith(Suffix, StringComparison.Ordinal) ? clean[..^Suffix.Length] : clean;
    }

    /// <summary>A refusal. In the service's own form with a 4xx status it is definite; after a 5xx nobody knows.</summary>
    public static ProviderException Of(QueryAnswer.Refused refused) => new(
        FaultOf(refused), WordsOf(refused), refused.Status >= 500 ? ProviderEffect.Unknown : ProviderEffect.None, refused.RetryAfter);

    /// <summary>A failure on the way; null for what is not one.</summary>
    public static ProviderException? OfTransport(Exception exception, string call) => exception switch
    {
        HttpRequestException { InnerException: EgressDeniedException e } => new(ProviderFault.Misconfigured, Clean(e.Message), ProviderEffect.None),
        EgressDeniedException e => new(ProviderFault.Misconfigured, Clean(e.Message), ProviderEffect.None),
        HttpRequestException { InnerException: AuthenticationException e } => new(ProviderFault.Misconfigured, $"{call}: TLS: {Clean(e.Message)}", ProviderEffect.None),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError } e =>
            new(ProviderFault.Unreachable, $"{call}: {Clean(e.Message)}", ProviderEffect.None),
        HttpRequestException or IOException or SocketException or InvalidDataException => new(ProviderFault.Unreachable, $"{call}: {Clean(exception.Message)}"),
        _ => null,
    };

    /// <summary>One printable line, cut.</summary>
    public static string Clean(string text)
    {
        var cut = text.Length > LongestWords ? text[..LongestWords] : text;
        return new string([.. cut.Select(character => IsPlain(character) ? character : ' ')]).Trim();
    }

    private static bool IsPlain(char character) =>
        char.GetUnicodeCategory(character) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse);

    private static ProviderFault FaultOf(QueryAnswer.Refused refused) => refused.Code switch
    {
        "SignatureDoesNotMatch" when IsSkew(refused) => ProviderFault.Misconfigured,
        "AccessDenied" or "UnauthorizedOperation" or "InvalidClientTokenId" or "ExpiredToken" or "SignatureDoesNotMatch" or "OptInRequired"
            or "MissingAuthenticationToken" or "IncompleteSignature" or "InvalidIdentityToken" or "IDPRejectedClaim" or "NotAuthorized" => ProviderFault.Denied,
        "Throttling" or "Throttled" or "ThrottledException" or "RequestLimitExceeded" or "TooManyRequests" or "ConcurrentModification" or "PriorRequestNotComplete" =>
            ProviderFault.Throttled,
        "IDPCommunicationError" or "ServiceFailure" or "InternalFailure" or "InternalError" or "ServiceUnavailable" or "RequestTimeout" => ProviderFault.Unreachable,
        "EntityAlreadyExists" or "DeleteConflict" => ProviderFault.Credential,
        _ => refused.Status >= 500 ? ProviderFault.Unreachable : ProviderFault.Misconfigured,
    };

    private static string WordsOf(QueryAnswer.Refused refused) => refused.Code switch
    {
        "SignatureDoesNotMatch" when IsSkew(refused) =>
            $"The clocks of the broker and of AWS disagree: AWS says it is {refused.Now.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z. Set the broker's clock. ({refused.Message})",
        "ExpiredToken" => $"ExpiredToken: the broker's own credentials have expired. ({refused.Message})",
        "InvalidClientTokenId" => $"InvalidClientTokenId: AWS does not know the broker's own credentials (any more, or yet). ({refused.Message})",
        "PackedPolicyTooLarge" => $"PackedPolicyTooLarge: session policy and tags together are too large once packed; tags weigh most. ({refused.Message})",
        "RegionDisabled" => $"RegionDisabled: STS is switched off in this region. ({refused.Message})",
        _ => $"{refused.Code}: {refused.Message}",
    };

    // Skew has no code of its own.
    private static bool IsSkew(QueryAnswer.Refused refused) =>
        refused.Message.StartsWith("Signature expired", StringComparison.Ordinal) || refused.Message.StartsWith("Signature not yet current", StringComparison.Ordinal);
}

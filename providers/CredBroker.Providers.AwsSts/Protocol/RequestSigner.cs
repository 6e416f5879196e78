using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.Runtime.Internal.Util;
using Amazon.SecurityToken;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>Signs a request of the Query protocol with AWSSDK.Core's signer (Signature Version 4), at a time that is given.</summary>
internal static class RequestSigner
{
    public const string ContentType = "application/x-www-form-urlencoded; charset=utf-8";

    /// <summary>The headers to send with the body: <c>X-Amz-Date</c>, <c>Authorization</c>, and <c>X-Amz-Security-Token</c> for a session.</summary>
    public static IReadOnlyDictionary<string, string> Sign(ServiceEndpoint endpoint, AwsKeys keys, byte[] body, DateTimeOffset now)
    {
        using var request = new DefaultRequest(new QueryRequest(), endpoint.Service)
        {
            HttpMethod = "POST",
            Endpoint = endpoint.Address,
            ResourcePath = "/",
            Content = body,
            AuthenticationRegion = endpoint.Region,
            OverrideSigningServiceName = endpoint.Service,
            SignatureVersion = SignatureVersion.SigV4,
        };
        request.Headers["Content-Type"] = ContentType;
        if (keys.SessionToken is { } token) request.Headers["X-Amz-Security-Token"] = token.Reveal();
        var settings = new AmazonSecurityTokenServiceConfig { AuthenticationRegion = endpoint.Region, ServiceURL = endpoint.Address.AbsoluteUri };
        var signature = new AWS4Signer().SignRequest(request, settings, new RequestMetrics(), keys.AccessKeyId, keys.SecretAccessKey.Reveal(), now.UtcDateTime);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["X-Amz-Date"] = signature.ISO8601DateTime,
            ["Authorization"] = signature.ForAuthorizationHeader,
        };
        if (keys.SessionToken is { } session) headers["X-Amz-Security-Token"] = session.Reveal();
        return headers;
    }

    private sealed class QueryRequest : AmazonWebServiceRequest;
}

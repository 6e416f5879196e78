using System.Security;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

/// <summary>One object in one bucket: enough to see whether a session gets in.</summary>
internal static class S3
{
    public const string Bucket = "reports";
    public const string Object = "today.txt";

    public static StandInAnswer Answer(AwsStandIn aws, StandInRequest request, string requestId)
    {
        try
        {
            var principal = aws.Authenticate(request, "s3", region: null);
            if (request.Method != "GET" || request.Path.Split('/') is not ["", var bucket, .. { Length: > 0 } rest]) throw new AwsErrorException("MethodNotAllowed", 405, "The specified method is not allowed against this resource.");
            var key = Uri.UnescapeDataString(string.Join('/', rest));
            if (aws.Decide(principal, "s3:GetObject", $"arn:aws:s3:::{bucket}/{key}", AwsStandIn.NoKeys, aws.BucketPolicies.GetValueOrDefault(bucket)) != Verdict.Allowed)
                throw new AwsErrorException("AccessDenied", 403, aws.WordsOf(principal, "s3:GetObject", $"arn:aws:s3:::{bucket}/{key}"));
            return StandInAnswer.Of(200, $"{bucket}/{key}", "text/plain").With("x-amz-request-id", requestId);
        }
        catch (AwsErrorException e)
        {
            var body = $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{e.Code}</Code><Message>{SecurityElement.Escape(e.Message)}</Message><RequestId>{requestId}</RequestId></Error>";
            return StandInAnswer.Of(e.Status, body, "application/xml").With("x-amz-request-id", requestId);
        }
    }
}

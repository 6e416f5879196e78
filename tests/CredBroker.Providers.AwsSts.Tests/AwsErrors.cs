using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>Errors in the services' envelope.</summary>
internal static class AwsErrors
{
    public static StandInAnswer Answer(int status, string code, string message) => StandInAnswer.Of(
        status, $"<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>", "text/xml");
}

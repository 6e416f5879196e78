using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Login;

/// <summary>Trades a signed assertion for a session of the broker's own role. The call is not signed: the assertion speaks for itself.</summary>
internal sealed class WebIdentityLogin(QueryClient sts, ProviderContext context)
{
    // What every role allows. The broker logs in again as often as it must.
    private const int Seconds = 3600;

    public async Task<AwsKeys> LogInAsync(string roleArn, Secret assertion, CancellationToken cancellationToken)
    {
        var answer = await sts.CallAsync(
            "AssumeRoleWithWebIdentity", null,
            [
                ("RoleArn", roleArn),
                ("RoleSessionName", $"credbroker-{context.InstallationId}"),
                ("WebIdentityToken", assertion.Reveal()),
                ("DurationSeconds", Seconds.ToString(CultureInfo.InvariantCulture)),
            ],
            cancellationToken).ConfigureAwait(false);
        if (answer is QueryAnswer.Refused refused)
        {
            // An error can quote what it refuses, and the assertion is a credential for five minutes.
            var quiet = refused.Message.Contains(assertion.Reveal()[..20], StringComparison.Ordinal) ? refused with { Message = "" } : refused;
            var error = quiet.ToException();
            throw new ProviderException(
                error.Fault, $"The broker could not log in as {roleArn} (issuer {context.Identity.Issuer}, audience {context.Identity.Audience}): {error.Message}",
                ProviderEffect.None, error.RetryAfter);
        }

        return StsAnswers.KeysOf(answer.Require().Result);
    }
}

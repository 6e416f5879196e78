using Azure.Core;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure.Entra;

/// <summary>
/// Takes a token for an application that was made for one lease, by an assertion about that lease alone. It asks the token endpoint itself, since the SDK
/// turns the answer's <c>expires_in</c> into an instant of the machine's clock.
/// </summary>
internal sealed class LeaseTokens(AzureHttp http, ProviderContext context, AzureConfiguration configuration)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>The token, and how long it lives from the answer's own instant on.</summary>
    public async Task<(Secret Token, DateTimeOffset EndsAt)> TakeAsync(IssueSteps steps, Uid lease, string appId, string scope, CancellationToken cancellationToken)
    {
        while (true)
        {
            steps.RequireTime();
            var assertion = await context.Identity.MintLeaseAssertionAsync(lease, cancellationToken).ConfigureAwait(false);
            var answer = await http.SendAsync(CallOf(appId, scope, assertion), cancellationToken).ConfigureAwait(false);
            if (answer.Succeeded) return Read(answer);
            var error = answer.ReadTokenError();
            if (!HasNotSpread(error) || !steps.HasTimeFor(Pause)) throw Refused(answer, error);
            await Task.Delay(Pause, context.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    // The federated credential, or the application, is not known there yet: nothing was given.
    private static bool HasNotSpread(TokenError? error) => Faults.IsOneOf(error, 70021, 700213, 7002137, 7002138, 700016);

    private static (Secret Token, DateTimeOffset EndsAt) Read(AzureAnswer answer)
    {
        var token = answer.Read(AzureJson.Default.TokenAnswer);
        return token is { AccessToken.Length: > 0, ExpiresIn: > 0 and <= 604_800 }
            ? (new Secret(token.AccessToken), answer.Now.AddSeconds(token.ExpiresIn))
            : throw new ProviderException(ProviderFault.Unreachable, "The token endpoint answered without a token, or without saying when it ends.");
    }

    private static ProviderException Refused(AzureAnswer answer, TokenError? error) => new(
        answer.Status switch { 429 => ProviderFault.Throttled, >= 500 => ProviderFault.Unreachable, _ => ProviderFault.Denied },
        Faults.Clean($"The token endpoint answered {answer.Status}: {error?.Description ?? error?.Error}"), ProviderEffect.None, answer.RetryAfter);

    private AzureCall CallOf(string appId, string scope, Secret assertion) =>
        (new AzureCall(RequestMethod.Post, new Uri(http.Addresses.Authority, $"{configuration.TenantId}/oauth2/v2.0/token"), Scope: null) { Makes = true }).WithForm(
            $"client_id={Uri.EscapeDataString(appId)}&scope={Uri.EscapeDataString(scope)}&grant_type=client_credentials"
            + $"&client_assertion_type={Uri.EscapeDataString("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")}&client_assertion={Uri.EscapeDataString(assertion.Reveal())}");
}

using System.Globalization;
using System.Text;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;
using CredBroker.Providers.AwsSts.Sessions;

namespace CredBroker.Providers.AwsSts.Canaries;

/// <summary>What a look by a canary's session has shown.</summary>
/// <param name="Refused">True: refused by an explicit deny of an identity's policy. False: let in. Null: neither can be said.</param>
/// <param name="Words">What was answered.</param>
internal sealed record CanaryLook(bool? Refused, string Words);

/// <summary>A session of the broker's own, for one request alone.</summary>
internal sealed record CanarySession(string Name, AwsKeys Keys, DateTimeOffset EndsAt);

/// <summary>Opens canaries and lets them ask. Whatever fails here is an answer that says nothing: no revocation fails by it.</summary>
internal sealed class CanaryProbe(AwsApi api, ProviderContext context, AwsStsConfiguration configuration) : IDisposable
{
    // A service's hosts learn of a change one by one: each look is over a connection of its own, so that it may reach another.
    private const int Looks = 3;
    private const int MostBytes = 64 * 1024;
    private const string DeniedByRole = "explicit deny in an identity-based policy";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    private readonly HttpClient _http = new(context.Egress.CreateHttpHandler()) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Opens a session under a name that was never used, which may do the one thing.</summary>
    /// <exception cref="ProviderException">It was not opened.</exception>
    public async Task<CanarySession> OpenAsync(RoleArn role, CanaryConfiguration canary, CancellationToken cancellationToken)
    {
        var name = $"cb-{context.InstallationId}-{Uid.New(context.Time)}";
        var end = SessionOpening.WholeSeconds(context.Time.GetUtcNow() + Life);
        var policy = PolicyText.Write([new Statement(true, [canary.Action], [canary.Resource]), .. Guards.Of(role.Text, end, mayChain: false)]);
        var opened = await new SessionOpening(api, context.Time).AssumeAsync(role.Text, name, (int)Life.TotalSeconds, [("Policy", policy)], cancellationToken).ConfigureAwait(false);
        return new CanarySession(name, opened.Keys, end);
    }

    /// <summary>Asks a few times: it is refused only if it is each time, and let in if it is once.</summary>
    public async Task<CanaryLook> LookAsync(CanarySession session, CanaryConfiguration canary, CancellationToken cancellationToken)
    {
        CanaryLook last = null!;
        for (var look = 0; look < Looks; look++)
        {
            last = await AskAsync(session, canary, cancellationToken).ConfigureAwait(false);
            if (last.Refused != true) return last;
        }

        return last;
    }

    public void Dispose() => _http.Dispose();

    private async Task<CanaryLook> AskAsync(CanarySession session, CanaryConfiguration canary, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(configuration.Timeout, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        var endpoint = new ServiceEndpoint(canary.Service, "", new Uri(canary.Url), canary.Region ?? configuration.Region);
        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint.Address);
        request.Headers.ConnectionClose = true;
        foreach (var (name, value) in RequestSigner.SignGet(endpoint, session.Keys, context.Time.GetUtcNow())) request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            var status = string.Create(CultureInfo.InvariantCulture, $"{endpoint.Address.Host} answered {(int)response.StatusCode}");
            if (response.IsSuccessStatusCode) return new CanaryLook(false, status);
            var body = await ReadAsync(response, both.Token).ConfigureAwait(false);
            // A right that was taken away, or the session's own end, refuses too, and in other words.
            return (int)response.StatusCode == 403 && body.Contains(DeniedByRole, StringComparison.Ordinal)
                ? new CanaryLook(true, $"{status}, by an {DeniedByRole}")
                : new CanaryLook(null, $"{status}, which says neither that it is let in nor that it is denied by the role");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new CanaryLook(null, $"{endpoint.Address.Host} did not answer within {DurationConverter.Format(configuration.Timeout)}");
        }
        catch (Exception e) when (Faults.OfTransport(e, "canary") is { } fault)
        {
            return new CanaryLook(null, fault.Message);
        }
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var buffer = new byte[MostBytes];
            var length = await stream.ReadAtLeastAsync(buffer, MostBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return Encoding.UTF8.GetString(buffer, 0, length);
        }
    }
}

using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Login;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>STS and IAM with the broker's own keys. Keys that AWS calls expired are replaced, once: such a refusal means that nothing was done.</summary>
internal sealed class AwsApi : IDisposable
{
    private readonly HttpClient _http;
    private readonly QueryClient _sts;
    private readonly QueryClient _iam;
    private readonly BrokerLogin _login;

    public AwsApi(ProviderContext context, AwsStsConfiguration configuration, AmbientSettings ambient)
    {
        // Time-outs are the query client's, by the injected clock.
        _http = new HttpClient(new RefusalRedaction(context.Egress.CreateHttpHandler(), "Authorization", "X-Amz-Security-Token", "WebIdentityToken")) { Timeout = Timeout.InfiniteTimeSpan };
        _sts = new QueryClient(_http, ServiceEndpoint.Sts(configuration), context.Time, configuration.Timeout);
        _iam = new QueryClient(_http, ServiceEndpoint.Iam(configuration), context.Time, configuration.Timeout);
        _login = new BrokerLogin(context, configuration, _sts, ambient);
    }

    /// <summary>Whether what these keys open is a chained session, which lives for an hour at most.</summary>
    public async Task<bool> ChainsAsync(CancellationToken cancellationToken) => BrokerLogin.Chains(await _login.GetAsync(cancellationToken).ConfigureAwait(false));

    public Task<QueryAnswer> StsAsync(string action, IEnumerable<(string Name, string Value)> parameters, CancellationToken cancellationToken) =>
        CallAsync(_sts, action, [.. parameters], cancellationToken);

    public Task<QueryAnswer> IamAsync(string action, IEnumerable<(string Name, string Value)> parameters, CancellationToken cancellationToken) =>
        CallAsync(_iam, action, [.. parameters], cancellationToken);

    /// <summary>A call that only reads: whatever becomes of it, it has changed nothing.</summary>
    public Task<QueryAnswer> ReadIamAsync(string action, IEnumerable<(string Name, string Value)> parameters, CancellationToken cancellationToken) =>
        ReadingAsync(() => IamAsync(action, parameters, cancellationToken));

    /// <summary>Who the broker is there.</summary>
    public async Task<(CallerIdentity Caller, DateTimeOffset Now)> GetCallerAsync(CancellationToken cancellationToken)
    {
        var done = (await ReadingAsync(() => StsAsync("GetCallerIdentity", [], cancellationToken)).ConfigureAwait(false)).Require();
        var caller = new CallerIdentity(done.Result.Text("Account") ?? "", done.Result.Text("Arn") ?? "", done.Result.Text("UserId") ?? "");
        return (caller, done.Now);
    }

    public void Dispose()
    {
        _login.Dispose();
        _http.Dispose();
    }

    private static async Task<QueryAnswer> ReadingAsync(Func<Task<QueryAnswer>> read)
    {
        try
        {
            return await read().ConfigureAwait(false) switch
            {
                QueryAnswer.Refused { Status: >= 500 } refused => throw refused.ToException(),
                var answer => answer,
            };
        }
        catch (ProviderException e) when (e.Effect != ProviderEffect.None)
        {
            throw new ProviderException(e.Fault, e.Message, ProviderEffect.None, e.RetryAfter);
        }
    }

    private async Task<QueryAnswer> CallAsync(QueryClient client, string action, IReadOnlyList<(string, string)> parameters, CancellationToken cancellationToken)
    {
        var keys = await _login.GetAsync(cancellationToken).ConfigureAwait(false);
        var answer = await client.CallAsync(action, keys, parameters, cancellationToken).ConfigureAwait(false);
        if (keys.SessionToken is null || answer is not QueryAnswer.Refused { Status: < 500, Code: "ExpiredToken" or "InvalidClientTokenId" }) return answer;
        _login.Forget(keys);
        var fresh = await _login.GetAsync(cancellationToken).ConfigureAwait(false);
        return fresh.AccessKeyId == keys.AccessKeyId ? answer : await client.CallAsync(action, fresh, parameters, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>Who a caller is.</summary>
/// <param name="Account">The account's 12 digits.</param>
/// <param name="Arn">The ARN: of a user, or of a session of a role.</param>
/// <param name="UserId">The stable id.</param>
internal sealed record CallerIdentity(string Account, string Arn, string UserId)
{
    /// <summary>The role's name, where the caller is a session of one. The ARN has no path.</summary>
    public string? RoleName => Arn.Split(':') is [_, _, "sts", _, _, var resource] && resource.Split('/') is ["assumed-role", var role, _] ? role : null;
}

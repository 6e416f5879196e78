using CredBroker.Abstractions;

namespace CredBroker.Providers.Token;

/// <summary>Signs tokens; the broker's own store is the target.</summary>
internal sealed class TokenProvider(TimeProvider time, ILeaseTokenSigner signer, TokenConfiguration configuration) : IProvider
{
    private string TargetIdentity => $"token:{signer.Issuer}";

    public async Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        var template = Document<JwtTemplate>.Read(request.Template);
        if (configuration.Audiences.Count > 0 && !configuration.Audiences.Contains(template.Audience))
            throw new ProviderException(ProviderFault.Misconfigured, "The provider's configuration does not name this audience.", ProviderEffect.None);

        // NumericDate counts whole seconds here: cut, so that the token does not outlive its lease.
        var expiresAt = DateTimeOffset.FromUnixTimeSeconds(request.ExpiresAt.ToUnixTimeSeconds());
        var token = await signer.SignAsync(
            new LeaseToken
            {
                LeaseId = request.LeaseId,
                TaskId = request.TaskId,
                Subject = request.Workload,
                Audience = template.Audience,
                ExpiresAt = expiresAt,
                Scopes = template.Scopes,
                Claims = template.Claims,
            },
            cancellationToken).ConfigureAwait(false);
        return new IssuedCredential
        {
            Fields = new Dictionary<string, CredentialField> { ["token"] = new(token, "application/jwt") },
            ExpiresAt = expiresAt,
        };
    }

    /// <summary>Whoever introspects a token asks for its lease's effective state: once a revocation is asked for, that is dead already.</summary>
    public Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var evidence = new Evidence(
            "introspection_inactive", $"Introspection at {signer.Issuer} answers active:false for the token with the id {request.LeaseId}.", time.GetUtcNow());
        return Task.FromResult<RevokeOutcome>(new RevokeOutcome.Gone(TargetIdentity, evidence));
    }

    public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken)
    {
        var reserved = configuration.Audiences.Where(signer.IsReservedAudience).Select(audience => new HealthFinding(
            FindingLevel.Missing, $"audience {audience}", "This audience is reserved: the broker's own, a cloud's token exchange, or a provider's log-in.", "Remove it from the configuration."));
        return Task.FromResult(new ProviderHealth(
            TargetIdentity, [new HealthFinding(FindingLevel.Ok, "issuer", $"Tokens are issued as {signer.Issuer}."), .. reserved]));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

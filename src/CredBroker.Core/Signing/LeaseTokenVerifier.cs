using CredBroker.Abstractions;

namespace CredBroker.Core.Signing;

/// <summary>What a genuine lease token says. Whether its lease still lives is the store's to say.</summary>
/// <param name="LeaseId">Its <c>jti</c>.</param>
/// <param name="TaskId">Its task.</param>
/// <param name="Subject">Its workload, as <c>source/subject</c>.</param>
/// <param name="Audience">Its one audience: only a caller of this audience may ask about it.</param>
/// <param name="Scope">Its scopes, separated by spaces; empty for none.</param>
/// <param name="IssuedAt">Its <c>iat</c>.</param>
/// <param name="ExpiresAt">Its <c>exp</c>.</param>
public sealed record VerifiedLeaseToken(
    Uid LeaseId, Uid TaskId, string Subject, string Audience, string Scope, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt);

/// <summary>Verifies lease tokens for introspection (RFC 7662): the signature before anything is asked of the database.</summary>
public sealed class LeaseTokenVerifier(KeyRing ring, InstallationOptions installation, TimeProvider time)
{
    private readonly BrokerTokens _tokens = new(ring, installation, time);

    /// <summary>The token; null for whatever is not a lease token of ours within its time. Why not is nobody's business.</summary>
    public async ValueTask<VerifiedLeaseToken?> VerifyAsync(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        if (await _tokens.VerifyAsync(KeyFamily.Lease, token) is not { } verified) return null;
        return Uid.TryParse(verified.String("jti"), out var lease) && Uid.TryParse(verified.String("task_id"), out var task)
            && verified.String("sub") is { } subject && verified.Audiences() is [var audience]
            && verified.TryInstant("iat", out var issued) && verified.TryInstant("exp", out var expires)
            ? new VerifiedLeaseToken(lease, task, subject, audience, verified.String("scope") ?? "", issued!.Value, expires!.Value)
            : null;
    }
}

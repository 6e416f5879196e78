using CredBroker.Abstractions;

namespace CredBroker.Core.Signing;

/// <summary>
/// The broker's own identity at one provider's target. Subject and audience are the provider's own and fixed here: an assertion caught by one
/// target is worth nothing at another, and no template reaches it. Where the configuration says whom it is sent to, the audience says so, too: repointing
/// the provider catches nothing of use.
/// </summary>
public sealed class FederationIdentity(KeyRing ring, InstallationOptions installation, Uid providerUid, TimeProvider time, string host = "") : IBrokerIdentity
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);
    private readonly BrokerTokens _tokens = new(ring, installation, time);

    /// <summary>What the target must be told to trust as <c>sub</c>.</summary>
    public string Subject { get; } = $"{installation.Id}:provider:{providerUid}";

    /// <summary>What the target must be told to accept as <c>aud</c>. It begins like every reserved audience of ours.</summary>
    public string Audience { get; } = $"credbroker:{installation.Id}:provider:{providerUid}{(host.Length > 0 ? $":{host}" : "")}";

    /// <inheritdoc/>
    public string Issuer { get; } = installation.IssuerOf(KeyFamily.Federation);

    /// <inheritdoc/>
    public ValueTask<Secret> MintAssertionAsync(CancellationToken cancellationToken) => Sign(Subject);

    /// <inheritdoc/>
    public ValueTask<Secret> MintLeaseAssertionAsync(Uid lease, CancellationToken cancellationToken) => Sign($"{installation.Id}:lease:{lease}");

    private ValueTask<Secret> Sign(string subject)
    {
        var now = time.GetUtcNow();
        return ValueTask.FromResult(_tokens.Sign(KeyFamily.Federation, new Dictionary<string, object>
        {
            ["sub"] = subject,
            ["aud"] = Audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + Life).ToUnixTimeSeconds(),
            ["jti"] = Uid.New(time).ToString(),
        }));
    }
}

using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>Keys to sign with.</summary>
/// <param name="AccessKeyId">The id, which is no secret.</param>
/// <param name="SecretAccessKey">The secret.</param>
/// <param name="SessionToken">The token of a session; null for a user's own keys.</param>
/// <param name="ExpiresAt">When the session ends; null where that is not known.</param>
internal sealed record AwsKeys(string AccessKeyId, Secret SecretAccessKey, Secret? SessionToken = null, DateTimeOffset? ExpiresAt = null);

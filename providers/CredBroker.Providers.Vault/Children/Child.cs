using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Children;

/// <summary>A child token that was made.</summary>
/// <param name="Token">The token, or the one that wraps it.</param>
/// <param name="Accessor">Its accessor.</param>
/// <param name="Identity">The target.</param>
/// <param name="ExpiresAt">When it ends by itself, at the latest.</param>
internal sealed record Child(Secret Token, string Accessor, string Identity, DateTimeOffset ExpiresAt);

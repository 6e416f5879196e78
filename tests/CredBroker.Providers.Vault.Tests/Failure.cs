using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Tests;

/// <summary>The failure of a call that must fail.</summary>
internal static class Failure
{
    public static async Task<ProviderException> OfAsync(Func<Task> call) =>
        await Assert.ThrowsAsync<ProviderException>(call) ?? throw new AssertionException("The call should have failed.");
}

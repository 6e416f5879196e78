using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.Tests;

internal static class Failure
{
    /// <summary>The failure of a call that must fail, in the provider's own form.</summary>
    public static async Task<ProviderException> OfAsync(Func<Task> call, string what = "")
    {
        try
        {
            await call();
        }
        catch (ProviderException e)
        {
            return e;
        }

        throw new AssertionException($"The call should have failed. {what}");
    }
}

using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.Connect;

/// <summary>Where a listing goes on.</summary>
internal static class Paging
{
    /// <summary>The next page's address, which must be of the same service: the broker's token goes with it.</summary>
    public static Uri Next(Uri service, Uri current, string next) =>
        next.Length <= 8192 && Uri.TryCreate(next, UriKind.Absolute, out var address) && address.GetLeftPart(UriPartial.Authority) == service.GetLeftPart(UriPartial.Authority)
            && address != current && address.UserInfo.Length == 0
            ? address
            : throw new ProviderException(ProviderFault.Unreachable, "A listing goes on at an address that is not the service's own.", ProviderEffect.None);
}

using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.Connect;

/// <summary>Microsoft's clouds: apart from each other in everything, tenants too.</summary>
public enum AzureCloud
{
    /// <summary>The public one.</summary>
    Public = 1,

    /// <summary>Azure Government (United States).</summary>
    UsGovernment = 2,

    /// <summary>Azure operated by 21Vianet.</summary>
    China = 3,
}

/// <summary>Where a stand-in of the services listens.</summary>
public sealed record AzureEndpoints
{
    /// <summary>In place of <c>https://login.microsoftonline.com</c>.</summary>
    public required string Authority { get; init; }

    /// <summary>In place of <c>https://graph.microsoft.com</c>.</summary>
    public required string Graph { get; init; }

    /// <summary>In place of <c>https://management.azure.com</c>.</summary>
    public required string ResourceManager { get; init; }

    internal IEnumerable<ValidationError> Validate()
    {
        if (!IsLoopback(Authority)) yield return new("endpoints.authority", Rule);
        if (!IsLoopback(Graph)) yield return new("endpoints.graph", Rule);
        if (!IsLoopback(ResourceManager)) yield return new("endpoints.resourceManager", Rule);
    }

    /// <summary>Whether this is an address of this machine, with TLS, and nothing behind host and port.</summary>
    internal static bool IsLoopback(string address) =>
        address.Length <= 100 && Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri is { Scheme: "https", IsLoopback: true, PathAndQuery: "/", UserInfo: "", Fragment: "" }
        && address.TrimEnd('/') == $"https://{uri.Authority}";

    private const string Rule = "Endpoints stand for a stand-in on this machine: https, a loopback address, and no path. For another of Microsoft's clouds say cloud.";
}

/// <summary>The addresses of a cloud, and the audiences of the tokens that it takes.</summary>
internal sealed record AzureAddresses(Uri Authority, Uri Graph, Uri ResourceManager, string GraphScope, string ResourceManagerScope, string VaultScope)
{
    public static AzureAddresses Of(AzureConfiguration configuration)
    {
        var cloud = configuration.Cloud switch
        {
            AzureCloud.UsGovernment => Of("login.microsoftonline.us", "graph.microsoft.us", "management.usgovcloudapi.net", "vault.usgovcloudapi.net"),
            AzureCloud.China => Of("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "management.chinacloudapi.cn", "vault.azure.cn"),
            _ => Of("login.microsoftonline.com", "graph.microsoft.com", "management.azure.com", "vault.azure.net"),
        };
        return configuration.Endpoints is not { } endpoints
            ? cloud
            : cloud with { Authority = new Uri(endpoints.Authority), Graph = new Uri(endpoints.Graph), ResourceManager = new Uri(endpoints.ResourceManager) };
    }

    private static AzureAddresses Of(string authority, string graph, string resourceManager, string vault) => new(
        new Uri($"https://{authority}/"), new Uri($"https://{graph}/"), new Uri($"https://{resourceManager}/"),
        $"https://{graph}/.default", $"https://{resourceManager}/.default", $"https://{vault}/.default");
}

/// <summary>The address of a key vault.</summary>
internal static class VaultAddress
{
    public static string? WhyNot(string address, AzureCloud cloud, bool standIn)
    {
        if (standIn) return AzureEndpoints.IsLoopback(address) ? null : "Where endpoints are given, a vault is on this machine too.";
        var suffix = cloud switch { AzureCloud.UsGovernment => ".vault.usgovcloudapi.net", AzureCloud.China => ".vault.azure.cn", _ => ".vault.azure.net" };
        return address.Length <= 100 && Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri is { Scheme: "https", IsDefaultPort: true, PathAndQuery: "/", UserInfo: "", Fragment: "" }
            && address.TrimEnd('/') == $"https://{uri.Host}" && uri.Host.EndsWith(suffix, StringComparison.Ordinal) && Names.IsSecretName(uri.Host[..^suffix.Length])
            ? null
            : $"This is the address of a key vault, such as https://example{suffix}.";
    }
}

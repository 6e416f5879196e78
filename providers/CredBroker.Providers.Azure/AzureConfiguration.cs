using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Arm;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure;

/// <summary>One tenant of Microsoft Entra ID, with the parts of Azure in which the broker may make something.</summary>
public sealed record AzureConfiguration
{
    /// <summary>The tenant's id, a GUID: a domain name can be given to another tenant.</summary>
    public required string TenantId { get; init; }

    /// <summary>How the broker logs in.</summary>
    public required AzureCredential Credential { get; init; }

    /// <summary>Which of Microsoft's clouds.</summary>
    public AzureCloud Cloud { get; init; } = AzureCloud.Public;

    /// <summary>
    /// Where a stand-in of the services listens: a loopback address alone, since whoever answers in their place receives the broker's assertion.
    /// </summary>
    public AzureEndpoints? Endpoints { get; init; }

    /// <summary>Whether the broker makes applications: it needs rights in Microsoft Graph for that.</summary>
    public bool Applications { get; init; } = true;

    /// <summary>The object ids of existing applications to which passwords may be added.</summary>
    public IReadOnlyList<string> SharedApplications { get; init; } = [];

    /// <summary>The subscriptions, resource groups or resources within which roles may be assigned. Nothing is assigned elsewhere.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>The addresses of the key vaults that may be used, such as <c>https://example.vault.azure.net</c>.</summary>
    public IReadOnlyList<string> Vaults { get; init; } = [];

    /// <summary>How long one call to Azure may take: 1 s to 60 s.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    internal IEnumerable<ValidationError> Validate()
    {
        if (!Names.IsGuid(TenantId)) yield return new("tenantId", "This is the tenant's id, a GUID.");
        foreach (var error in Credential.Validate()) yield return error;
        if (Endpoints is not null)
            foreach (var error in Endpoints.Validate()) yield return error;
        foreach (var error in Each(SharedApplications, "sharedApplications", 50, id => Names.IsGuid(id) ? null : "This is the object id of an application, a GUID.")) yield return error;
        foreach (var error in Each(Scopes, "scopes", 50, ArmScope.WhyNot)) yield return error;
        foreach (var error in Each(Vaults, "vaults", 50, vault => VaultAddress.WhyNot(vault, Cloud, Endpoints is not null))) yield return error;
        if (!Applications && SharedApplications.Count == 0 && Scopes.Count == 0 && Vaults.Count == 0) yield return new("", "This configuration lets the broker make nothing.");
        if (CallTimeout < TimeSpan.FromSeconds(1) || CallTimeout > TimeSpan.FromSeconds(60)) yield return new("callTimeout", "This must be between 1s and 60s.");
    }

    private static IEnumerable<ValidationError> Each(IReadOnlyList<string> items, string path, int most, Func<string, string?> whyNot)
    {
        if (items.Count > most) yield return new(path, $"Name at most {most}.");
        for (var i = 0; i < items.Count; i++)
        {
            if (whyNot(items[i]) is { } reason) yield return new($"{path}[{i}]", reason);
            else if (items.Take(i).Contains(items[i], StringComparer.OrdinalIgnoreCase)) yield return new($"{path}[{i}]", "This appears twice.");
        }
    }
}

/// <summary>How the broker proves itself to Microsoft Entra ID.</summary>
public enum AzureCredentialKind
{
    /// <summary>By the broker's own signed assertion, which a federated credential of the application or managed identity trusts: nothing secret is configured.</summary>
    WorkloadIdentity = 1,

    /// <summary>By a certificate with its private key.</summary>
    ClientCertificate = 2,

    /// <summary>By a client secret: it stands for as long as it was made for, so it is warned about.</summary>
    ClientSecret = 3,
}

/// <summary>The application, or user-assigned managed identity, that the broker is at Azure.</summary>
public sealed record AzureCredential
{
    /// <summary>The application's client id, a GUID.</summary>
    public required string ClientId { get; init; }

    /// <summary>How it logs in.</summary>
    public AzureCredentialKind Kind { get; init; } = AzureCredentialKind.WorkloadIdentity;

    /// <summary>The secret source that holds the certificate and its private key in PEM (<c>client-certificate</c>), or the client secret (<c>client-secret</c>).</summary>
    public SecretRef? Secret { get; init; }

    internal IEnumerable<ValidationError> Validate()
    {
        if (!Names.IsGuid(ClientId)) yield return new("credential.clientId", "This is the client id of an application or managed identity, a GUID.");
        if (Kind == AzureCredentialKind.WorkloadIdentity && Secret is not null) yield return new("credential.secret", "Workload identity needs no secret: leave this out.");
        if (Kind != AzureCredentialKind.WorkloadIdentity && Secret is null) yield return new("credential.secret", "This credential needs a secret source.");
        if (Secret is { Source: var source } && !Names.IsSecretName(source.Replace('_', '-').Replace('.', '-'))) yield return new("credential.secret.source", "This names a secret source of the operator's file.");
    }
}

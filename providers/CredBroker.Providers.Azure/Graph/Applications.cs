using System.Globalization;
using Azure.Core;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure.Graph;

/// <summary>The calls to Microsoft Graph, version 1.0, that the broker needs.</summary>
internal sealed class Applications(AzureHttp http)
{
    private const string Fields = "$select=id,appId,displayName,uniqueName,notes,signInAudience,passwordCredentials";

    /// <summary>The application of a unique name; null if there is none.</summary>
    public Task<(Application? Found, DateTimeOffset Now)> FindAsync(string uniqueName, CancellationToken cancellationToken) =>
        GetAsync($"v1.0/applications(uniqueName='{uniqueName}')?{Fields}", cancellationToken);

    /// <summary>The application of an object id; null if there is none.</summary>
    public Task<(Application? Found, DateTimeOffset Now)> GetByIdAsync(string id, CancellationToken cancellationToken) =>
        GetAsync($"v1.0/applications/{Guid(id)}?{Fields}", cancellationToken);

    /// <summary>The object ids of deleted applications of this display name that could still be restored.</summary>
    public async Task<IReadOnlyList<string>> FindDeletedAsync(string displayName, string mark, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        var call = Call(RequestMethod.Get, $"v1.0/directory/deletedItems/microsoft.graph.application?$filter=displayName eq '{displayName}'&$count=true&$select=id,displayName,notes") with { IsAdvancedQuery = true };
        await foreach (var application in PagesAsync(call, cancellationToken).ConfigureAwait(false))
            if (application.DisplayName == displayName && application.Notes == mark && application.Id is { } id) found.Add(Guid(id));
        return found;
    }

    /// <summary>Every application whose display name begins so.</summary>
    public IAsyncEnumerable<Application> ListAsync(string prefix, CancellationToken cancellationToken) =>
        PagesAsync(Call(RequestMethod.Get, $"v1.0/applications?$filter=startswith(displayName,'{prefix}')&{Fields}&$top=999"), cancellationToken);

    /// <summary>
    /// Makes an application, unless there is one of this unique name: then it is answered 204. It is always for this tenant's accounts alone; the default
    /// would allow a thousandth of the writes.
    /// </summary>
    public Task<AzureAnswer> CreateAsync(string uniqueName, string mark, CancellationToken cancellationToken) => http.SendAsync(
        (Making(RequestMethod.Patch, $"v1.0/applications(uniqueName='{uniqueName}')") with { CreateIfMissing = true }).WithJson(
            new Application { DisplayName = uniqueName, Notes = mark, SignInAudience = "AzureADMyOrg" }, AzureJson.Default.Application),
        cancellationToken);

    public Task<AzureAnswer> CreatePrincipalAsync(string appId, string mark, CancellationToken cancellationToken) => http.SendAsync(
        Making(RequestMethod.Post, "v1.0/servicePrincipals").WithJson(new ServicePrincipal { AppId = appId, AccountEnabled = true, Notes = mark }, AzureJson.Default.ServicePrincipal),
        cancellationToken);

    /// <summary>Adds a password that ends at a whole second. Left out, the end would be in two years.</summary>
    public Task<AzureAnswer> AddPasswordAsync(string id, string displayName, DateTimeOffset end, CancellationToken cancellationToken) => http.SendAsync(
        Making(RequestMethod.Post, $"v1.0/applications/{Guid(id)}/addPassword").WithJson(
            new AddPassword(new Password { DisplayName = displayName, EndDateTime = Instant(end) }), AzureJson.Default.AddPassword),
        cancellationToken);

    public Task<AzureAnswer> AddFederatedCredentialAsync(string id, FederatedCredential credential, CancellationToken cancellationToken) => http.SendAsync(
        Making(RequestMethod.Post, $"v1.0/applications/{Guid(id)}/federatedIdentityCredentials").WithJson(credential, AzureJson.Default.FederatedCredential), cancellationToken);

    /// <summary>Removes a password that was seen in a list: only then does "no such password" mean that it is gone, and not that it has not arrived.</summary>
    public async Task RemovePasswordAsync(string id, string keyId, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(
            Call(RequestMethod.Post, $"v1.0/applications/{Guid(id)}/removePassword").WithJson(new RemovePassword(keyId), AzureJson.Default.RemovePassword), cancellationToken).ConfigureAwait(false);
        var absent = answer.Status == 404 || (answer.Status == 400 && answer.Error.Message?.Contains("No password credential found with keyId", StringComparison.OrdinalIgnoreCase) == true);
        if (!answer.Succeeded && !absent) throw Faults.Of(answer);
    }

    /// <summary>Deletes an application, which can be restored for thirty days.</summary>
    public Task<bool> DeleteAsync(string id, CancellationToken cancellationToken) => RemoveAsync($"v1.0/applications/{Guid(id)}", cancellationToken);

    /// <summary>Deletes a deleted application for good.</summary>
    public Task<bool> PurgeAsync(string id, CancellationToken cancellationToken) => RemoveAsync($"v1.0/directory/deletedItems/{Guid(id)}", cancellationToken);

    /// <summary>A time as Graph writes it: to the second.</summary>
    public static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>Whether a refusal may only mean that what was just made is not known everywhere yet.</summary>
    public static bool MayLag(AzureAnswer answer) => answer.Status switch
    {
        404 => answer.Error.Is("Request_ResourceNotFound"),
        403 => answer.Error.Is("Authorization_RequestDenied"),
        400 => answer.Error.Is("NoBackingApplicationObject")
            || answer.Error.Message?.Contains("does not reference a valid application object", StringComparison.OrdinalIgnoreCase) == true,
        _ => false,
    };

    private async Task<(Application? Found, DateTimeOffset Now)> GetAsync(string path, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(Call(RequestMethod.Get, path), cancellationToken).ConfigureAwait(false);
        if (answer.Status == 404 && answer.Error.Is("Request_ResourceNotFound")) return (null, answer.Now);
        return answer.Succeeded ? (answer.Read(AzureJson.Default.Application), answer.Now) : throw Faults.Of(answer);
    }

    private async Task<bool> RemoveAsync(string path, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(Call(RequestMethod.Delete, path), cancellationToken).ConfigureAwait(false);
        if (answer.Status == 404 && answer.Error.Is("Request_ResourceNotFound")) return false;
        return answer.Succeeded ? true : throw Faults.Of(answer);
    }

    private async IAsyncEnumerable<Application> PagesAsync(AzureCall call, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await http.SendAsync(call, cancellationToken).ConfigureAwait(false);
            if (!answer.Succeeded) throw Faults.Of(answer);
            var page = answer.Read(AzureJson.Default.PageApplication);
            foreach (var application in page.Value ?? throw NoList()) yield return application;
            if (page.ODataNext is null) yield break;
            call = call with { Address = Paging.Next(http.Addresses.Graph, call.Address, page.ODataNext) };
        }
    }

    // A page without a list must not be taken for an empty target.
    private static ProviderException NoList() => new(ProviderFault.Unreachable, "Microsoft Graph answered a listing without a list.", ProviderEffect.None);

    private AzureCall Call(RequestMethod method, string path) => new(method, new Uri(http.Addresses.Graph, path), http.Addresses.GraphScope);

    private AzureCall Making(RequestMethod method, string path) => Call(method, path) with { Makes = true };

    // An id comes from an answer or a handle: whatever it is, it cannot lead anywhere else.
    private static string Guid(string id) => Names.IsGuid(id) ? id : throw new ProviderException(ProviderFault.Unreachable, "An id that Microsoft Graph answered is no GUID.");
}

using System.Globalization;
using System.Xml.Linq;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>A role as IAM describes it.</summary>
internal sealed record IamRole(string Arn, string Name, string Id, string TrustPolicy, string Description, TimeSpan MaxSession)
{
    /// <exception cref="ProviderException">It is no description of a role.</exception>
    public static IamRole Read(XElement role)
    {
        if (role.Text("Arn") is { Length: > 0 } arn && role.Text("RoleName") is { Length: > 0 } name && role.Text("RoleId") is { Length: > 0 } id)
        {
            var seconds = int.TryParse(role.Text("MaxSessionDuration"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 3600;
            return new IamRole(arn, name, id, Decode(role.Text("AssumeRolePolicyDocument")), role.Text("Description") ?? "", TimeSpan.FromSeconds(seconds));
        }

        throw new ProviderException(ProviderFault.Unreachable, "iam: the answer describes no role.");
    }

    /// <summary>Documents are percent-encoded, except where they are not.</summary>
    public static string Decode(string? document) => document is null ? "" : document.StartsWith('{') ? document : Uri.UnescapeDataString(document);
}

/// <summary>The calls of IAM that the provider makes.</summary>
internal static class IamActions
{
    /// <summary>The role; null where there is none of the name.</summary>
    public static async Task<(IamRole? Role, DateTimeOffset Now)> FindRoleAsync(this AwsApi api, string name, CancellationToken cancellationToken)
    {
        var answer = await api.ReadIamAsync("GetRole", [("RoleName", name)], cancellationToken).ConfigureAwait(false);
        return (answer.RequireUnlessAbsent()?.Result.Child("Role") is { } role ? IamRole.Read(role) : null, answer.Now);
    }

    /// <summary>An inline policy's text; null where there is none of the name.</summary>
    public static async Task<(string? Document, DateTimeOffset Now)> FindRolePolicyAsync(this AwsApi api, string role, string policy, CancellationToken cancellationToken)
    {
        var answer = await api.ReadIamAsync("GetRolePolicy", [("RoleName", role), ("PolicyName", policy)], cancellationToken).ConfigureAwait(false);
        return (answer.RequireUnlessAbsent() is { } done ? IamRole.Decode(done.Result.Text("PolicyDocument")) : null, answer.Now);
    }

    public static Task<QueryAnswer> PutRolePolicyAsync(this AwsApi api, string role, string policy, string document, CancellationToken cancellationToken) =>
        api.IamAsync("PutRolePolicy", [("RoleName", role), ("PolicyName", policy), ("PolicyDocument", document)], cancellationToken);

    public static async Task DeleteRolePolicyAsync(this AwsApi api, string role, string policy, CancellationToken cancellationToken) =>
        (await api.IamAsync("DeleteRolePolicy", [("RoleName", role), ("PolicyName", policy)], cancellationToken).ConfigureAwait(false)).RequireUnlessAbsent();

    /// <summary>The names of a role's inline policies; none where the role is not there.</summary>
    public static Task<IReadOnlyList<string>> ListRolePoliciesAsync(this AwsApi api, string role, CancellationToken cancellationToken) =>
        ListAsync(api, "ListRolePolicies", ("RoleName", role), result => result.Members("PolicyNames").Select(member => member.Value.Trim()), cancellationToken);

    /// <summary>The ARNs of the managed policies attached to a role.</summary>
    public static Task<IReadOnlyList<string>> ListAttachedPoliciesAsync(this AwsApi api, string role, CancellationToken cancellationToken) =>
        ListAsync(api, "ListAttachedRolePolicies", ("RoleName", role), result => result.Members("AttachedPolicies").Select(member => member.Text("PolicyArn") ?? ""), cancellationToken);

    /// <summary>One page of the roles below a path, with the marker of the next.</summary>
    public static async Task<(IReadOnlyList<IamRole> Roles, string? Next)> ListRolesAsync(this AwsApi api, string path, string? marker, CancellationToken cancellationToken)
    {
        IEnumerable<(string, string)> parameters = [("PathPrefix", path), ("MaxItems", "100"), .. Marker(marker)];
        var done = (await api.ReadIamAsync("ListRoles", parameters, cancellationToken).ConfigureAwait(false)).Require();
        return ([.. done.Result.Members("Roles").Select(IamRole.Read)], NextOf(done.Result, marker));
    }

    private static async Task<IReadOnlyList<string>> ListAsync(
        AwsApi api, string action, (string, string) what, Func<XElement, IEnumerable<string>> read, CancellationToken cancellationToken)
    {
        var all = new List<string>();
        string? marker = null;
        do
        {
            var answer = await api.ReadIamAsync(action, [what, .. Marker(marker)], cancellationToken).ConfigureAwait(false);
            if (answer.RequireUnlessAbsent() is not { } done) return all;
            all.AddRange(read(done.Result));
            marker = NextOf(done.Result, marker);
        }
        while (marker is not null);
        return all;
    }

    private static IEnumerable<(string, string)> Marker(string? marker) => marker is null ? [] : [("Marker", marker)];

    // A page may be short and still not be the last; a marker that stands still would never end.
    private static string? NextOf(XElement result, string? before)
    {
        if (result.Text("IsTruncated") != "true") return null;
        return result.Text("Marker") is { Length: > 0 } next && next != before
            ? next
            : throw new ProviderException(ProviderFault.Unreachable, "iam: the listing says that there is more, and not where.");
    }
}

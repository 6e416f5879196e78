using System.Net;
using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts;

/// <summary>A connection to one AWS account. Only the roles that are named here are ever assumed.</summary>
public sealed partial record AwsStsConfiguration
{
    /// <summary>The region whose STS endpoint is used, such as <c>eu-central-1</c>, and which tools are told. Sessions work in all regions.</summary>
    public required string Region { get; init; }

    /// <summary>The partition.</summary>
    public AwsPartition Partition { get; init; } = AwsPartition.Aws;

    /// <summary>The account's 12 digits. Another account that answers is refused.</summary>
    public required string Account { get; init; }

    /// <summary>How the broker itself logs in.</summary>
    public required CredentialsConfiguration Credentials { get; init; }

    /// <summary>The roles whose sessions may be handed out: at most 100.</summary>
    public IReadOnlyList<RoleConfiguration> Roles { get; init; } = [];

    /// <summary>Where roles of one lease each may be made; left out where that is not wanted.</summary>
    public LeaseRolesConfiguration? LeaseRoles { get; init; }

    /// <summary>Another address for STS, such as a VPC endpoint's: https, without a path. http to a loopback address only.</summary>
    public string? StsEndpoint { get; init; }

    /// <summary>Another address for IAM.</summary>
    public string? IamEndpoint { get; init; }

    /// <summary>How long one call may take: 1 s to 60 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    internal string TargetIdentity => TargetAccount.IdentityOf(Partition.Id(), Account);

    internal RoleConfiguration? RoleOf(string arn) => Roles.FirstOrDefault(role => role.Arn == arn);

    internal IEnumerable<ValidationError> Validate()
    {
        if (!RegionPattern().IsMatch(Region)) yield return new("region", "This is a region, such as eu-central-1.");
        else if (PartitionOf(Region) != Partition) yield return new("partition", "The region is not in this partition.");
        if (!AccountPattern().IsMatch(Account)) yield return new("account", "An account is 12 digits.");
        foreach (var error in Credentials.Validate(this)) yield return error;
        if (Roles.Count == 0 && LeaseRoles is null) yield return new("roles", "Name at least one role, or say where roles may be made (leaseRoles).");
        if (Roles.Count > 100) yield return new("roles", "Name at most 100 roles.");
        for (var i = 0; i < Math.Min(Roles.Count, 100); i++)
            foreach (var error in ValidateRole(i)) yield return error;
        foreach (var error in LeaseRoles?.Validate(this) ?? []) yield return error;
        foreach (var error in ValidateEndpoint("stsEndpoint", StsEndpoint).Concat(ValidateEndpoint("iamEndpoint", IamEndpoint))) yield return error;
        if (Timeout < TimeSpan.FromSeconds(1) || Timeout > TimeSpan.FromSeconds(60)) yield return new("timeout", "This must be between 1s and 60s.");
    }

    internal IEnumerable<ValidationError> ValidateArn(string path, string arn)
    {
        if (!RoleArn.TryParse(arn, out var role)) yield return new(path, RoleArn.Rule);
        else if (role.Partition != Partition.Id() || role.Account != Account) yield return new(path, "This role is in another account than the provider.");
    }

    private IEnumerable<ValidationError> ValidateRole(int i)
    {
        var arn = Roles[i].Arn;
        foreach (var error in ValidateArn($"roles[{i}].arn", arn)) yield return error;
        // Names are unique in an account, whatever their path and case.
        if (RoleArn.TryParse(arn, out var role)
            && Roles.Take(i).Any(other => RoleArn.TryParse(other.Arn, out var before) && before.Name.Equals(role.Name, StringComparison.OrdinalIgnoreCase)))
        {
            yield return new($"roles[{i}].arn", "This role appears twice.");
        }

        foreach (var error in Roles[i].Canary?.Validate($"roles[{i}].canary") ?? []) yield return error;
        if (arn == Credentials.WebIdentity?.RoleArn) yield return new($"roles[{i}].arn", "The broker's own role must not be given to anyone.");
    }

    private static AwsPartition PartitionOf(string region) => region switch
    {
        _ when region.StartsWith("cn-", StringComparison.Ordinal) => AwsPartition.AwsCn,
        _ when region.StartsWith("us-gov-", StringComparison.Ordinal) => AwsPartition.AwsUsGov,
        _ => AwsPartition.Aws,
    };

    private static IEnumerable<ValidationError> ValidateEndpoint(string path, string? endpoint)
    {
        if (endpoint is null) yield break;
        if (endpoint.Length > 300 || endpoint.Any(character => character is <= ' ' or > '~') || !Uri.TryCreate(endpoint, UriKind.Absolute, out var address)
            || address.Scheme is not ("https" or "http") || address.AbsolutePath != "/" || address.Query.Length > 0 || address.Fragment.Length > 0 || address.UserInfo.Length > 0
            || endpoint.TrimEnd('/') != address.GetLeftPart(UriPartial.Authority))
        {
            yield return new(path, "This is an address such as https://vpce-0a1b2c.sts.eu-central-1.vpce.amazonaws.com, without a path.");
        }
        else if (!ServiceAddress.IsSafe(address))
        {
            yield return new(path, "Only a loopback address may be used without TLS.");
        }
    }

    internal static bool IsRegion(string region) => RegionPattern().IsMatch(region);

    [GeneratedRegex(@"\A[a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}\z")]
    private static partial Regex RegionPattern();

    [GeneratedRegex(@"\A[0-9]{12}\z")]
    private static partial Regex AccountPattern();
}

/// <summary>A role whose sessions may be handed out.</summary>
public sealed record RoleConfiguration
{
    /// <summary>Its ARN.</summary>
    public required string Arn { get; init; }

    /// <summary>
    /// Allows the last resort when the role's deny document has no room: deny every session of the role that was opened so far, those that others opened
    /// too.
    /// </summary>
    public bool MayDenyAllOlder { get; init; }

    /// <summary>How it is seen that a denial is in force; left out, the settle time alone says so.</summary>
    public CanaryConfiguration? Canary { get; init; }
}

/// <summary>Where the broker may send something signed.</summary>
internal static class ServiceAddress
{
    /// <summary>Whether nobody on the way can read it: by TLS, or because there is no way.</summary>
    public static bool IsSafe(Uri address) =>
        address.Scheme == "https" || address.Host == "localhost" || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
}

/// <summary>Where roles of one lease each are made.</summary>
public sealed partial record LeaseRolesConfiguration
{
    /// <summary>The path below which they are made and found: the broker's rights on roles end there.</summary>
    public string Path { get; init; } = "/credbroker/";

    /// <summary>The ARN of a managed policy that bounds whatever they are given. Let IAM insist on it.</summary>
    public string? PermissionsBoundary { get; init; }

    /// <summary>Who may assume them: the ARN of the broker's own role or user. Needed unless the broker logs in by web identity or as a user.</summary>
    public string? TrustedPrincipal { get; init; }

    internal IEnumerable<ValidationError> Validate(AwsStsConfiguration provider)
    {
        if (!PathPattern().IsMatch(Path) || Path.Length > 200) yield return new("leaseRoles.path", "A path begins and ends with a slash, such as /credbroker/; it is not / alone.");
        if (PermissionsBoundary is { } boundary && !PolicyPattern().IsMatch(boundary)) yield return new("leaseRoles.permissionsBoundary", "This is the ARN of a managed policy.");
        if (TrustedPrincipal is { } principal && !(PrincipalPattern().Match(principal) is { Success: true } match && match.Groups[1].Value == provider.Account))
            yield return new("leaseRoles.trustedPrincipal", "This is the ARN of a role or user of the provider's account.");
    }

    [GeneratedRegex(@"\A/(?:[A-Za-z0-9_.-]+/)+\z")]
    private static partial Regex PathPattern();

    [GeneratedRegex(@"\Aarn:(?:aws|aws-cn|aws-us-gov):iam::(?:[0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]{1,512}\z")]
    private static partial Regex PolicyPattern();

    [GeneratedRegex(@"\Aarn:(?:aws|aws-cn|aws-us-gov):iam::([0-9]{12}):(?:role|user)/[A-Za-z0-9_+=,.@/-]{1,512}\z")]
    private static partial Regex PrincipalPattern();
}

/// <summary>How the broker logs in: one of these.</summary>
public sealed record CredentialsConfiguration
{
    /// <summary>By its own signed assertion: nothing secret is configured anywhere.</summary>
    public WebIdentityConfiguration? WebIdentity { get; init; }

    /// <summary>By what the operator gave the broker's process: environment variables, a token file, or the default profile.</summary>
    public DefaultChainConfiguration? DefaultChain { get; init; }

    /// <summary>By a profile of the operator's shared configuration.</summary>
    public ProfileConfiguration? Profile { get; init; }

    internal IEnumerable<ValidationError> Validate(AwsStsConfiguration provider)
    {
        var ways = new object?[] { WebIdentity, DefaultChain, Profile }.Count(way => way is not null);
        if (ways != 1) yield return new("credentials", "Choose one of webIdentity, defaultChain and profile.");
        if (WebIdentity is { } web)
            foreach (var error in provider.ValidateArn("credentials.webIdentity.roleArn", web.RoleArn)) yield return error;
        if (Profile is { } profile && !ProfileConfiguration.IsName(profile.Name)) yield return new("credentials.profile.name", "This is the name of a profile, never a path.");
    }
}

/// <summary>The role that trusts the broker's own issuer.</summary>
public sealed record WebIdentityConfiguration
{
    /// <summary>The broker's own role.</summary>
    public required string RoleArn { get; init; }
}

/// <summary>What the operator gave the broker's process. It has no settings.</summary>
public sealed record DefaultChainConfiguration;

/// <summary>A profile.</summary>
public sealed partial record ProfileConfiguration
{
    /// <summary>Its name in the shared configuration of the broker's own user.</summary>
    public required string Name { get; init; }

    internal static bool IsName(string name) => NamePattern().IsMatch(name);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}\z")]
    private static partial Regex NamePattern();
}

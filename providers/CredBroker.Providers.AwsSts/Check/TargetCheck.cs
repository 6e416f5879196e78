using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Check;

/// <summary>Asks AWS who the broker is there and what it lacks. It only reads.</summary>
internal sealed class TargetCheck(AwsApi api, ProviderContext context, AwsStsConfiguration configuration)
{
    private static readonly TimeSpan MostSkew = TimeSpan.FromSeconds(30);

    private static readonly string[] LeaseRoleActions =
    [
        "iam:CreateRole", "iam:GetRole", "iam:DeleteRole", "iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies",
        "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:ListAttachedRolePolicies",
    ];

    public async Task<ProviderHealth> RunAsync(CancellationToken cancellationToken)
    {
        var (caller, now) = await api.GetCallerAsync(cancellationToken).ConfigureAwait(false);
        var identity = TargetAccount.IdentityIn(caller.Arn) ?? throw new ProviderException(ProviderFault.Unreachable, "sts GetCallerIdentity: the answer names no account.", ProviderEffect.None);
        var findings = new List<HealthFinding> { OfCaller(caller, identity), OfClock(now) };
        if (identity != configuration.TargetIdentity) return new ProviderHealth(identity, findings);

        var trust = new TrustCheck(caller, configuration, context.InstallationId);
        var rights = new RightsCheck(api, trust.BrokerArn);
        var chains = await api.ChainsAsync(cancellationToken).ConfigureAwait(false);
        foreach (var configured in configuration.Roles)
            if (RoleArn.TryParse(configured.Arn, out var arn)) findings.AddRange(await new RoleCheck(api, trust, rights, chains).RunAsync(arn, cancellationToken).ConfigureAwait(false));
        if (configuration.LeaseRoles is { } place) findings.AddRange(await OfLeaseRolesAsync(place, trust, rights, cancellationToken).ConfigureAwait(false));
        return new ProviderHealth(identity, findings);
    }

    private HealthFinding OfCaller(CallerIdentity caller, string identity) => identity switch
    {
        _ when identity != configuration.TargetIdentity => new(FindingLevel.Missing, "account", $"The broker's credentials are of {Faults.Clean(identity)}, and the provider is for {configuration.TargetIdentity}.", "Log in to the provider's account."),
        _ when caller.Arn.EndsWith(":root", StringComparison.Ordinal) => new(FindingLevel.Warning, "caller", "The broker runs as the account's root: whoever takes the broker takes the account.", "Use webIdentity."),
        _ when caller.RoleName is null => new(FindingLevel.Warning, "caller", $"The broker runs on the keys of {Faults.Clean(caller.Arn)}, which do not expire.", "Use webIdentity, where nothing secret is configured."),
        _ => new(FindingLevel.Ok, "caller", $"The broker is {Faults.Clean(caller.Arn)}."),
    };

    private HealthFinding OfClock(DateTimeOffset now)
    {
        var skew = (context.Time.GetUtcNow() - now).Duration();
        return skew <= MostSkew
            ? new(FindingLevel.Ok, "clock", "The broker's clock and that of AWS agree.")
            : new(FindingLevel.Warning, "clock", $"The broker's clock is {(int)skew.TotalSeconds} s away from that of AWS, which refuses more than 15 minutes.", "Set the broker's clock.");
    }

    private async Task<IEnumerable<HealthFinding>> OfLeaseRolesAsync(LeaseRolesConfiguration place, TrustCheck trust, RightsCheck rights, CancellationToken cancellationToken)
    {
        var findings = new List<HealthFinding>();
        var arn = $"arn:{configuration.Partition.Id()}:iam::{configuration.Account}:role{place.Path}cb-{context.InstallationId}-*";
        findings.Add(await rights.RunAsync($"roles below {place.Path}", arn, LeaseRoleActions, place.PermissionsBoundary, cancellationToken).ConfigureAwait(false));
        var listing = await api.IamAsync("ListRoles", [("PathPrefix", place.Path), ("MaxItems", "1")], cancellationToken).ConfigureAwait(false);
        findings.Add(listing is QueryAnswer.Refused { Code: "AccessDenied" }
            ? new(FindingLevel.Missing, "iam:ListRoles", "The broker could not find again what it made.", PolicyText.Write(new Statement(true, ["iam:ListRoles"], [$"arn:{configuration.Partition.Id()}:iam::{configuration.Account}:role{place.Path}"])))
            : Listed(listing));
        if (trust.BrokerArn is null)
            findings.Add(new(FindingLevel.Missing, "leaseRoles.trustedPrincipal", "The broker runs on a session of a role whose path is not known, so roles that trust it cannot be made.", "Write the role's ARN into leaseRoles.trustedPrincipal."));
        if (place.PermissionsBoundary is null)
            findings.Add(new(FindingLevel.Warning, "leaseRoles.permissionsBoundary", "Nothing bounds what the broker can give to roles that it makes.", "Name a managed policy as boundary, and let the broker's own policy insist on it (iam:PermissionsBoundary)."));
        return findings;
    }

    private static HealthFinding Listed(QueryAnswer listing)
    {
        listing.Require();
        return new(FindingLevel.Ok, "iam:ListRoles", "The broker can find what it made.");
    }
}

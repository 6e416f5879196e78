using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Check;

/// <summary>Whether a role lets the broker in as it must, and whom else.</summary>
internal sealed class TrustCheck(CallerIdentity caller, AwsStsConfiguration configuration, string installationId)
{
    private static readonly string[] Needed = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"];
    private static readonly string[] Opening = ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"];

    public IEnumerable<HealthFinding> Run(IamRole role)
    {
        var statements = PolicyView.Read(role.TrustPolicy);
        var subject = $"trust policy of {role.Name}";
        var ours = statements.Where(statement => statement.Allows && statement.Principals.Any(IsBroker)).ToList();
        var missing = Needed.Where(action => !ours.Any(statement => statement.Speaks(action))).ToList();
        yield return missing.Count == 0
            ? new(FindingLevel.Ok, subject, "The broker may open sessions, name them and tag them.")
            : new(
                missing.Contains("sts:TagSession") && missing.Count == 1 ? FindingLevel.Warning : FindingLevel.Missing, subject,
                missing is ["sts:TagSession"] ? "The broker may not tag sessions: only roles with taskTag and workloadTag off work." : $"The broker lacks {string.Join(", ", missing)}.",
                TrustText());
        if (statements.Any(statement => statement.Allows && Opening.Any(statement.Speaks) && !statement.Principals.All(IsBrokerAlone) && !NamesOurs(statement)))
        {
            yield return new(
                FindingLevel.Warning, subject,
                "Others may open sessions of this role without a source identity of ours: those are neither counted nor denied by the broker.", TrustText());
        }
    }

    /// <summary>The broker's own ARN, as policies name it; null where the path of its role is not known.</summary>
    public string? BrokerArn => configuration.Credentials.WebIdentity?.RoleArn ?? configuration.LeaseRoles?.TrustedPrincipal ?? (caller.RoleName is null ? caller.Arn : null);

    private bool IsBroker(string principal) => IsBrokerAlone(principal) || principal == "*" || principal == configuration.Account || principal == $"arn:{configuration.Partition.Id()}:iam::{configuration.Account}:root";

    private bool IsBrokerAlone(string principal) =>
        principal == caller.Arn || principal == caller.UserId || principal == BrokerArn
        || (caller.RoleName is { } name && RoleArn.TryParse(principal, out var role) && role.Account == configuration.Account && role.Name == name);

    private bool NamesOurs(StatementView statement) => statement.Conditions.Any(condition =>
        condition.Operator is "StringLike" or "StringEquals" && condition.Key.Equals("sts:SourceIdentity", StringComparison.OrdinalIgnoreCase)
        && condition.Values.All(value => value.StartsWith("cb-", StringComparison.Ordinal)));

    private string TrustText()
    {
        var broker = BrokerArn ?? $"arn:{configuration.Partition.Id()}:iam::{configuration.Account}:role/{caller.RoleName}";
        return PolicyText.Write(
            new Statement(true, ["sts:AssumeRole", "sts:SetSourceIdentity"], []) { Principal = broker, Conditions = [new Condition("StringLike", "sts:SourceIdentity", $"cb-{installationId}-*")] },
            new Statement(true, ["sts:TagSession"], []) { Principal = broker });
    }
}

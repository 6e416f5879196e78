using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;
using CredBroker.Providers.AwsSts.Sessions;

namespace CredBroker.Providers.AwsSts.Check;

/// <summary>Looks at one shared role: whether it is there, whom it trusts, how long its sessions may be, and whether denials can be written on it.</summary>
internal sealed class RoleCheck(AwsApi api, TrustCheck trust, RightsCheck rights, bool chains)
{
    private static readonly string[] Writing = ["iam:PutRolePolicy", "iam:DeleteRolePolicy"];
    private static readonly string[] Powerful = ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"];

    public async Task<IReadOnlyList<HealthFinding>> RunAsync(RoleArn arn, CancellationToken cancellationToken)
    {
        var answer = await api.IamAsync("GetRole", [("RoleName", arn.Name)], cancellationToken).ConfigureAwait(false);
        if (answer is QueryAnswer.Refused { Code: "AccessDenied" })
            return [new(FindingLevel.Missing, $"iam:GetRole on {arn.Name}", "The broker may not look at the role.", Allow(arn, "iam:GetRole"))];
        if (answer.RequireUnlessAbsent()?.Result.Child("Role") is not { } element) return [new(FindingLevel.Missing, $"role {arn.Name}", "There is no such role.", $"Create {arn.Text}, or take it out of the configuration.")];
        var role = IamRole.Read(element);
        if (role.Arn != arn.Text) return [new(FindingLevel.Missing, $"role {arn.Name}", $"The role of this name is {Faults.Clean(role.Arn)}.", "Name it with its path.")];

        var findings = new List<HealthFinding>(trust.Run(role)) { OfLife(role) };
        findings.AddRange(await OfDocumentAsync(arn, cancellationToken).ConfigureAwait(false));
        findings.Add(await rights.RunAsync($"writing denials on {arn.Name}", arn.Text, Writing, null, cancellationToken).ConfigureAwait(false));
        findings.AddRange(await OfOthersAsync(arn, cancellationToken).ConfigureAwait(false));
        return findings;
    }

    private HealthFinding OfLife(IamRole role)
    {
        var most = chains && role.MaxSession > TimeSpan.FromHours(1) ? TimeSpan.FromHours(1) : role.MaxSession;
        var why = chains ? " The broker itself runs on a session, and from role to role AWS gives one hour at most." : "";
        return new(FindingLevel.Ok, $"MaxSessionDuration of {role.Name}", $"A credential of this role lives {DurationConverter.Format(most)} at most: set no longer maxTtl on what uses it.{why}");
    }

    private async Task<IEnumerable<HealthFinding>> OfDocumentAsync(RoleArn arn, CancellationToken cancellationToken)
    {
        var answer = await api.IamAsync("GetRolePolicy", [("RoleName", arn.Name), ("PolicyName", Names.DenyPolicy)], cancellationToken).ConfigureAwait(false);
        if (answer is QueryAnswer.Refused { Code: "AccessDenied" })
            return [new(FindingLevel.Missing, $"iam:GetRolePolicy on {arn.Name}", "The broker could not read back what it denies, and so prove nothing.", Allow(arn, "iam:GetRolePolicy"))];
        if (answer.RequireUnlessAbsent() is not { } done) return [new(FindingLevel.Ok, $"deny document of {arn.Name}", "Nothing is denied at present.")];
        return DenyDocument.Read(IamRole.Decode(done.Result.Text("PolicyDocument"))) is { } document
            ? [new(document.OlderThan is null ? FindingLevel.Ok : FindingLevel.Warning, $"deny document of {arn.Name}", string.Create(CultureInfo.InvariantCulture, $"{document.Denied.Count} names are denied{(document.OlderThan is { } older ? $", and every session issued before {PolicyText.Instant(older)}" : "")}."))]
            : [new(FindingLevel.Warning, $"deny document of {arn.Name}", $"The inline policy {Names.DenyPolicy} was changed by somebody else. The next revocation writes it anew.")];
    }

    // What else stands inline takes room; and a role that may change itself can lift what denies it.
    private async Task<IEnumerable<HealthFinding>> OfOthersAsync(RoleArn arn, CancellationToken cancellationToken)
    {
        var findings = new List<HealthFinding>();
        var listing = await api.IamAsync("ListRolePolicies", [("RoleName", arn.Name)], cancellationToken).ConfigureAwait(false);
        if (listing is QueryAnswer.Refused { Code: "AccessDenied" })
            return [new(FindingLevel.Warning, $"inline policies of {arn.Name}", "The broker may not list them, so what they take of the document's room is not known.", Allow(arn, "iam:ListRolePolicies"))];
        var characters = 0;
        foreach (var name in listing.Require().Result.Members("PolicyNames").Select(member => member.Value.Trim()).Where(name => name != Names.DenyPolicy))
        {
            var answer = await api.IamAsync("GetRolePolicy", [("RoleName", arn.Name), ("PolicyName", name)], cancellationToken).ConfigureAwait(false);
            if (answer is not QueryAnswer.Done done) continue;
            var document = IamRole.Decode(done.Result.Text("PolicyDocument"));
            characters += PolicyText.LengthOf(document);
            if (PolicyView.Read(document).Any(statement => statement.Allows && statement.Speaks("iam:DeleteRolePolicy"))) findings.Add(SelfMade(arn, $"its inline policy {Faults.Clean(name)}"));
        }

        findings.Add(new(
            FindingLevel.Ok, $"room on {arn.Name}",
            string.Create(CultureInfo.InvariantCulture, $"Other inline policies take {characters} of {DenyDocument.MostCharacters} characters, which leaves room for {Math.Max(0, DenyDocument.CapacityBeside(characters))} denied names. Write otherInlineCharacters: {characters} into the roles that use it.")));
        var attached = await api.IamAsync("ListAttachedRolePolicies", [("RoleName", arn.Name)], cancellationToken).ConfigureAwait(false);
        if (attached is QueryAnswer.Done listed)
            findings.AddRange(listed.Result.Members("AttachedPolicies").Select(policy => policy.Text("PolicyName") ?? "").Where(name => Powerful.Contains(name)).Select(name => SelfMade(arn, name)));
        return findings;
    }

    private static HealthFinding SelfMade(RoleArn arn, string by) => new(
        FindingLevel.Warning, $"rights of {arn.Name}",
        $"By {by} the role may change roles. The broker's session policy denies it its own role; sessions that others open are not held back.", "Take iam: rights from the role.");

    private static string Allow(RoleArn arn, string action) => PolicyText.Write(new Statement(true, [action], [arn.Text]));
}

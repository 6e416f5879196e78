using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;
using CredBroker.Providers.AwsSts.Sessions;

namespace CredBroker.Providers.AwsSts.LeaseRoles;

/// <summary>Makes a role for one lease, gives it its rights, and opens its one session.</summary>
internal sealed class LeaseRoleIssue(AwsApi api, ProviderContext context, AwsStsConfiguration configuration, LeaseRolesConfiguration place)
{
    /// <summary>The name of the inline policy with the role's rights.</summary>
    public const string RightsPolicy = "credbroker-lease";

    private const int MostInlineCharacters = 10_240;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(4);

    public async Task<IssuedCredential> RunAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Read(request);
        var expiresAt = SessionOpening.WholeSeconds(request.ExpiresAt);
        var arn = $"arn:{configuration.Partition.Id()}:iam::{configuration.Account}:role{place.Path}{request.ExternalName}";
        var rights = RightsOf(template, arn, expiresAt);
        var tags = SessionOpening.TagsOf(request, template.Tags, template.TaskTag, template.WorkloadTag);
        var opening = new SessionOpening(api, context.Time);
        var duration = opening.DurationOf(expiresAt, await api.ChainsAsync(cancellationToken).ConfigureAwait(false));
        var principal = await PrincipalAsync(cancellationToken).ConfigureAwait(false);
        opening.RequireBefore(request.Deadline);

        var role = await CreateAsync(request, principal, duration, cancellationToken).ConfigureAwait(false);
        try
        {
            if (role.Arn != arn) throw new ProviderException(ProviderFault.TargetMismatch, $"The role was made as {Faults.Clean(role.Arn)}, and {arn} was asked for.");
            var handle = new LeaseRoleHandle(configuration.TargetIdentity, role.Id, (int)template.Settle.TotalSeconds).Seal();
            if (!await journal.RecordAsync(handle, cancellationToken).ConfigureAwait(false))
                throw new ProviderException(ProviderFault.Credential, "The lease is not wanted any more: the role that was made for it is deleted.");
            (await api.PutRolePolicyAsync(role.Name, RightsPolicy, rights, cancellationToken).ConfigureAwait(false)).Require();
            foreach (var policy in template.PolicyArns)
                (await api.IamAsync("AttachRolePolicy", [("RoleName", role.Name), ("PolicyArn", policy)], cancellationToken).ConfigureAwait(false)).Require();
            var session = await OpenAsync(opening, request, arn, duration, SessionOpening.Parameters(tags, template.TransitiveTags), cancellationToken).ConfigureAwait(false);
            var end = session.Keys.ExpiresAt < expiresAt ? session.Keys.ExpiresAt.Value : expiresAt;
            return new IssuedCredential { Fields = SessionFields.Of(session.Keys, end, configuration), Handle = handle, ExpiresAt = end };
        }
        catch (ProviderException e) when (e.Effect == ProviderEffect.None)
        {
            // The step made nothing, but the role is there.
            throw new ProviderException(e.Fault, e.Message, ProviderEffect.Unknown, e.RetryAfter);
        }
    }

    private LeaseRoleTemplate Read(IssueRequest request)
    {
        Names.RequireExternal(request.ExternalName);
        Names.RequireMark(request.Mark);
        var template = Document<LeaseRoleTemplate>.Read(request.Template);
        if (LeaseRoleKind.Check(template, TemplateRules.Filled).FirstOrDefault() is { } error) throw Refuse($"{error.Path}: {error.Message}");
        return template;
    }

    private static string RightsOf(LeaseRoleTemplate template, string arn, DateTimeOffset expiresAt)
    {
        var text = PolicyText.Write([.. template.Statements.Select(Statement.Of), .. Guards.Of(arn, expiresAt, template.AllowChaining)]);
        return PolicyText.LengthOf(text) <= MostInlineCharacters - LeaseRoleRevocation.DenyCharacters
            ? text
            : throw Refuse($"statements: the role's policy has more than the {MostInlineCharacters} characters that IAM takes, less what denying it needs.");
    }

    private async Task<string> PrincipalAsync(CancellationToken cancellationToken)
    {
        if ((place.TrustedPrincipal ?? configuration.Credentials.WebIdentity?.RoleArn) is { } known) return known;
        var (caller, _) = await api.GetCallerAsync(cancellationToken).ConfigureAwait(false);
        return caller.RoleName is null && caller.Arn.Contains(":user/", StringComparison.Ordinal)
            ? caller.Arn
            : throw Refuse("leaseRoles.trustedPrincipal: the broker runs on a session of a role whose path is not known. Name the role's ARN.");
    }

    /// <summary>Who may open a session of it: the broker, under this name, until the deadline.</summary>
    private static string TrustOf(string principal, IssueRequest request)
    {
        var inTime = new Condition("DateLessThan", "aws:CurrentTime", PolicyText.Instant(request.Deadline));
        return PolicyText.Write(
            new Statement(true, ["sts:AssumeRole", "sts:SetSourceIdentity"], [])
            {
                Principal = principal,
                Conditions = [new Condition("StringEquals", "sts:SourceIdentity", request.ExternalName), inTime],
            },
            new Statement(true, ["sts:TagSession"], []) { Principal = principal, Conditions = [inTime] });
    }

    private async Task<IamRole> CreateAsync(IssueRequest request, string principal, int duration, CancellationToken cancellationToken)
    {
        var parameters = new List<(string, string)>
        {
            ("RoleName", request.ExternalName),
            ("Path", place.Path),
            ("AssumeRolePolicyDocument", TrustOf(principal, request)),
            ("Description", request.Mark),
            ("MaxSessionDuration", Math.Max(3600, duration).ToString(CultureInfo.InvariantCulture)),
        };
        if (place.PermissionsBoundary is { } boundary) parameters.Add(("PermissionsBoundary", boundary));
        var done = (await api.IamAsync("CreateRole", parameters, cancellationToken).ConfigureAwait(false)).Require();
        return done.Result.Child("Role") is { } role ? IamRole.Read(role) : throw new ProviderException(ProviderFault.Unreachable, "iam CreateRole: the answer describes no role.");
    }

    /// <summary>
    /// A role that was just made is not known everywhere at once: STS then refuses it, definitely and without a reason, and is asked again until the
    /// deadline. A refusal with a reason is about rights, and final.
    /// </summary>
    private async Task<OpenedSession> OpenAsync(
        SessionOpening opening, IssueRequest request, string arn, int duration, IEnumerable<(string, string)> tags, CancellationToken cancellationToken)
    {
        var parameters = tags.ToArray();
        for (var pause = TimeSpan.FromSeconds(1); ; pause = pause < LongestPause ? pause * 2 : LongestPause)
        {
            opening.RequireBefore(request.Deadline);
            var answer = await opening.AskAsync(arn, request.ExternalName, duration, parameters, cancellationToken).ConfigureAwait(false);
            if (!MayBeTooEarly(answer) || context.Time.GetUtcNow() + pause >= request.Deadline) return SessionOpening.Open(answer, request.ExternalName);
            try
            {
                await Task.Delay(pause, context.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                throw new ProviderException(ProviderFault.Unreachable, "The call was cancelled while STS did not know the new role yet.");
            }
        }
    }

    private static bool MayBeTooEarly(QueryAnswer answer) => answer is QueryAnswer.Refused { Code: "AccessDenied", Message: var message }
        && !message.Contains("explicit deny", StringComparison.OrdinalIgnoreCase) && !message.Contains("because no ", StringComparison.OrdinalIgnoreCase);

    private static ProviderException Refuse(string words) => new(ProviderFault.Misconfigured, words, ProviderEffect.None);
}

using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>Opens a session of a shared role: one call.</summary>
internal sealed class SessionIssue(AwsApi api, ProviderContext context, AwsStsConfiguration configuration)
{
    // What STS takes: the session policy's text and the names of managed policies together.
    private const int MostPolicyCharacters = 2048;

    public async Task<IssuedCredential> RunAsync(IssueRequest request, CancellationToken cancellationToken)
    {
        var template = Read(request);
        var expiresAt = SessionOpening.WholeSeconds(request.ExpiresAt);
        var policy = PolicyOf(template, expiresAt);
        var tags = SessionOpening.TagsOf(request, template.Tags, template.TaskTag, template.WorkloadTag);
        var opening = new SessionOpening(api, context.Time);
        var duration = opening.DurationOf(expiresAt, await api.ChainsAsync(cancellationToken).ConfigureAwait(false));
        opening.RequireBefore(request.Deadline);
        var session = await opening.AssumeAsync(
            template.RoleArn, request.ExternalName, duration,
            [("Policy", policy), .. ArnsOf(template.PolicyArns), .. SessionOpening.Parameters(tags, template.TransitiveTags)], cancellationToken).ConfigureAwait(false);
        var end = session.Keys.ExpiresAt < expiresAt ? session.Keys.ExpiresAt.Value : expiresAt;
        var handle = new SessionHandle(configuration.TargetIdentity, template.RoleArn, session.RoleId, (int)template.Settle.TotalSeconds, session.Now);
        return new IssuedCredential { Fields = SessionFields.Of(session.Keys, end, configuration), Handle = handle.Seal(), ExpiresAt = end };
    }

    private AssumeRoleTemplate Read(IssueRequest request)
    {
        Names.RequireExternal(request.ExternalName);
        Names.RequireMark(request.Mark);
        var template = Document<AssumeRoleTemplate>.Read(request.Template);
        if (AssumeRoleKind.Check(template, TemplateRules.Filled).FirstOrDefault() is { } error) throw Refuse($"{error.Path}: {error.Message}");
        if (configuration.RoleOf(template.RoleArn) is null) throw Refuse($"The provider's configuration does not name the role {template.RoleArn}.");
        return template;
    }

    /// <summary>Where only managed policies narrow the session, a statement that allows would widen it: the session may do what any of them allows.</summary>
    private static string PolicyOf(AssumeRoleTemplate template, DateTimeOffset expiresAt)
    {
        IEnumerable<Statement> own = template switch
        {
            { Statements.Count: > 0 } => template.Statements.Select(Statement.Of),
            { PolicyArns.Count: > 0 } => [],
            _ => [new Statement(true, ["*"], ["*"])],
        };
        var text = PolicyText.Write([.. own, .. Guards.Of(template.RoleArn, expiresAt, template.AllowChaining)]);
        var length = text.Length + template.PolicyArns.Sum(arn => arn.Length);
        return length <= MostPolicyCharacters
            ? text
            : throw Refuse(string.Create(CultureInfo.InvariantCulture, $"statements: the session policy has {length} characters with what is ours, and STS takes {MostPolicyCharacters}."));
    }

    private static IEnumerable<(string, string)> ArnsOf(IReadOnlyList<string> arns) =>
        arns.Select((arn, i) => (string.Create(CultureInfo.InvariantCulture, $"PolicyArns.member.{i + 1}.arn"), arn));

    private static ProviderException Refuse(string words) => new(ProviderFault.Misconfigured, words, ProviderEffect.None);
}

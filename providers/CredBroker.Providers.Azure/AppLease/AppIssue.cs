using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Arm;
using CredBroker.Providers.Azure.Connect;
using CredBroker.Providers.Azure.Entra;
using CredBroker.Providers.Azure.Graph;

namespace CredBroker.Providers.Azure.AppLease;

/// <summary>
/// Makes an application for one lease. Its unique name is the lease's, its assignments have ids computed from that, and the plan is written down first: wherever
/// this stops, everything can be found. What can be used is made last.
/// </summary>
internal sealed class AppIssue(Applications graph, RoleAssignments arm, LeaseTokens tokens, ProviderContext context, AzureConfiguration configuration, AzureAddresses addresses, string target)
{
    /// <summary>How long a token lives at most that is taken with a client secret.</summary>
    public static readonly TimeSpan LongestToken = TimeSpan.FromHours(24);

    public Task<IssuedCredential> WithPasswordAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<AppPasswordTemplate>.Read(request.Template);
        Templates.Require(AppPasswordRoleKind.Check(template, mayHavePlaceholders: false), configuration, template.Assignments);
        var end = WholeSecond(request.ExpiresAt);
        var steps = new IssueSteps(context.Time, request.Deadline);
        return steps.RunAsync(async () =>
        {
            var made = await MakeAsync(steps, request, journal, template.Assignments, template.Settle, null, cancellationToken).ConfigureAwait(false);
            var answer = await steps.MakeAsync(
                () => graph.AddPasswordAsync(made.Id, request.ExternalName, end, cancellationToken), Applications.MayLag, cancellationToken).ConfigureAwait(false);
            var password = answer.Read(AzureJson.Default.Password);
            if (password is not { SecretText.Length: > 0, KeyId: { } keyId } || !Names.IsGuid(keyId))
                throw new ProviderException(ProviderFault.Unreachable, "Microsoft Graph answered without a password.");
            return new IssuedCredential
            {
                Fields = new Dictionary<string, CredentialField>
                {
                    ["tenant_id"] = new(new Secret(configuration.TenantId)),
                    ["client_id"] = new(new Secret(made.AppId)),
                    ["client_secret"] = new(new Secret(password.SecretText)),
                    ["authority_host"] = new(new Secret(addresses.Authority.AbsoluteUri)),
                },
                Handle = (made.Handle with { KeyId = keyId, Delivered = true, TokensEndAt = end + LongestToken }).Seal(),
                ExpiresAt = end,
            };
        });
    }

    public Task<IssuedCredential> WithTokenAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<AppFederatedTemplate>.Read(request.Template);
        Templates.Require(AppFederatedRoleKind.Check(template, mayHavePlaceholders: false), configuration, template.Assignments);
        var steps = new IssueSteps(context.Time, request.Deadline);
        return steps.RunAsync(async () =>
        {
            var credential = new FederatedCredential(
                request.ExternalName, context.Identity.Issuer, $"{context.InstallationId}:lease:{request.LeaseId}", request.Mark, [context.Identity.Audience]);
            var made = await MakeAsync(steps, request, journal, template.Assignments, template.Settle, credential, cancellationToken).ConfigureAwait(false);
            var (token, endsAt) = await tokens.TakeAsync(steps, request.LeaseId, made.AppId, $"{template.Audience}/.default", cancellationToken).ConfigureAwait(false);
            var life = endsAt - context.Time.GetUtcNow();
            if (life > template.MaxTokenLife)
                throw new ProviderException(ProviderFault.Misconfigured, $"The tenant gives tokens that live for {DurationConverter.Format(TimeSpan.FromSeconds(Math.Ceiling(life.TotalSeconds)))}, longer than the role's maxTokenLife.");
            return new IssuedCredential
            {
                Fields = new Dictionary<string, CredentialField>
                {
                    ["access_token"] = new(token, "application/jwt"),
                    ["token_type"] = new(new Secret("Bearer")),
                    ["expires_on"] = new(new Secret(endsAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture))),
                    ["tenant_id"] = new(new Secret(configuration.TenantId)),
                    ["client_id"] = new(new Secret(made.AppId)),
                },
                Handle = (made.Handle with { Delivered = true, TokensEndAt = endsAt }).Seal(),
                ExpiresAt = endsAt,
            };
        });
    }

    /// <summary>The assignments that a lease's application gets: their ids are computed.</summary>
    private static IReadOnlyList<AssignmentId> PlanOf(IssueRequest request, IReadOnlyList<AssignmentTemplate> assignments) =>
        [.. assignments.Select((assignment, i) => new AssignmentId(assignment.Scope, Names.Uuid5(string.Create(CultureInfo.InvariantCulture, $"{request.ExternalName}/{i}"))))];

    private async Task<MadeApp> MakeAsync(
        IssueSteps steps, IssueRequest request, IIssueJournal journal, IReadOnlyList<AssignmentTemplate> assignments, TimeSpan settle,
        FederatedCredential? federated, CancellationToken cancellationToken)
    {
        Names.Require(request.ExternalName, request.Mark);
        if (!configuration.Applications) throw Templates.Refuse("The provider's configuration does not let the broker make applications.");
        var handle = new AzureHandle { Target = target, Assignments = PlanOf(request, assignments), SettleSeconds = (long)settle.TotalSeconds };
        await steps.RecordAsync(journal, handle, cancellationToken).ConfigureAwait(false);

        var application = await MakeApplicationAsync(steps, request, journal, handle, cancellationToken).ConfigureAwait(false);
        handle = handle with { Application = application.Id };
        await steps.RecordAsync(journal, handle, cancellationToken).ConfigureAwait(false);

        var answer = await steps.MakeAsync(
            () => graph.CreatePrincipalAsync(application.AppId!, request.Mark, cancellationToken), Applications.MayLag, cancellationToken).ConfigureAwait(false);
        var principal = answer.Read(AzureJson.Default.ServicePrincipal).Id;
        if (principal is null || !Names.IsGuid(principal)) throw new ProviderException(ProviderFault.Unreachable, "Microsoft Graph answered without a service principal.");
        if (federated is not null)
            await steps.MakeAsync(() => graph.AddFederatedCredentialAsync(application.Id!, federated, cancellationToken), Applications.MayLag, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < assignments.Count; i++)
        {
            var (id, role) = (handle.Assignments[i], assignments[i].Role);
            await steps.MakeAsync(
                () => arm.PutAsync(id, role, principal, "ServicePrincipal", request.Mark, cancellationToken), refused => refused.Error.Is("PrincipalNotFound"), cancellationToken).ConfigureAwait(false);
        }

        return new MadeApp(application.Id!, application.AppId!, handle);
    }

    private async Task<Application> MakeApplicationAsync(
        IssueSteps steps, IssueRequest request, IIssueJournal journal, AzureHandle handle, CancellationToken cancellationToken)
    {
        steps.RequireTime();
        var answer = await graph.CreateAsync(request.ExternalName, request.Mark, cancellationToken).ConfigureAwait(false);
        if (answer.Status == 204)
        {
            // It was there, and this lease has made nothing: revoking must leave it to whoever has it.
            await journal.RecordAsync((handle with { Taken = true }).Seal(), cancellationToken).ConfigureAwait(false);
            throw new ProviderException(ProviderFault.Credential, "There is an application of this unique name already.", ProviderEffect.None);
        }

        if (answer.Status != 201) throw Faults.Of(answer, makes: true);
        steps.Made();
        var application = answer.Read(AzureJson.Default.Application);
        return application is { Id: { } id, AppId: { } appId } && Names.IsGuid(id) && Names.IsGuid(appId)
            ? application
            : throw new ProviderException(ProviderFault.Unreachable, "Microsoft Graph answered without an application.");
    }

    private static DateTimeOffset WholeSecond(DateTimeOffset instant) => DateTimeOffset.FromUnixTimeSeconds(instant.ToUnixTimeSeconds());

    private sealed record MadeApp(string Id, string AppId, AzureHandle Handle);
}

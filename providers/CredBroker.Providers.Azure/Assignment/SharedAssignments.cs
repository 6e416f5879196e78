using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Arm;
using CredBroker.Providers.Azure.Connect;

namespace CredBroker.Providers.Azure.Assignment;

/// <summary>
/// A role assignment that leases share, as Azure has only one for a role, a principal and a scope. Its description holds the marks of the leases that want it:
/// it is made for the first and deleted with the last. Whoever changes it holds the group's claim, so that no mark is lost.
/// </summary>
internal sealed class SharedAssignments(RoleAssignments arm, ProviderContext context, AzureConfiguration configuration, string target)
{
    public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<RoleAssignmentTemplate>.Read(request.Template);
        Templates.Require(RoleAssignmentRoleKind.Check(template, mayHavePlaceholders: false), configuration, [template.Assignment]);
        Names.Require(request.ExternalName, request.Mark);
        var id = new AssignmentId(template.Scope, Names.Uuid5($"{context.InstallationId}|{template.Scope}|{template.Role}|{template.Principal}".ToLowerInvariant()));
        var handle = new AzureHandle { Target = target, Assignments = [id], SettleSeconds = (long)template.Settle.TotalSeconds };
        var steps = new IssueSteps(context.Time, request.Deadline);
        return steps.RunAsync(async () =>
        {
            await steps.RecordAsync(journal, handle, cancellationToken).ConfigureAwait(false);
            var (found, _) = await arm.GetAsync(id, cancellationToken).ConfigureAwait(false);
            var marks = found is null ? [] : MarksOf(found) ?? throw NotOurs(id);
            if (marks.Contains(request.Mark)) throw new ProviderException(ProviderFault.Credential, "The assignment is held for this lease already.", ProviderEffect.None);
            if (marks.Count >= RoleAssignmentRoleKind.MostReferences) throw new ProviderException(ProviderFault.Throttled, "The assignment is held for as many leases as it has room for.", ProviderEffect.None);
            await steps.MakeAsync(() => PutAsync(id, template, [.. marks, request.Mark], cancellationToken), _ => false, cancellationToken).ConfigureAwait(false);
            return new IssuedCredential
            {
                Fields = new Dictionary<string, CredentialField>
                {
                    ["assignment_id"] = new(new Secret($"{id.Scope}/providers/Microsoft.Authorization/roleAssignments/{id.Name}")),
                    ["principal_id"] = new(new Secret(template.Principal)),
                    ["role_definition_id"] = new(new Secret(ArmScope.RoleDefinition(template.Scope, template.Role))),
                    ["scope"] = new(new Secret(template.Scope)),
                    ["reference"] = new(new Secret(request.ExternalName)),
                },
                Handle = (handle with { Delivered = true }).Seal(),
                ExpiresAt = request.ExpiresAt,
            };
        });
    }

    public async Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        Names.Require(request.ExternalName, request.Mark);
        var handle = AzureHandle.Open(request.Handle, target);
        var places = handle?.Assignments ?? await FindAsync(request.Mark, cancellationToken).ConfigureAwait(false);
        var removed = false;
        var left = 0;
        var now = context.Time.GetUtcNow();
        foreach (var id in places)
        {
            (var found, now) = await arm.GetAsync(id, cancellationToken).ConfigureAwait(false);
            if (found is null || MarksOf(found) is not { } marks || !marks.Contains(request.Mark)) continue;
            var others = marks.Where(mark => mark != request.Mark).ToList();
            left += others.Count;
            removed = true;
            if (others.Count == 0) (_, now) = await arm.DeleteAsync(id, cancellationToken).ConfigureAwait(false);
            else await LeaveToAsync(id, found, others, cancellationToken).ConfigureAwait(false);
        }

        if (places.Count == 0) now = await AskTimeAsync(cancellationToken).ConfigureAwait(false);
        handle ??= removed ? new AzureHandle { Target = target, Assignments = places, Delivered = true } : null;
        if (removed) handle = handle! with { OthersRemain = left > 0 };
        // What others hold does not end with this lease, and waiting would change nothing.
        var residual = handle is null or { OthersRemain: true } ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Max(handle.SettleSeconds, Templates.DefaultSettle.TotalSeconds));
        return Settling.Judge(request, handle, target, removed, now, residual, known => EvidenceOf(known, now));
    }

    /// <summary>The marks in an assignment's description; null if there is anything else, or nothing.</summary>
    public static IReadOnlyList<string>? MarksOf(RoleAssignment assignment)
    {
        var words = assignment.Properties?.Description?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words.Length > 0 && words.All(Names.IsMark) ? words : null;
    }

    private Task<AzureAnswer> PutAsync(AssignmentId id, RoleAssignmentTemplate template, IReadOnlyList<string> marks, CancellationToken cancellationToken) =>
        arm.PutAsync(id, template.Role, template.Principal, template.PrincipalKind.ToString(), string.Join(' ', marks), cancellationToken);

    // The same assignment with one mark less. Everything but the description is as it was read.
    private async Task LeaveToAsync(AssignmentId id, RoleAssignment found, IReadOnlyList<string> marks, CancellationToken cancellationToken)
    {
        var properties = found.Properties!;
        var role = properties.RoleDefinitionId?[(properties.RoleDefinitionId.LastIndexOf('/') + 1)..];
        if (role is null || !Names.IsGuid(role) || properties.PrincipalId is not { } principal || !Names.IsGuid(principal) || !Enum.TryParse<PrincipalKind>(properties.PrincipalType, out var kind))
            throw new ProviderException(ProviderFault.Unreachable, "Azure Resource Manager answered an assignment without a role, or without a principal.");
        var answer = await arm.PutAsync(id, role, principal, kind.ToString(), string.Join(' ', marks), cancellationToken).ConfigureAwait(false);
        if (!answer.Succeeded) throw Faults.Of(answer);
    }

    private async Task<IReadOnlyList<AssignmentId>> FindAsync(string mark, CancellationToken cancellationToken)
    {
        var found = new HashSet<AssignmentId>();
        foreach (var scope in configuration.Scopes)
        {
            await foreach (var assignment in arm.ListAsync(scope, cancellationToken).ConfigureAwait(false))
                if (MarksOf(assignment)?.Contains(mark) == true && RoleAssignments.IdOf(assignment) is { } id) found.Add(id);
        }

        return [.. found];
    }

    // The target's clock, from an answer about an assignment that cannot be.
    private async Task<DateTimeOffset> AskTimeAsync(CancellationToken cancellationToken) => configuration.Scopes is [var scope, ..]
        ? (await arm.GetAsync(new AssignmentId(scope, Guid.Empty), cancellationToken).ConfigureAwait(false)).Now
        : throw Templates.Refuse("The provider's configuration names no scope, and the lease does not say where it was.");

    private static Evidence EvidenceOf(AzureHandle known, DateTimeOffset now) => known.OthersRemain
        ? new Evidence("reference_removed", "The assignment no longer carries this lease's mark; it stays for other leases that hold the same role for the same principal at the same scope.", now)
        : new Evidence("assignment_absent", "Azure Resource Manager has no role assignment with this lease's mark.", now);

    private static ProviderException NotOurs(AssignmentId id) => new(
        ProviderFault.Credential, $"The role assignment {id.Name} at {id.Scope} is not one of ours alone: its description holds other text. Nothing was touched.", ProviderEffect.None);
}

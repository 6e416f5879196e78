using System.Net;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;

namespace Quickstart;

/// <summary>An agent gets a token for its task, uses it, is refused another, and the token dies with the task.</summary>
internal sealed class TokenStory(Installation installation, Narrator narrator)
{
    private const string Provider = "services";
    private const string Reader = $"providers/{Provider}/roles/report-reader";
    private const string Writer = $"providers/{Provider}/roles/report-writer";

    private static readonly string Policy = $$"""
        // Agents open tasks.
        @id("agents-open-tasks")
        permit (principal in IdentitySource::"{{Installation.Agents}}", action == Action::"createTask", resource);

        // The research team reads reports, for five minutes at a time.
        @id("research-reads-reports") @max_ttl("5m")
        permit (principal in IdentitySource::"{{Installation.Agents}}", action == Action::"issue", resource == Role::"{{Provider}}/report-reader")
        when { context.attested.hasTag("agents/team") && context.attested.getTag("agents/team") == "research" };

        // No agent writes reports.
        @id("agents-do-not-write")
        forbid (principal in IdentitySource::"{{Installation.Agents}}", action == Action::"issue", resource == Role::"{{Provider}}/report-writer");

        // The reports service asks whether its own tokens live.
        @id("reports-asks-about-its-tokens")
        permit (principal == Workload::"{{Installation.Agents}}/{{ReportsService.Workload}}", action == Action::"introspect", resource)
        when { context.audience == "{{ReportsService.Audience}}" };
        """;

    public async Task RegisterAsync(CancellationToken cancellationToken)
    {
        narrator.Step("As the administrator, register whom to trust, what may be asked for, and who may");
        using var administrator = installation.Administrator();
        await Registration.RegisterAgentsAsync(administrator, installation.Identity.Issuer, narrator, cancellationToken);
        var provider = new Provider { Type = "token" };
        await administrator.Providers.CreateProviderAsync(new() { ProviderId = Provider, Provider = provider }, cancellationToken: cancellationToken);
        narrator.Say($"providers/{Provider}: tokens that the broker signs itself");
        await Registration.RegisterRoleAsync(administrator, Provider, "report-reader", RoleFor("reports.read"), narrator, cancellationToken);
        await Registration.RegisterRoleAsync(administrator, Provider, "report-writer", RoleFor("reports.write"), narrator, cancellationToken);
        await Registration.RegisterPolicyAsync(administrator, "quickstart", Policy, narrator, cancellationToken);
    }

    public async Task TellAsync(CancellationToken cancellationToken)
    {
        await using var reports = await ReportsService.StartAsync(installation, cancellationToken);
        using var agent = installation.Agent("agent-1");

        narrator.Step("As an agent, open a task: what for, and for how long");
        await using var task = await agent.StartTaskAsync("summarise this week's reports", new TaskSettings { Ttl = TimeSpan.FromMinutes(15) }, cancellationToken);
        narrator.Say($"{task.Name}, until {task.Task.Deadline?.ToDateTimeOffset():HH:mm:ss} UTC at the latest");

        narrator.Step("Ask for a credential, and use it");
        var lease = await task.IssueAsync(Reader, cancellationToken: cancellationToken);
        narrator.Say($"{lease.Name} lives until {lease.ExpireTime:HH:mm:ss} UTC (policy allows 5 minutes at a time)");
        var token = lease["token"].Reveal();
        await ExpectAnswerAsync(reports, token, HttpStatusCode.OK, cancellationToken);

        narrator.Step("Ask for what policy denies");
        await ExpectDeniedAsync(task, cancellationToken);

        narrator.Step("End the task: everything that it holds dies with it");
        var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(20), cancellationToken);
        narrator.Say($"{ended.Task.Name} has ended: {ended.Task.Outcome}");
        await ExpectAnswerAsync(reports, token, HttpStatusCode.Unauthorized, cancellationToken);

        await ReceiptPrinter.PrintAsync(agent, task.Name, narrator, cancellationToken);
    }

    private async Task ExpectAnswerAsync(ReportsService reports, string token, HttpStatusCode expected, CancellationToken cancellationToken)
    {
        var (status, body) = await reports.CallAsync(token, cancellationToken);
        narrator.Say($"GET {reports.Address}reports/week answers {(int)status}: {body}");
        narrator.Expect(status == expected, $"the answer is {(int)expected}");
    }

    private async Task ExpectDeniedAsync(BrokerTask task, CancellationToken cancellationToken)
    {
        try
        {
            await task.IssueAsync(Writer, cancellationToken: cancellationToken);
        }
        catch (BrokerException e) when (e.KnownReason == ErrorReason.PolicyDenied)
        {
            narrator.Say($"{e.Reason}: {e.Message}");
            await ShowDecisionAsync(e, cancellationToken);
            return;
        }

        narrator.Expect(false, "the broker refuses a role that policy forbids");
    }

    // The agent learns that it was denied, and no more than for a role that does not exist; why is for those who may audit.
    private async Task ShowDecisionAsync(BrokerException denied, CancellationToken cancellationToken)
    {
        narrator.Expect(denied.Metadata.TryGetValue("decision", out var name), "the refusal names the decision");
        using var administrator = installation.Administrator();
        var decision = await administrator.Decisions.GetDecisionAsync(new() { Name = name!.StartsWith("decisions/", StringComparison.Ordinal) ? name : $"decisions/{name}" }, cancellationToken: cancellationToken);
        foreach (var policy in decision.Policies) narrator.Say($"{decision.Name}, as an auditor sees it: {decision.Effect} by {policy.PolicySet}, {policy.Policy}");
        narrator.Expect(decision.Effect == Decision.Types.Effect.Forbid && decision.Policies.Count > 0, "the decision is recorded, with the policy that made it");
    }

    private static Role RoleFor(string scope) => new()
    {
        Kind = "jwt",
        MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)),
        Template = new Struct
        {
            Fields =
            {
                ["audience"] = Value.ForString(ReportsService.Audience),
                ["scopes"] = Value.ForList(Value.ForString(scope)),
            },
        },
    };
}

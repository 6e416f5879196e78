using System.Globalization;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;
using CredBroker.Providers.Vault.Session;

namespace CredBroker.Providers.Vault.Check;

/// <summary>Asks the target who it is, what the broker may do there, and whether the token roles are as they must be. It changes nothing but the broker's own log-in.</summary>
internal sealed class TargetCheck(VaultConfiguration configuration, BrokerSessions sessions)
{
    public async Task<ProviderHealth> RunAsync(CancellationToken cancellationToken)
    {
        var (health, _) = await sessions.Login.HealthAsync(cancellationToken).ConfigureAwait(false);
        var identity = sessions.Login.IdentityOf(health);
        var findings = new List<HealthFinding> { Node(health) };
        var session = await sessions.GetAsync(cancellationToken).ConfigureAwait(false);
        if (session.Identity != identity)
        {
            // The address leads elsewhere by now: what is checked is where it leads.
            session = await sessions.AnewAsync(session, cancellationToken).ConfigureAwait(false);
            identity = session.Identity;
        }

        findings.Add(new(FindingLevel.Ok, "log-in", string.Create(CultureInfo.InvariantCulture, $"The broker is logged in; its token lives {session.Life.TotalSeconds:0} s{(session.Renewable ? " and is renewed" : "")}.")));
        findings.AddRange(await RightsAsync(cancellationToken).ConfigureAwait(false));
        foreach (var role in configuration.TokenRoles) findings.AddRange(await TokenRoleAsync(role, cancellationToken).ConfigureAwait(false));
        findings.AddRange(await IrrevocableAsync(cancellationToken).ConfigureAwait(false));
        return new ProviderHealth(identity, findings);
    }

    private static HealthFinding Node(VaultHealth health) => health.Standby
        ? new(FindingLevel.Warning, "node", $"A standby answers (version {Faults.Clean(health.Version ?? "unknown")}): it works as long as it forwards requests.", "Let the address lead to the active node.")
        : new(FindingLevel.Ok, "node", $"Unsealed and active, version {Faults.Clean(health.Version ?? "unknown")}.");

    private async Task<IReadOnlyList<HealthFinding>> RightsAsync(CancellationToken cancellationToken)
    {
        var rights = RequiredRight.Of(configuration);
        var call = VaultCall.Post("sys/capabilities-self", new PathsBody([.. rights.Select(right => right.Path)]), VaultJson.Default.PathsBody);
        var (reply, _) = await sessions.SendAsync(call, cancellationToken).ConfigureAwait(false);
        if (reply.Status == 403)
        {
            var ask = new RequiredRight("sys/capabilities-self", ["update"], "");
            return [new(FindingLevel.Missing, ask.Path, "The broker may not even ask what it may do: its token has no default policy.", Add([ask, .. rights.Where(right => !right.Optional)]))];
        }

        var has = reply.Require().Data(VaultJson.Default.IReadOnlyDictionaryStringIReadOnlyListString);
        var lacking = rights.Where(right => right.Missing(has.GetValueOrDefault(right.Path) ?? []).Count > 0).ToList();
        var findings = lacking.Select(right => new HealthFinding(
            right.Optional ? FindingLevel.Warning : FindingLevel.Missing,
            right.Path,
            $"{string.Join(" and ", right.Missing(has.GetValueOrDefault(right.Path) ?? []))} on {right.Path} is missing; it {right.For}.",
            Add([right]))).ToList();
        if (findings.Count == 0) findings.Add(new(FindingLevel.Ok, "rights", $"All {rights.Count} rights are there."));
        return findings;
    }

    private async Task<IReadOnlyList<HealthFinding>> TokenRoleAsync(string name, CancellationToken cancellationToken)
    {
        var subject = $"token role {name}";
        var (reply, _) = await sessions.SendAsync(VaultCall.Get($"auth/token/roles/{name}"), cancellationToken).ConfigureAwait(false);
        if (reply.Status == 403) return []; // The rights say so.
        if (reply.Status == 404) return [new(FindingLevel.Missing, subject, "There is no such token role.", Role(name, "orphan=true renewable=true token_type=service token_explicit_max_ttl=4h allowed_policies=<policies>"))];
        var role = reply.Require().Data(VaultJson.Default.VaultTokenRole);
        var findings = new List<HealthFinding>();
        if (!role.Orphan) findings.Add(new(FindingLevel.Missing, subject, "Its tokens are children of the broker's own log-in and die with it.", Role(name, "orphan=true")));
        if (!role.Renewable) findings.Add(new(FindingLevel.Missing, subject, "Its tokens cannot be renewed, so that none lives longer than two minutes.", Role(name, "renewable=true")));
        if (role.TokenType is "batch" or "default-batch") findings.Add(new(FindingLevel.Missing, subject, "Its tokens are batch tokens, which nobody can revoke.", Role(name, "token_type=service")));
        if (role.TokenPeriod > 0 || role.Period > 0) findings.Add(new(FindingLevel.Missing, subject, "It has a period, so that its tokens can be renewed without end.", Role(name, "token_period=0 period=0")));
        if (role.TokenExplicitMaxTtl == 0 && role.ExplicitMaxTtl == 0)
            findings.Add(new(FindingLevel.Warning, subject, "It sets no explicit maximum: only that of the role binds a renewal, a token's own does not.", Role(name, "token_explicit_max_ttl=4h")));
        if (role.AllowedPolicies is not { Count: > 0 })
            findings.Add(new(FindingLevel.Missing, subject, "It allows no policies by name, so that tokens have at most the broker's own.", Role(name, "allowed_policies=<policies>")));
        else if (role.AllowedPolicies.Contains("root")) findings.Add(new(FindingLevel.Missing, subject, "It allows the root policy.", Role(name, "allowed_policies=<policies>")));
        if (findings.Count == 0) findings.Add(new(FindingLevel.Ok, subject, $"It makes orphans with a longest life of {Math.Max(role.TokenExplicitMaxTtl, role.ExplicitMaxTtl).ToString(CultureInfo.InvariantCulture)} s."));
        return findings;
    }

    // Only who has sudo sees them: that it cannot be seen is no finding.
    private async Task<IReadOnlyList<HealthFinding>> IrrevocableAsync(CancellationToken cancellationToken)
    {
        var (reply, _) = await sessions.SendAsync(VaultCall.Get("sys/leases", "type=irrevocable"), cancellationToken).ConfigureAwait(false);
        if (!reply.Succeeded || reply.Answer.Data is not { ValueKind: JsonValueKind.Object }) return [];
        var count = reply.Data(VaultJson.Default.VaultIrrevocable).LeaseCount;
        return count == 0
            ? [new(FindingLevel.Ok, "irrevocable leases", "There are none.")]
            : [new(
                FindingLevel.Warning,
                "irrevocable leases",
                $"The target has given up on revoking {count.ToString(CultureInfo.InvariantCulture)} leases. Those of the broker are tried again without end.",
                "vault read sys/leases type=irrevocable; once their backend is back, revoke each: vault lease revoke -sync <lease>")];
    }

    private static string Add(IEnumerable<RequiredRight> rights) => string.Join('\n', rights.Select(right => right.Policy));

    private static string Role(string name, string settings) => $"vault write auth/token/roles/{name} {settings}";
}

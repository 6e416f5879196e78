using CredBroker.Client;
using CredBroker.Contracts.V1;

namespace Quickstart;

/// <summary>What an administrator registers before the first agent comes. All of it could be a folder of manifests instead.</summary>
internal static class Registration
{
    /// <summary>Whom the broker trusts to vouch for agents.</summary>
    public static async Task RegisterAgentsAsync(BrokerClient administrator, string issuer, Narrator narrator, CancellationToken cancellationToken)
    {
        var source = new IdentitySource { Type = "oidc", Oidc = new OidcSource { Issuer = issuer, Audiences = { Installation.AgentAudience }, InstanceClaims = { "run" }, Attributes = { ["team"] = "team" } } };
        await administrator.IdentitySources.CreateIdentitySourceAsync(new() { IdentitySourceId = Installation.Agents, IdentitySource = source }, cancellationToken: cancellationToken);
        narrator.Say($"identitySources/{Installation.Agents}: tokens of {issuer} for the audience {Installation.AgentAudience}");
    }

    public static async Task RegisterPolicyAsync(BrokerClient administrator, string name, string text, Narrator narrator, CancellationToken cancellationToken)
    {
        await administrator.PolicySets.CreatePolicySetAsync(
            new() { PolicySetId = name, PolicySet = new PolicySet { Kind = PolicySet.Types.Kind.Scoped, Text = text } }, cancellationToken: cancellationToken);
        narrator.Say($"policySets/{name}:");
        foreach (var line in text.Split('\n')) narrator.Say($"  {line}".TrimEnd());
    }

    public static async Task RegisterRoleAsync(BrokerClient administrator, string provider, string name, Role role, Narrator narrator, CancellationToken cancellationToken)
    {
        var created = await administrator.Roles.CreateRoleAsync(new() { Parent = $"providers/{provider}", RoleId = name, Role = role }, cancellationToken: cancellationToken);
        narrator.Say($"{created.Name}: {created.Kind}, at most {created.MaxTtl.ToTimeSpan().TotalMinutes:0} min; it can be revoked: {created.Revocability}");
    }
}

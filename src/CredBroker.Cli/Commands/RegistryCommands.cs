using System.CommandLine;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;

namespace CredBroker.Cli.Commands;

internal static class RoleCommands
{
    private static readonly Column<Role>[] Columns =
    [
        new("NAME", r => r.Name), new("KIND", r => r.Kind), new("REVOCABILITY", r => Show.Name(r.Revocability)), new("SENSITIVITY", r => r.Sensitivity),
        new("MAX TTL", r => Show.Span(r.MaxTtl)), new("PARAMETERS", r => string.Join(", ", r.Parameters.Select(p => p.Name))), new("OWNER", r => r.Owner), new("REVIEW BY", r => Show.Time(r.ReviewBy)),
    ];

    private static readonly Column<MyRole>[] MyColumns =
    [
        new("ROLE", r => r.Role), new("ANSWER", r => Show.Name(r.Answer)), new("KIND", r => r.Kind), new("SENSITIVITY", r => r.Sensitivity), new("MAX TTL", r => Show.Span(r.MaxTtl)),
        new("POLICIES", r => string.Join(", ", r.Policies.Select(p => $"{p.PolicySet}/{p.Policy}"))),
    ];

    public static Command Build(CliHost host) => AdminCommands.Noun(host, ResourceKind.Role, "roles", "role", "What may be asked for.", Columns);

    /// <summary>The roles that the caller could get.</summary>
    public static async Task ListMineAsync(CliContext context)
    {
        var roles = await context.ListAsync<MyRole>(1_000_000, async (token, size) =>
        {
            var page = await context.Client.Roles.ListMyRolesAsync(new() { PageToken = token, PageSize = size }, cancellationToken: context.Cancellation);
            return (page.Roles, page.NextPageToken);
        });
        context.Printer.List("roles", roles, MyColumns);
    }
}

internal static class IdentitySourceCommands
{
    private static readonly Column<IdentitySource>[] Columns =
    [
        new("NAME", s => s.Name), new("PRESET", s => s.Preset), new("ISSUER", s => s.Oidc?.Issuer ?? ""), new("ENVIRONMENT", s => s.Environment), new("PEOPLE", s => Show.YesNo(s.People)),
        new("OWNER", s => s.Owner), new("REVIEW BY", s => Show.Time(s.ReviewBy)), new("MANAGED BY", s => s.ManagedBy),
    ];

    public static Command Build(CliHost host) =>
        AdminCommands.Noun(host, ResourceKind.IdentitySource, "identity-sources", "identity-source", "Whom the broker trusts to vouch for workloads.", Columns);
}

internal static class HookCommands
{
    private static readonly Column<Hook>[] Columns =
    [
        new("NAME", h => h.Name), new("IDENTITY SOURCES", h => string.Join(", ", h.IdentitySources)), new("MATCHES", h => string.Join(", ", h.MatchClaims)),
        new("SIGNATURE", h => h.PublicKeys.Count > 0 ? "v1a" : "v1"), new("OWNER", h => h.Owner), new("REVIEW BY", h => Show.Time(h.ReviewBy)),
    ];

    public static Command Build(CliHost host) => AdminCommands.Noun(host, ResourceKind.Hook, "hooks", "hook", "Signed signals of orchestrators.", Columns);
}

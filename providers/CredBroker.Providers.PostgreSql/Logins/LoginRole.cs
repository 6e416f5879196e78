using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>A login as the server has it now.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Oid">Its oid.</param>
/// <param name="Mark">The comment on it; null when there is none.</param>
/// <param name="ValidUntil">Its end; once it was switched off, the instant at which it was. Null: never.</param>
internal sealed record LoginRole(string Name, long Oid, string? Mark, DateTimeOffset? ValidUntil)
{
    /// <summary>The role of this name, or else the role with this mark that has this oid: it was renamed.</summary>
    public static async Task<LoginRole?> FindAsync(NpgsqlConnection connection, RevokeRequest request, LoginHandle? handle, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryAsync(
            """
            SELECT r.rolname::text, r.oid::int8, pg_catalog.shobj_description(r.oid, 'pg_authid'),
                   CASE WHEN pg_catalog.isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END
            FROM pg_catalog.pg_roles r
            WHERE r.rolname = $1::name OR (r.oid::int8 = $2 AND pg_catalog.shobj_description(r.oid, 'pg_authid') = $3)
            ORDER BY r.rolname = $1::name DESC LIMIT 1
            """,
            row => new LoginRole(
                row.GetString(0), row.GetInt64(1), row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : Server.Instant(row, 3)),
            cancellationToken,
            request.ExternalName, handle?.Oid ?? 0, request.Mark).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>Refuses to touch what is not ours, or what somebody has taken for his own.</summary>
    public void RequireOurs(RevokeRequest request)
    {
        if (Name != request.ExternalName)
            throw Refuse($"The login was renamed to {Name}: rename it back, or drop it and end its sessions by hand.");
        if (Mark != request.Mark)
            throw Refuse($"The role {Name} does not carry our mark as its comment: nothing was touched. Put the mark back, or drop the role by hand.");
    }

    private static ProviderException Refuse(string words) => new(ProviderFault.Credential, words, ProviderEffect.None);
}

using System.Runtime.CompilerServices;
using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>Lists every role that carries a name of this installation, with the mark that is on it.</summary>
internal sealed class LoginListing(Connections connections, string installationId)
{
    private const int PageSize = 1000;

    public async IAsyncEnumerable<OutstandingCredential> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = "";
        while (true)
        {
            var page = await PageAsync(after, cancellationToken).ConfigureAwait(false);
            foreach (var login in page) yield return login;
            if (page.Count < PageSize) yield break;
            after = page[^1].ExternalName;
        }
    }

    private Task<IReadOnlyList<OutstandingCredential>> PageAsync(string after, CancellationToken cancellationToken) => Faults.TranslateAsync(async _ =>
    {
        var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            // A standby, or one whose clock stands, must not be taken for an empty target.
            await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
            return await connection.QueryAsync(
                """
                SELECT r.rolname::text, pg_catalog.shobj_description(r.oid, 'pg_authid'),
                       CASE WHEN pg_catalog.isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END
                FROM pg_catalog.pg_roles r
                WHERE pg_catalog.starts_with(r.rolname::text, $1) AND r.rolname > $2::name
                ORDER BY r.rolname LIMIT $3
                """,
                row => new OutstandingCredential(row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : Server.Instant(row, 2)),
                cancellationToken,
                $"cb_{installationId}_", after, (long)PageSize).ConfigureAwait(false);
        }
    });
}

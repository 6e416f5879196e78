using CredBroker.Abstractions;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Connect;

/// <summary>
/// The comment of a role that nobody can log in as, named for the installation and the provider. Roles are of the whole server and are not in a backup of one database, so that the note outlives
/// a restore of the broker's own, also where that is on the same server.
/// </summary>
internal sealed class AnchorRole(Connections connections, string installationId, Uid provider)
{
    private readonly string _name = $"cba_{installationId}_{provider}";

    public Task<AnchorLook> ReadAsync(CancellationToken cancellationToken) => Faults.TranslateAsync(async _ =>
    {
        var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var server = await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
            var (_, text) = await FindAsync(connection, cancellationToken).ConfigureAwait(false);
            return new AnchorLook(server.Identity, text);
        }
    });

    public Task<bool> ReplaceAsync(string? seen, string next, CancellationToken cancellationToken) => Faults.TranslateAsync(async _ =>
    {
        var (name, literal) = (Identifier.Quote(_name), Identifier.Literal(next));
        var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                // Of several nodes one after the other: the provider's configuration names the database, so that they meet at this lock.
                await connection.QueryAsync("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))", _ => true, cancellationToken, _name).ConfigureAwait(false);
                var (exists, text) = await FindAsync(connection, cancellationToken).ConfigureAwait(false);
                if (text != seen) return false;
                if (!exists) await connection.ExecuteAsync($"CREATE ROLE {name} NOLOGIN", cancellationToken).ConfigureAwait(false);
                await connection.ExecuteAsync($"COMMENT ON ROLE {name} IS {literal}", cancellationToken).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                return true;
            }
        }
    });

    private async Task<(bool Exists, string? Text)> FindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var found = await connection.QueryAsync(
            "SELECT pg_catalog.left(pg_catalog.shobj_description(r.oid, 'pg_authid'), 1000) FROM pg_catalog.pg_roles r WHERE r.rolname = $1::name",
            row => row.IsDBNull(0) ? null : row.GetString(0), cancellationToken, _name).ConfigureAwait(false);
        return (found.Count > 0, found.Count > 0 ? found[0] : null);
    }
}

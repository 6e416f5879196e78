using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>Moves a login's end, unless it has been switched off or the deadline has passed.</summary>
internal sealed class LoginRenewal(Connections connections)
{
    public Task<DateTimeOffset> RunAsync(RenewRequest request, CancellationToken cancellationToken) => Faults.TranslateAsync(async sent =>
    {
        if (!Identifier.IsLogin(request.ExternalName))
            throw new ProviderException(ProviderFault.Credential, "The external name is not one of a login.", ProviderEffect.None);
        var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var server = await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
            var handle = LoginHandle.Open(request.Handle, server);
            var expiresAt = new DateTimeOffset(request.ExpiresAt.Ticks - (request.ExpiresAt.Ticks % TimeSpan.TicksPerMicrosecond), request.ExpiresAt.Offset);
            sent.Set();
            await connection.ExecuteAsync(Statement(request, handle, expiresAt), cancellationToken).ConfigureAwait(false);
            return expiresAt;
        }
    });

    // The role's row is locked by the ALTER itself, so a login that was switched off meanwhile is seen by the second look.
    private static string Statement(RenewRequest request, LoginHandle? handle, DateTimeOffset expiresAt)
    {
        var same = handle is null ? "" : $" AND r.oid = {handle.Oid}";
        var guard = $"""
            IF pg_catalog.clock_timestamp() > {Identifier.Literal(request.Deadline)}::timestamptz THEN
                RAISE EXCEPTION 'the deadline has passed' USING ERRCODE = '{Faults.DeadlinePassed}';
              END IF;
              IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = {Identifier.Literal(request.ExternalName)} AND r.rolcanlogin{same}) THEN
                RAISE EXCEPTION 'there is no such live login' USING ERRCODE = '{Faults.NotLive}';
              END IF;
            """;
        return $"""
            DO $cb$
            BEGIN
              {guard}
              ALTER ROLE {Identifier.Quote(request.ExternalName)} VALID UNTIL {Identifier.Literal(expiresAt)};
              {guard}
            END $cb$
            """;
    }
}

using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>
/// Ends a login: switch it off, cut its sessions, take its memberships and what it owns, wait until no session can appear any more, drop it, and
/// look again. Every step can be repeated, and where it stands is read from the server: the role itself stays until the last step, switched
/// off, so that nothing is forgotten if the broker dies and nothing else can take its name.
/// </summary>
internal sealed class LoginRevocation(Connections connections)
{
    public Task<RevokeOutcome> RunAsync(RevokeRequest request, CancellationToken cancellationToken) => Faults.TranslateAsync(async _ =>
    {
        if (!Identifier.IsLogin(request.ExternalName))
            throw new ProviderException(ProviderFault.Credential, "The external name is not one of a login.", ProviderEffect.None);
        var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false)) return await RevokeAsync(connection, request, cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Whether a role is left under the login's name, or under another with its oid and mark. Changes nothing.</summary>
    public Task<ProbeOutcome> ProbeAsync(RevokeRequest credential, CancellationToken cancellationToken) => Faults.TranslateAsync(async _ =>
    {
        var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var server = await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
            var role = await LoginRole.FindAsync(connection, credential, LoginHandle.Open(credential.Handle, server), cancellationToken).ConfigureAwait(false);
            return new ProbeOutcome(server.Identity, role is not null);
        }
    });

    private async Task<RevokeOutcome> RevokeAsync(NpgsqlConnection connection, RevokeRequest request, CancellationToken cancellationToken)
    {
        var server = await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
        var handle = LoginHandle.Open(request.Handle, server);
        var role = await LoginRole.FindAsync(connection, request, handle, cancellationToken).ConfigureAwait(false);
        if (role is null && request.MayStillArriveUntil is { } arrival && server.Now < arrival)
        {
            var name = await Tombstone.PutAsync(connection, request, arrival, cancellationToken).ConfigureAwait(false);
            if (name == NameAnswer.InFlight) return InFlight(server);
            if (name == NameAnswer.Free) return new RevokeOutcome.Settling(server.Identity, arrival, "The issuing call may still arrive, and this attempt was held up for too long to keep its name.");
            role = await LoginRole.FindAsync(connection, request, handle, cancellationToken).ConfigureAwait(false);
        }

        if (role is null) return await ConfirmAbsentAsync(connection, request, handle, cancellationToken).ConfigureAwait(false);
        role.RequireOurs(request);

        await SwitchOffAsync(connection, role, cancellationToken).ConfigureAwait(false);
        await Sessions.EndAsync(connection, role.Oid, cancellationToken).ConfigureAwait(false);
        await LoginEstate.RevokeMembershipsAsync(connection, role, cancellationToken).ConfigureAwait(false);
        await new LoginEstate(connections, server, role).DropAsync(connection, cancellationToken).ConfigureAwait(false);

        role = await LoginRole.FindAsync(connection, request, handle, cancellationToken).ConfigureAwait(false) ?? role;
        server = await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
        var off = new LoginHandle(server.Identity, role.Oid, role.ValidUntil ?? server.Now);
        var (until, reason) = Wait(request, off.OffAt!.Value);
        if (server.Now < until) return new RevokeOutcome.Settling(server.Identity, until, reason, off.Seal());

        await connection.ExecuteAsync($"DROP ROLE IF EXISTS {Identifier.Quote(role.Name)}", cancellationToken).ConfigureAwait(false);
        return await ConfirmAbsentAsync(connection, request, off, cancellationToken).ConfigureAwait(false);
    }

    private static RevokeOutcome.Settling InFlight(Server server) =>
        new(server.Identity, server.Now + LoginRoleKind.Settle, "A transaction in flight holds the login's name.");

    private static (DateTimeOffset Until, string Reason) Wait(RevokeRequest request, DateTimeOffset offAt)
    {
        var settled = offAt + LoginRoleKind.Settle;
        return request.MayStillArriveUntil is { } arrival && arrival > settled
            ? (arrival, "The issuing call may still arrive; a login that cannot log in holds its name.")
            : (settled, "A session that was starting up when the login was switched off may still appear.");
    }

    // VALID UNTIL then says when it was: the server keeps the instant for whoever finishes this.
    private static Task SwitchOffAsync(NpgsqlConnection connection, LoginRole role, CancellationToken cancellationToken) => connection.ExecuteAsync(
        $"""
        DO $cb$
        BEGIN
          IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = {Identifier.Literal(role.Name)}
                     AND (r.rolcanlogin OR r.rolvaliduntil IS NULL OR r.rolvaliduntil > pg_catalog.clock_timestamp())) THEN
            ALTER ROLE {Identifier.Quote(role.Name)} NOLOGIN;
            EXECUTE pg_catalog.format('ALTER ROLE {Identifier.Quote(role.Name)} VALID UNTIL %L', pg_catalog.clock_timestamp());
          END IF;
        END $cb$
        """,
        cancellationToken);

    /// <summary>No role of the name, and no session under its oid, which outlives it; and long enough since it could last log in.</summary>
    private static async Task<RevokeOutcome> ConfirmAbsentAsync(
        NpgsqlConnection connection, RevokeRequest request, LoginHandle? handle, CancellationToken cancellationToken)
    {
        // A transaction that was in flight at the bound shows no role yet: the name is tried, which waits for its end.
        if (request.MayStillArriveUntil is not null)
        {
            var name = await Tombstone.TryAsync(connection, request, cancellationToken).ConfigureAwait(false);
            if (name == NameAnswer.InFlight) return InFlight(await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false));
        }

        var cut = handle is null ? 0 : await Sessions.EndOrphansAsync(connection, handle.Oid, cancellationToken).ConfigureAwait(false);
        var server = await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
        if (await LoginRole.FindAsync(connection, request, handle, cancellationToken).ConfigureAwait(false) is not null)
            return new RevokeOutcome.Settling(server.Identity, server.Now, "The login has come back while it was looked for.");
        if (handle is not null)
        {
            // Somebody else dropped it: when it could last log in is not known, so the wait begins now.
            var offAt = cut > 0 ? server.Now : handle.OffAt ?? server.Now;
            var settled = offAt + LoginRoleKind.Settle;
            if (server.Now < settled)
                return new RevokeOutcome.Settling(server.Identity, settled, "The login is dropped; a session of it may still appear.", (handle with { OffAt = offAt }).Seal());
        }

        var sessions = handle is null ? "" : $", and no session has its oid {handle.Oid}";
        return new RevokeOutcome.Gone(
            server.Identity, new Evidence("role_absent", $"pg_roles has no {request.ExternalName}{sessions}, at {server.Identity}.", server.Now));
    }
}

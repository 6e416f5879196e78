using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>Makes a login, in one statement that refuses to act past its deadline.</summary>
internal sealed class LoginIssue(Connections connections, PostgreSqlConfiguration configuration)
{
    public Task<IssuedCredential> RunAsync(IssueRequest request, CancellationToken cancellationToken)
    {
        var template = Read(request);
        var password = ScramVerifier.NewPassword();
        var expiresAt = new DateTimeOffset(request.ExpiresAt.Ticks - (request.ExpiresAt.Ticks % TimeSpan.TicksPerMicrosecond), request.ExpiresAt.Offset);
        var statement = Statement(request, template, ScramVerifier.Of(password, template.ScramIterations), expiresAt);
        return Faults.TranslateAsync(async sent =>
        {
            var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var server = await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
                if (request.TargetIdentity is { } wanted && wanted != server.Identity)
                    throw new ProviderException(ProviderFault.TargetMismatch, $"The login is to be made at {wanted}, and this is {server.Identity}.", ProviderEffect.None);
                var oid = await MakeAsync(connection, statement, request.ExternalName, sent, cancellationToken).ConfigureAwait(false);
                return Answer(request.ExternalName, password, template, new LoginHandle(server.Identity, oid), expiresAt);
            }
        });
    }

    private LoginTemplate Read(IssueRequest request)
    {
        if (!Identifier.IsLogin(request.ExternalName)) throw Refuse("The external name is not one of a login.");
        var template = Document<LoginTemplate>.Read(request.Template);
        if (LoginRoleKind.Check(template, mayHavePlaceholders: false).FirstOrDefault() is { } error) throw Refuse($"{error.Path}: {error.Message}");
        if (template.Groups.FirstOrDefault(group => !configuration.Groups.Contains(group)) is { } stranger)
            throw Refuse($"The provider's configuration does not name the group {stranger}.");
        return template;
    }

    private static ProviderException Refuse(string words) => new(ProviderFault.Misconfigured, words, ProviderEffect.None);

    // The statement and the look at its result are one transaction: an error in either undoes both.
    private static async Task<long> MakeAsync(
        NpgsqlConnection connection, string statement, string name, SentMark sent, CancellationToken cancellationToken)
    {
        var batch = new NpgsqlBatch(connection);
        await using (batch.ConfigureAwait(false))
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(statement));
            var look = new NpgsqlBatchCommand("SELECT r.oid::int8 FROM pg_catalog.pg_roles r WHERE r.rolname = $1::name");
            look.Parameters.Add(new NpgsqlParameter { Value = name });
            batch.BatchCommands.Add(look);
            sent.Set();
            return (long)(await batch.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        }
    }

    private static string Statement(IssueRequest request, LoginTemplate template, string verifier, DateTimeOffset expiresAt)
    {
        var name = Identifier.Quote(request.ExternalName);
        var deadline = Identifier.Literal(request.Deadline);
        var groups = string.Join(", ", template.Groups.Select(Identifier.Quote));
        var groupNames = string.Join(", ", template.Groups.Select(Identifier.Literal));
        var late = $"IF pg_catalog.clock_timestamp() > {deadline}::timestamptz THEN RAISE EXCEPTION 'the deadline has passed' USING ERRCODE = '{Faults.DeadlinePassed}'; END IF;";
        return string.Create(CultureInfo.InvariantCulture, $"""
            DO $cb$
            BEGIN
              {late}
              IF EXISTS ({GroupRules.Reach(groupNames)} SELECT FROM reach WHERE {GroupRules.IsTooPowerful}) THEN
                RAISE EXCEPTION 'a group is, or reaches, a privileged or predefined role' USING ERRCODE = '{Faults.GroupRefused}';
              END IF;
              CREATE ROLE {name} LOGIN PASSWORD {Identifier.Verifier(verifier)} VALID UNTIL {Identifier.Literal(expiresAt)}
                CONNECTION LIMIT {template.ConnectionLimit} IN ROLE {groups};
              COMMENT ON ROLE {name} IS {Identifier.Literal(request.Mark)};
              {late}
            END $cb$
            """);
    }

    private IssuedCredential Answer(string name, string password, LoginTemplate template, LoginHandle handle, DateTimeOffset expiresAt) => new()
    {
        Fields = new Dictionary<string, CredentialField>
        {
            ["username"] = new(new Secret(name)),
            ["password"] = new(new Secret(password)),
            ["host"] = new(new Secret(configuration.Host)),
            ["port"] = new(new Secret(configuration.Port.ToString(CultureInfo.InvariantCulture))),
            ["database"] = new(new Secret(template.Database ?? configuration.Database)),
        },
        Handle = handle.Seal(),
        ExpiresAt = expiresAt,
    };
}

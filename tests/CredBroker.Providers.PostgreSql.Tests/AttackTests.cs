using CredBroker.Abstractions;
using CredBroker.TestSupport.Postgres;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Tests;

/// <summary>What the holder of a login can try to outlive its end.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class AttackTests
{
    [Test]
    public async Task A_session_that_set_its_role_is_cut_although_dropping_the_login_alone_leaves_it_reading()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var naive = await IssueAsync(target, provider);
        await using var survivor = await target.OpenAsync(naive.Credential);
        await Target.ExecuteAsync(survivor, $"SET ROLE {target.Group}");
        await target.Database.ExecuteAsync($"DROP ROLE {naive.Request.ExternalName}");
        Assert.That(await Target.ReadsAsync(survivor), "this is the attack: the login is gone and its session reads on");
        Assert.That(await target.Database.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usesysid IS NOT NULL AND usename IS NULL"), Is.EqualTo(1));

        var proper = await IssueAsync(target, provider);
        await using var session = await target.OpenAsync(proper.Credential);
        await Target.ExecuteAsync(session, $"SET ROLE {target.Group}");
        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(proper.Request)), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(await Target.ReadsAsync(session), Is.False);

        // Even the first is found afterwards: by the oid in the handle.
        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(naive.Request, naive.Credential.Handle)), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(await Target.ReadsAsync(survivor), Is.False);
    }

    [Test]
    public async Task A_security_definer_function_dies_with_its_login_and_never_becomes_the_brokers()
    {
        await using var target = await Target.CreateAsync();
        await target.Database.ExecuteAsync($"CREATE SCHEMA work; GRANT USAGE, CREATE ON SCHEMA work TO {target.Group}");
        await using var provider = target.Connect();
        var attacker = await IssueAsync(target, provider);
        await using (var session = await target.OpenAsync(attacker.Credential))
        {
            await Target.ExecuteAsync(
                session,
                """
                CREATE FUNCTION work.escalate() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
                $$ BEGIN EXECUTE 'GRANT pg_execute_server_program TO ' || quote_ident(session_user); RETURN current_user; END $$;
                GRANT EXECUTE ON FUNCTION work.escalate() TO PUBLIC;
                CREATE TABLE work.bait (id int8);
                CREATE FUNCTION work.on_bait() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM work.escalate(); RETURN NEW; END $$;
                CREATE TRIGGER bait BEFORE INSERT ON work.bait FOR EACH ROW EXECUTE FUNCTION work.on_bait();
                """);
        }

        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(attacker.Request, attacker.Credential.Handle)), Is.InstanceOf<RevokeOutcome.Gone>());
        var accomplice = await IssueAsync(target, provider);
        await using var second = await target.OpenAsync(accomplice.Credential);
        var call = await Assert.ThrowsAsync<PostgresException>(() => Target.ExecuteAsync(second, "SELECT work.escalate()"));
        Assert.That(call!.SqlState, Is.EqualTo(PostgresErrorCodes.UndefinedFunction));
        Assert.That(await target.Database.ScalarAsync<long>("SELECT count(*) FROM pg_proc WHERE pronamespace = 'work'::regnamespace"), Is.Zero);
        Assert.That(await target.Database.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relnamespace = 'work'::regnamespace"), Is.Zero);
        Assert.That(await target.Database.ScalarAsync<bool>($"SELECT pg_has_role('{accomplice.Request.ExternalName}', 'pg_execute_server_program', 'MEMBER')"), Is.False);
    }

    [Test]
    public async Task Objects_in_another_database_do_not_keep_the_login()
    {
        await using var target = await Target.CreateAsync();
        await using var other = await PostgresServer.CreateDatabaseAsync();
        await other.ExecuteAsync($"CREATE SCHEMA work; GRANT USAGE, CREATE ON SCHEMA work TO {target.Group}");
        await using var provider = target.Connect();
        var login = await IssueAsync(target, provider);
        await using (var session = await target.OpenAsync(login.Credential, other.Name))
        {
            await Target.ExecuteAsync(
                session,
                """
                CREATE TABLE work.things (id int8 PRIMARY KEY, kept text);
                CREATE TYPE work.mood AS ENUM ('calm');
                GRANT SELECT ON work.things TO PUBLIC;
                ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
                SELECT lo_from_bytea(0, 'left behind');
                """);
        }

        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(login.Request)), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(await other.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relnamespace = 'work'::regnamespace"), Is.Zero);
        Assert.That(await other.ScalarAsync<long>("SELECT count(*) FROM pg_largeobject_metadata"), Is.Zero);
    }

    [Test]
    public async Task A_grant_that_an_administrator_made_to_the_login_is_named()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var login = await IssueAsync(target, provider);
        await target.Database.ExecuteAsync($"GRANT SELECT ON public.things TO {login.Request.ExternalName}");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => target.RevokeUntilDeadAsync(provider, Target.Revoking(login.Request)));
        Assert.That(failure!.Fault, Is.EqualTo(ProviderFault.Credential));
        Assert.That(failure.Message, Does.Contain("2BP01").And.Contain("things"));
        Assert.That(await target.IsAcceptedAsync(login.Credential), Is.False, "it is dead all the same");
        await target.Database.ExecuteAsync($"REVOKE SELECT ON public.things FROM {login.Request.ExternalName}");
        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(login.Request)), Is.InstanceOf<RevokeOutcome.Gone>());
    }

    [Test]
    public async Task A_prepared_transaction_does_not_keep_the_login()
    {
        await using var target = await Target.CreateAsync();
        if (await target.Database.ScalarAsync<string>("SHOW max_prepared_transactions") == "0") Assert.Ignore("This server has no prepared transactions.");
        await target.Database.ExecuteAsync($"CREATE SCHEMA work; GRANT USAGE, CREATE ON SCHEMA work TO {target.Group}");
        await using var provider = target.Connect();
        var login = await IssueAsync(target, provider);
        await using (var session = await target.OpenAsync(login.Credential))
            await Target.ExecuteAsync(session, "BEGIN; CREATE TABLE work.held (id int8); PREPARE TRANSACTION 'it''s \\ \" mine'");
        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(login.Request)), Is.InstanceOf<RevokeOutcome.Gone>());
        Assert.That(await target.Database.ScalarAsync<long>("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"), Is.Zero);
    }

    [Test]
    public async Task A_login_that_was_given_to_another_gives_nothing_once_it_is_switched_off()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var first = await IssueAsync(target, provider);
        var second = await IssueAsync(target, provider);
        await target.Database.ExecuteAsync($"GRANT {first.Request.ExternalName} TO {second.Request.ExternalName}; REVOKE {target.Group} FROM {second.Request.ExternalName}");
        await using var session = await target.OpenAsync(second.Credential);
        Assert.That(await Target.ReadsAsync(session), "this is the attack: it reads through the first");
        Assert.That(await provider.RevokeAsync(Target.Revoking(first.Request), CancellationToken.None), Is.InstanceOf<RevokeOutcome.Settling>());
        Assert.That(await Target.ReadsAsync(session), Is.False);
    }

    [Test]
    public async Task A_group_that_reaches_privileges_is_not_given()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        foreach (var (grant, undo) in new[]
        {
            ($"ALTER ROLE {target.Group} CREATEROLE", $"ALTER ROLE {target.Group} NOCREATEROLE"),
            ($"ALTER ROLE {target.Group} BYPASSRLS", $"ALTER ROLE {target.Group} NOBYPASSRLS"),
            ($"GRANT pg_read_server_files TO {target.Group}", $"REVOKE pg_read_server_files FROM {target.Group}"),
        })
        {
            await target.Database.ExecuteAsync(grant);
            var request = target.NewRequest();
            var failure = await Assert.ThrowsAsync<ProviderException>(() => IssueAsync(provider, request));
            Assert.That((failure!.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)), grant);
            await target.Database.ExecuteAsync(undo);
        }

        await IssueAsync(target, provider);
    }

    [Test]
    public async Task A_login_can_do_nothing_but_what_its_group_can()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var login = await IssueAsync(target, provider);
        await using var session = await target.OpenAsync(login.Credential);
        foreach (var sql in new[]
        {
            "CREATE ROLE another", $"COMMENT ON ROLE {login.Request.ExternalName} IS 'forged'", $"SET ROLE {target.Broker.Username}", $"GRANT {target.Group} TO {target.Broker.Username}",
            $"ALTER ROLE {login.Request.ExternalName} VALID UNTIL 'infinity'", "DELETE FROM public.things", "CREATE DATABASE another",
        })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => Target.ExecuteAsync(session, sql), sql);
            Assert.That(refused!.SqlState, Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege), sql);
        }
    }

    [Test]
    public async Task What_depends_on_a_logins_objects_is_kept_and_reported()
    {
        await using var target = await Target.CreateAsync();
        await target.Database.ExecuteAsync($"CREATE SCHEMA work; GRANT USAGE, CREATE ON SCHEMA work TO {target.Group}");
        await using var provider = target.Connect();
        var login = await IssueAsync(target, provider);
        await using var session = await target.OpenAsync(login.Credential);
        await Target.ExecuteAsync(session, "CREATE TABLE work.theirs (id int8)");
        await target.Database.ExecuteAsync("CREATE VIEW public.ours AS SELECT id FROM work.theirs");
        var failure = await Assert.ThrowsAsync<ProviderException>(() => provider.RevokeAsync(Target.Revoking(login.Request), CancellationToken.None));
        Assert.That(failure!.Fault, Is.EqualTo(ProviderFault.Credential));
        Assert.That(failure.Message, Does.Contain("2BP01"));
        Assert.That(await Target.ReadsAsync(session), Is.False, "the credential is dead all the same");
        await target.Database.ExecuteAsync("DROP VIEW public.ours");
        Assert.That(await target.RevokeUntilDeadAsync(provider, Target.Revoking(login.Request)), Is.InstanceOf<RevokeOutcome.Gone>());
    }

    private static async Task<(IssueRequest Request, IssuedCredential Credential)> IssueAsync(Target target, IProvider provider)
    {
        var request = target.NewRequest();
        return (request, await IssueAsync(provider, request));
    }

    private static Task<IssuedCredential> IssueAsync(IProvider provider, IssueRequest request) => provider.IssueAsync(request, NoJournal.Instance, CancellationToken.None);
}

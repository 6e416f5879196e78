using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.Postgres;

namespace CredBroker.Providers.PostgreSql.Tests;

public sealed class PostgreSqlConformance : ProviderConformance
{
    protected override async Task<ProviderUnderTest> CreateAsync() =>
        new Subject(await Target.CreateAsync(), await PostgresServer.CreateDatabaseAsync());

    private sealed class Subject(Target target, PostgresDatabase elsewhere) : ProviderUnderTest
    {
        private readonly MisbehavingProxy _proxy = new(target.Database.Port);
        private readonly OffsetClock _clock = new();

        public override IProviderType Type => target.Type;

        public override ProviderContext Context => target.Context with { Time = _clock };

        public override JsonElement Configuration => target.Configure(port: _proxy.Port);

        public override ProviderAbilities Abilities { get; } = new(Lists: true, Renews: true) { Probes = true };

        public override IReadOnlyList<RoleExample> Roles =>
        [
            RoleExample.Of("login", $$"""{"groups":["{{target.Group}}"]}"""),
            RoleExample.Of("login", $$"""{"groups":["{{target.Group}}"],"connectionLimit":2,"scramIterations":1,"database":"{{target.Database.Name}}"}"""),
        ];

        public override IReadOnlyList<JsonElement> BadConfigurations => BadDocuments.Configurations;

        public override IReadOnlyList<RoleExample> BadRoles =>
        [
            .. BadDocuments.Templates.Select(template => new RoleExample("login", template)),
            RoleExample.Of("login", """{"groups":["a_group_that_the_configuration_does_not_name"]}"""),
            RoleExample.Of("login", """{"groups":["{{group}}"]}"""),
        ];

        public override IReadOnlyList<string> SecretFields => ["password"];

        public override IReadOnlyList<HalfWay> HalfWays =>
        [
            new("switched off", request => Sql($"ALTER ROLE {request.ExternalName} NOLOGIN")),
            new("switched off, and taken over by the broker", request => Sql($"ALTER ROLE {request.ExternalName} NOLOGIN; GRANT {request.ExternalName} TO {target.Broker.Username}")),
            new("without memberships", request => Sql($"ALTER ROLE {request.ExternalName} NOLOGIN; REVOKE {target.Group} FROM {request.ExternalName}")),
            new("dropped, with its sessions alive", request => Sql($"DROP ROLE {request.ExternalName}")),
            new("settling, as the broker left it", async request =>
            {
                await using var provider = Connect();
                Assert.That(await provider.RevokeAsync(Target.Revoking(request), CancellationToken.None), Is.InstanceOf<RevokeOutcome.Settling>());
            }),
        ];

        public override IReadOnlyList<TargetFault> Faults => Enum.GetValues<TargetFault>();

        public override TimeSpan? RetryAfter => TimeSpan.FromSeconds(1);

        public override int CreatingCalls => _proxy.CreatingCalls;

        public override async Task<Misbehaviour> MisbehaveAsync(TargetFault fault, int sparing)
        {
            // A login is made in one call: with that spared, nothing is left that could go wrong.
            if (sparing > 0) return Misbehaviour.WithoutEnd();
            switch (fault)
            {
                case TargetFault.Throttled:
                    await Sql($"ALTER ROLE {target.Broker.Username} CONNECTION LIMIT 0");
                    return new Misbehaviour(async () => await Sql($"ALTER ROLE {target.Broker.Username} CONNECTION LIMIT -1"));
                case TargetFault.Denied:
                    await Sql($"ALTER ROLE {target.Broker.Username} NOCREATEROLE");
                    return new Misbehaviour(async () => await Sql($"ALTER ROLE {target.Broker.Username} CREATEROLE"));
                case TargetFault.ClockBehind:
                    _clock.Offset = Misbehaviour.ClockOffset;
                    return new Misbehaviour(() =>
                    {
                        _clock.Offset = TimeSpan.Zero;
                        return ValueTask.CompletedTask;
                    });
                default:
                    return _proxy.Misbehave(fault);
            }
        }

        public override async Task<bool> LivesAsync(string externalName) => await target.Database.ScalarAsync<bool>(
            $"""
            SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{externalName}' AND rolcanlogin)
                OR EXISTS (SELECT FROM pg_stat_activity WHERE usename = '{externalName}')
            """);

        public override Task<bool> IsAcceptedAsync(IssuedCredential credential) => target.IsAcceptedAsync(credential);

        public override async Task<Func<Task<bool>>?> OpenAsync(IssuedCredential credential)
        {
            var session = await target.OpenAsync(credential);
            return async () =>
            {
                var lives = await Target.ReadsAsync(session);
                await session.DisposeAsync();
                return lives;
            };
        }

        public override Task PassTimeAsync(DateTimeOffset until) => target.PassTimeAsync(until);

        public override Task<IProvider> ConnectElsewhereAsync() => Task.FromResult(target.Connect(target.Configure(elsewhere.Name)));

        public override Task PlantAsync(string externalName) => Sql($"CREATE ROLE {externalName} LOGIN; COMMENT ON ROLE {externalName} IS 'mine'");

        public override async Task<bool> IsPlantedAsync(string externalName) =>
            await target.Database.ScalarAsync<bool>($"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{externalName}'");

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _proxy.DisposeAsync();
            await elsewhere.DisposeAsync();
            await target.DisposeAsync();
        }

        private Task Sql(string sql) => target.Database.ExecuteAsync(sql);
    }

    // A server's clock cannot be put back, but the broker's can be put forward.
    private sealed class OffsetClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests;

public sealed class VaultConformance : ProviderConformance
{
    protected override async Task<ProviderUnderTest> CreateAsync() => new Subject(await Target.CreateAsync(), await Target.CreateAsync());

    private sealed class Subject(Target target, Target elsewhere) : ProviderUnderTest
    {
        private const int WaitSeconds = 7;

        public override IProviderType Type => target.Type;

        public override ProviderContext Context => target.Context;

        public override JsonElement Configuration => target.Configuration;

        public override ProviderAbilities Abilities { get; } = new(Lists: true, Renews: true);

        public override IReadOnlyList<RoleExample> Roles =>
        [
            RoleExample.Of("scoped-token", Target.ScopedToken, twoSteps: true),
            RoleExample.Of("scoped-token", """{"policies":["app"],"tokenRole":"broker","wrapFor":"2m"}""", twoSteps: true),
            RoleExample.Of("dynamic-secret", Target.DynamicSecret, twoSteps: true),
            RoleExample.Of("dynamic-secret", Target.LeasedCertificate, twoSteps: true),
            RoleExample.Of("dynamic-secret", Target.UnleasedCertificate, twoSteps: true),
            RoleExample.Of("kv-read", Target.StoredValue, twoSteps: true) with { Renewable = false },
        ];

        public override IReadOnlyList<JsonElement> BadConfigurations => BadDocuments.Configurations;

        public override IReadOnlyList<RoleExample> BadRoles =>
        [
            .. BadDocuments.Templates.Select(bad => new RoleExample(bad.Kind, bad.Template)),
            RoleExample.Of("scoped-token", """{"policies":["a-policy-that-the-token-role-does-not-allow"]}"""),
            RoleExample.Of("scoped-token", """{"policies":["app"],"tokenRole":"not-in-the-configuration"}"""),
            RoleExample.Of("scoped-token", """{"policies":["{{policy}}"]}"""),
            RoleExample.Of("dynamic-secret", """{"path":"database/creds/{{role}}","policies":["app"]}"""),
            RoleExample.Of("dynamic-secret", """{"path":"database/creds/nope","policies":["app"]}"""),
            RoleExample.Of("dynamic-secret", """{"path":"database/creds/forbidden","policies":["app"]}"""),
            RoleExample.Of("dynamic-secret", """{"path":"pki/issue/unleased","policies":["app"],"method":"write","parameters":{"common_name":"a.example.org"},"fields":["certificate"]}"""),
            RoleExample.Of("kv-read", """{"mount":"kv","path":"app/none","policies":["app"]}"""),
            RoleExample.Of("kv-read", """{"mount":"kv","path":"app/api","policies":["app"],"fields":["no-such-key"]}"""),
            RoleExample.Of("kv-read", """{"mount":"kv","path":"app/api","policies":["app"],"version":99}"""),
        ];

        public override IReadOnlyList<string> SecretFields => ["token", "password", "private_key", "value"];

        public override IReadOnlyList<HalfWay> HalfWays =>
        [
            new("the token revoked", request => Do(() => target.Bao.Admin("POST", "auth/token/revoke-accessor", new JsonObject { ["accessor"] = target.AccessorOf(request.ExternalName) }))),
            new("the lease revoked, the token alive", request => Do(() => target.RevokeLeases(sync: true))) { Role = Roles[2] },
            new("the lease queued, the token alive", request => Do(() => target.RevokeLeases(sync: false))) { Role = Roles[2] },
            new("the token revoked, its lease queued", request => Do(() => target.Bao.Admin("POST", "auth/token/revoke-accessor", new JsonObject { ["accessor"] = target.AccessorOf(request.ExternalName) }))) { Role = Roles[2] },
        ];

        public override IReadOnlyList<TargetFault> Faults => Enum.GetValues<TargetFault>();

        public override TimeSpan? RetryAfter => TimeSpan.FromSeconds(WaitSeconds);

        public override int CreatingCalls => target.Host.Log.All.Count(Target.Creates);

        public override Task<Misbehaviour> MisbehaveAsync(TargetFault fault, int sparing)
        {
            if (fault == TargetFault.ClockBehind)
            {
                target.Clock.Offset = -Misbehaviour.ClockOffset;
                return Task.FromResult(new Misbehaviour(() =>
                {
                    target.Clock.Offset = TimeSpan.Zero;
                    return ValueTask.CompletedTask;
                }));
            }

            var misbehaviour = new Misbehaviour(() =>
            {
                target.Host.Faults.Clear();
                return ValueTask.CompletedTask;
            });
            var (left, met) = (sparing, false);
            bool Meets(StandInRequest request)
            {
                met = met || (Target.Creates(request) && left-- == 0);
                var meets = fault switch
                {
                    TargetFault.AnswerLost or TargetFault.Slow => (met || sparing == 0) && Target.Changes(request) && (met || !Target.Creates(request)),
                    TargetFault.Hanging => met = met || (sparing == 0 && Target.Changes(request)),
                    _ => met || (sparing == 0 && Target.Changes(request)),
                };
                if (meets) misbehaviour.Meet();
                return meets;
            }

            target.Host.Faults.Always(
                fault switch
                {
                    TargetFault.Throttled => new StandInFault.Answers(Answers.Error(429, "request path: rate limit quota exceeded").With("Retry-After", $"{WaitSeconds}")),
                    TargetFault.Denied => new StandInFault.Answers(Answers.Error(403, Answers.Denied)),
                    TargetFault.AnswerLost => new StandInFault.LosesAnswer(),
                    TargetFault.Hanging => new StandInFault.ActsAndHangs(),
                    _ => new StandInFault.AnswersLate(TimeSpan.FromMilliseconds(500), TimeProvider.System),
                },
                Meets);
            return Task.FromResult(misbehaviour);
        }

        public override Task<bool> LivesAsync(string externalName) => Task.FromResult(target.Lives(externalName));

        public override Task<bool> IsAcceptedAsync(IssuedCredential credential) => Task.FromResult(target.Accepts(credential));

        public override Task PassTimeAsync(DateTimeOffset until)
        {
            target.Clock.PassUntil(until);
            return Task.CompletedTask;
        }

        public override Task<IProvider> ConnectElsewhereAsync() => Task.FromResult(elsewhere.Connect());

        public override Task PlantAsync(string externalName) => Do(() => target.Bao.Admin("POST", "auth/token/create", new JsonObject { ["policies"] = new JsonArray("app"), ["display_name"] = externalName, ["ttl"] = "1h" }));

        public override Task<bool> IsPlantedAsync(string externalName) => Task.FromResult(target.Lives(externalName));

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await elsewhere.DisposeAsync();
            await target.DisposeAsync();
        }

        private static Task Do(Action act)
        {
            act();
            return Task.CompletedTask;
        }
    }
}

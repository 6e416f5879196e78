using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests;

public sealed class AzureConformance : ProviderConformance
{
    protected override async Task<ProviderUnderTest> CreateAsync() => new Subject(await Target.CreateAsync(Slow()), await Target.CreateAsync(Slow()));

    // The suite's leases live for ten minutes, and no token must live longer; it makes five requests at once, whose deadlines are in thirty seconds.
    private static Timing Slow() => new()
    {
        AssertionTokenLife = TimeSpan.FromMinutes(5),
        ApplicationSpreads = TimeSpan.FromSeconds(1),
        PrincipalSpreads = TimeSpan.FromSeconds(1),
        FederatedCredentialSpreads = TimeSpan.FromSeconds(1),
    };

    private sealed class Subject(Target target, Target elsewhere) : ProviderUnderTest
    {
        private readonly HashSet<string> _met = [];

        public override IProviderType Type => target.Type;

        public override ProviderContext Context => target.Context;

        public override JsonElement Configuration => target.Configuration;

        public override ProviderAbilities Abilities { get; } = new(Lists: true, Renews: false);

        public override IReadOnlyList<RoleExample> Roles =>
        [
            Of("app-password"),
            Of("app-federated"),
            Of("shared-app-password"),
            Of("role-assignment") with { HasSecret = false, NamesAreExclusive = false },
            Of("keyvault-secret-write"),
            Of("keyvault-secret-read") with { NamesAreExclusive = false, Listed = false },
        ];

        public override IReadOnlyList<JsonElement> BadConfigurations => BadDocuments.Configurations;

        public override IReadOnlyList<RoleExample> BadRoles => BadDocuments.Roles;

        public override IReadOnlyList<string> SecretFields => ["client_secret", "access_token", "value"];

        public override IReadOnlyList<HalfWay> HalfWays =>
        [
            new("without its assignments", request => ByHand(tenant => tenant.Assignments.RemoveAll(assignment => assignment.Description == request.Mark))),
            new("without its password", request => ByHand(tenant => App(tenant, request).Passwords.RemoveAll(_ => true))),
            new("without its principal", request => ByHand(tenant => tenant.Principals.Remove(tenant.PrincipalOf(App(tenant, request).AppId)!.Id))),
            new("deleted, and restorable", request => ByHand(tenant => tenant.Applications.Remove(App(tenant, request).Id, out var application) && tenant.Deleted.TryAdd(application.Id, application))),
            new("deleted for good, with its assignments left", request => ByHand(tenant => tenant.Applications.Remove(App(tenant, request).Id))),
            new("settling, as the broker left it", SettleAsync),
            new("without its password, which somebody removed", request => ByHand(tenant => tenant.Applications[target.SharedApplication].Passwords.RemoveAll(password => password.DisplayName == request.Mark))) { Role = Of("shared-app-password") },
            new("settling, as the broker left it", SettleAsync) { Role = Of("shared-app-password") },
            new("deleted by hand", request => ByHand(tenant => tenant.Assignments.RemoveAll(assignment => assignment.Description == request.Mark))) { Role = Of("role-assignment") },
            new("deleted for good, with its assignments left", request => ByHand(tenant => tenant.Applications.Remove(App(tenant, request).Id))) { Role = Of("app-federated") },
            new("disabled by hand", request => VaultAsync("PATCH", $"{request.ExternalName}/{VersionOf(request)}", """{"attributes":{"enabled":false}}""")) { Role = Of("keyvault-secret-write") },
            new("deleted by hand", request => VaultAsync("DELETE", request.ExternalName, null)) { Role = Of("keyvault-secret-write") },
        ];

        public override IReadOnlyList<TargetFault> Faults => Enum.GetValues<TargetFault>();

        public override TimeSpan? RetryAfter => TimeSpan.FromSeconds(7);

        /// <summary>
        /// A refusal that may only mean "not yet known here" makes nothing, and is followed by the same call: such calls count once, with the one that goes through,
        /// or with the last refusal.
        /// </summary>
        public override int CreatingCalls => target.Host.Log.All.Count(AzureStandIn.Creates) - target.Azure.RefusedByLag - Repeated;

        private int Repeated { get; set; }

        public override Task<bool> IsAcceptedAsync(IssuedCredential credential) => target.IsAcceptedAsync(credential);

        public override Task<bool> LivesAsync(string externalName) => Task.FromResult(target.Azure.LeftOf(externalName).Count > 0);

        public override Task PassTimeAsync(DateTimeOffset until)
        {
            target.Clock.AdvanceTargetTo(until);
            return Task.CompletedTask;
        }

        public override Task<IProvider> ConnectElsewhereAsync() => Task.FromResult(elsewhere.Connect());

        public override Task PlantAsync(string externalName) => PlantAsync(Roles[0], externalName);

        public override Task PlantAsync(RoleExample role, string externalName) => ByHand(tenant =>
        {
            switch (role.Kind)
            {
                case "shared-app-password":
                    tenant.Applications[target.SharedApplication].Passwords.Add(new PasswordObject(Tenant.NewId(), externalName, "planted", DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, DateTimeOffset.UnixEpoch));
                    break;
                case "keyvault-secret-write":
                    target.Azure.Vault.Plant(externalName, "planted");
                    break;
                default:
                    var application = new AppObject { DisplayName = externalName, UniqueName = externalName, Notes = "mine", Created = DateTimeOffset.UnixEpoch };
                    tenant.Applications[application.Id] = application;
                    break;
            }

            return true;
        });

        public override Task<bool> IsPlantedAsync(string externalName) => Task.FromResult(target.Azure.LeftOf(externalName).Count == 1);

        public override Task<bool> EmptyGroupAsync(string group) => Task.FromResult(false);

        public override Task<IReadOnlyCollection<string>?> DeniedInGroupAsync(string group) => Task.FromResult<IReadOnlyCollection<string>?>(null);

        public override Task<Misbehaviour> MisbehaveAsync(TargetFault fault, int sparing)
        {
            if (fault == TargetFault.ClockBehind)
            {
                target.Clock.TargetIsBehind = Misbehaviour.ClockOffset;
                return Task.FromResult(new Misbehaviour(() =>
                {
                    target.Clock.TargetIsBehind = TimeSpan.Zero;
                    return ValueTask.CompletedTask;
                }));
            }

            _met.Clear();
            var spared = 0;
            var tripped = false;
            Misbehaviour misbehaviour = null!;
            foreach (var (answer, isFor) in AnswersOf(fault))
                target.Host.Faults.Always(answer, request => isFor(request) && Strikes(request));
            misbehaviour = new Misbehaviour(() =>
            {
                target.Host.Faults.Clear();
                return ValueTask.CompletedTask;
            });
            return Task.FromResult(misbehaviour);

            bool Strikes(StandInRequest request)
            {
                if (IsLogIn(request)) return false;
                if (fault == TargetFault.Slow) return Meet(request);
                if (AzureStandIn.Creates(request))
                {
                    // A spared call that is refused because something has not spread is followed by the same call.
                    if (!tripped && target.Azure.WouldLag(request)) return false;
                    if (!tripped && spared++ < sparing) return false;
                    tripped = true;
                    return Meet(request);
                }

                if (!Changes(request)) return tripped && fault is TargetFault.Hanging && Meet(request);
                tripped = true;
                return Meet(request);
            }

            bool Meet(StandInRequest request)
            {
                misbehaviour.Meet();
                if (!_met.Add(Line(request)) && fault == TargetFault.Denied && AzureStandIn.Creates(request)) Repeated++;
                return true;
            }
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await elsewhere.DisposeAsync();
            await target.DisposeAsync();
        }

        private static string Line(StandInRequest request) => $"{request.Method} {request.Path}";

        private static bool IsLogIn(StandInRequest request) => request.Path.EndsWith("/token", StringComparison.Ordinal) || request.Header("Authorization") is null;

        private static bool Changes(StandInRequest request) => request.Method != "GET" && !IsLogIn(request);

        private static IEnumerable<(StandInFault Answer, Func<StandInRequest, bool> IsFor)> AnswersOf(TargetFault fault)
        {
            switch (fault)
            {
                case TargetFault.Throttled:
                    yield return (StandInFault.Answers.Throttle(7), _ => true);
                    break;
                case TargetFault.AnswerLost:
                    yield return (new StandInFault.LosesAnswer(), _ => true);
                    break;
                case TargetFault.Hanging:
                    yield return (new StandInFault.ActsAndHangs(), _ => true);
                    break;
                case TargetFault.Slow:
                    yield return (new StandInFault.AnswersLate(TimeSpan.FromMilliseconds(500)), _ => true);
                    break;
                default:
                    yield return (Deny("Authorization_RequestDenied"), request => request.Path.StartsWith("/v1.0/", StringComparison.Ordinal));
                    yield return (Deny("AuthorizationFailed"), request => request.Path.StartsWith("/subscriptions/", StringComparison.Ordinal));
                    yield return (Deny("Forbidden"), request => request.Path.StartsWith("/secrets", StringComparison.Ordinal) || request.Path.StartsWith("/deletedsecrets", StringComparison.Ordinal));
                    break;
            }
        }

        private static StandInFault.Answers Deny(string code) => new(StandInAnswer.Json(403, AzureStandIn.Error(code, "You may not."), AzureStandIn.Json));

        private RoleExample Of(string kind) => RoleExample.Of(kind, target.Template(kind), twoSteps: true);

        private Task ByHand<T>(Func<Tenant, T> act)
        {
            target.Azure.ByHand(act);
            return Task.CompletedTask;
        }

        private static AppObject App(Tenant tenant, IssueRequest request) => tenant.Applications.Values.Single(application => application.UniqueName == request.ExternalName);

        private async Task SettleAsync(IssueRequest request)
        {
            await using var provider = Connect();
            Assert.That(await provider.RevokeAsync(Target.Revoking(request, null), CancellationToken.None), Is.InstanceOf<RevokeOutcome.Settling>());
        }

        private string VersionOf(IssueRequest request) => target.Azure.LeftOf(request.ExternalName).Single()["secret ".Length..];

        private async Task VaultAsync(string method, string path, string? body)
        {
            using var answer = await target.SendAsync(new HttpMethod(method), $"{target.Vault}/secrets/{path}?api-version=7.4", target.Azure.TokenOf(target.Azure.BrokerPrincipal.Id, "https://vault.azure.net"), body);
            Assert.That(answer.IsSuccessStatusCode);
        }
    }
}

using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Testing.Conformance;
using CredBroker.Testing.Scripted;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Testing;

/// <summary>The scripted provider, on which the engine's tests stand, keeps to what every provider must do.</summary>
public sealed class ScriptedProviderConformance : ProviderConformance
{
    protected override Task<ProviderUnderTest> CreateAsync() => Task.FromResult<ProviderUnderTest>(new Subject(lists: true, renews: true, groups: true, TimeSpan.FromSeconds(5)));

    internal sealed class Subject : ProviderUnderTest
    {
        private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        private readonly ScriptedProviderType _type;
        private readonly ScriptedTarget _target;

        private readonly bool _groups;

        public Subject(bool lists, bool renews, bool groups, TimeSpan settles)
        {
            _groups = groups;
            _type = new ScriptedProviderType(_time);
            _target = _type.Target("main");
            _target.SettlesWithin = settles;
            Context = TestContexts.Create(_time);
            Configuration = ScriptedProviderType.Configure("main", lists, renews, groups);
            Abilities = new ProviderAbilities(lists, renews) { Probes = lists };
        }

        public override IProviderType Type => _type;

        public override ProviderContext Context { get; }

        public override JsonElement Configuration { get; }

        public override ProviderAbilities Abilities { get; }

        public override IReadOnlyList<RoleExample> Roles =>
        [
            new("scripted", ScriptedRoleKind.Template(new() { Scope = "read" })),
            new("scripted", ScriptedRoleKind.Template(new() { TwoSteps = true })) { TwoSteps = true },
            new("scripted", ScriptedRoleKind.Template(new() { Revocability = RevocabilityKind.Deletes })),
            new("scripted", ScriptedRoleKind.Template(new() { Revocability = RevocabilityKind.ExpiresOnly })),
            .. _groups ? [new RoleExample("scripted", ScriptedRoleKind.Template(new() { Group = "shared", Revocability = RevocabilityKind.DeniesWithin }))] : Array.Empty<RoleExample>(),
        ];

        public override IReadOnlyList<JsonElement> BadConfigurations => [JsonElement.Parse("{}"), JsonElement.Parse("""{"target":"no such/name"}""")];

        public override IReadOnlyList<RoleExample> BadRoles => [RoleExample.Of("scripted", """{"scope":"a b"}"""), RoleExample.Of("scripted", """{"revocability":"sometimes"}""")];

        public override IReadOnlyList<string> SecretFields => ["password"];

        public override IReadOnlyList<HalfWay> HalfWays =>
        [
            new("disabled", async request =>
            {
                _target.Calls.Next(ScriptedOperation.Revoke, ScriptedStep.StopsHalfWay());
                await using var provider = Connect();
                await ConformanceProbe.RevokeAndFailAsync(provider, request);
            }),
            new("the answer was lost", async request =>
            {
                _target.Calls.Next(ScriptedOperation.Revoke, ScriptedStep.LosesTheAnswer());
                await using var provider = Connect();
                await ConformanceProbe.RevokeAndFailAsync(provider, request);
            }),
        ];

        public override IReadOnlyList<TargetFault> Faults => Enum.GetValues<TargetFault>();

        public override TimeSpan? RetryAfter => TimeSpan.FromSeconds(7);

        public override int CreatingCalls => _target.Calls.Count(ScriptedOperation.Issue);

        public override Task<Misbehaviour> MisbehaveAsync(TargetFault fault, int sparing) => Task.FromResult(new ScriptedMisbehaviour(_target).Begin(fault, sparing));

        public override Task<bool> LivesAsync(string externalName) => Task.FromResult(_target.Credentials.Any(
            found => found.Name == externalName && found.DisabledAt is null && found.ExpiresAt > _target.Now && !_target.IsDenied(found)));

        public override Task<bool> EmptyGroupAsync(string group)
        {
            _target.Documents.Empty(group);
            return Task.FromResult(true);
        }

        public override Task<IReadOnlyCollection<string>?> DeniedInGroupAsync(string group) =>
            Task.FromResult<IReadOnlyCollection<string>?>(_target.Documents.NamesIn(group));

        public override Task<bool> IsAcceptedAsync(IssuedCredential credential) => Task.FromResult(Open(credential) is not null);

        public override Task<Func<Task<bool>>?> OpenAsync(IssuedCredential credential)
        {
            var session = Open(credential);
            return Task.FromResult<Func<Task<bool>>?>(() => Task.FromResult(session is { Cut: false }));
        }

        public override Task PassTimeAsync(DateTimeOffset until)
        {
            if (until > _target.Now) _time.Advance(until - _target.Now);
            return Task.CompletedTask;
        }

        public override Task<IProvider> ConnectElsewhereAsync() => Task.FromResult(_type.Create(Context, ScriptedProviderType.Configure("other", Abilities.Lists, Abilities.Renews, _groups)));

        public override Task PlantAsync(string externalName)
        {
            _target.Plant(externalName, "somebody", _time.GetUtcNow().AddHours(1));
            return Task.CompletedTask;
        }

        public override Task<bool> IsPlantedAsync(string externalName) => Task.FromResult(_target.Credentials.Any(found => found.Name == externalName && found.DisabledAt is null));

        private ScriptedSession? Open(IssuedCredential credential) =>
            _target.Open(credential.Fields["username"].Value.Reveal(), credential.Fields["password"].Value);
    }
}

/// <summary>The same without the abilities that not every target has.</summary>
public sealed class BareScriptedProviderConformance : ProviderConformance
{
    protected override Task<ProviderUnderTest> CreateAsync() =>
        Task.FromResult<ProviderUnderTest>(new ScriptedProviderConformance.Subject(lists: false, renews: false, groups: false, TimeSpan.Zero));
}

/// <summary>The same with all abilities but that of revoking in groups.</summary>
public sealed class UngroupedScriptedProviderConformance : ProviderConformance
{
    protected override Task<ProviderUnderTest> CreateAsync() =>
        Task.FromResult<ProviderUnderTest>(new ScriptedProviderConformance.Subject(lists: true, renews: true, groups: false, TimeSpan.FromSeconds(1)));
}

internal static class ConformanceProbe
{
    public static async Task RevokeAndFailAsync(IProvider provider, IssueRequest request)
    {
        var revoking = new RevokeRequest
        {
            LeaseId = request.LeaseId,
            ExternalName = request.ExternalName,
            RoleKind = request.RoleKind,
            Mark = request.Mark,
            PossibleDeathAt = request.ExpiresAt,
        };
        await Assert.ThatAsync(() => provider.RevokeAsync(revoking, CancellationToken.None), Throws.InstanceOf<ProviderException>());
    }
}

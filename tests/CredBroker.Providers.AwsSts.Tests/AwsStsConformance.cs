using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.LeaseRoles;
using CredBroker.Providers.AwsSts.Sessions;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests;

public sealed class AwsStsConformance : ProviderConformance
{
    private static readonly string[] Creating = ["AssumeRole", "CreateRole", "PutRolePolicy", "AttachRolePolicy"];
    private static readonly string[] Removing = ["DeleteRole", "DeleteRolePolicy", "DetachRolePolicy"];

    protected override async Task<ProviderUnderTest> CreateAsync() => new Subject(await Target.CreateAsync(), await Target.CreateAsync("210987654321"));

    private static string ActionOf(StandInRequest request) => request.Method == "POST" && request.Path == "/" ? request.Form().GetValueOrDefault("Action", "") : "";

    private sealed class Subject(Target target, Target elsewhere) : ProviderUnderTest
    {
        private readonly ManualResetEventSlim _never = new();

        public override IProviderType Type => target.Type;

        public override ProviderContext Context => target.Context;

        public override JsonElement Configuration => target.Configuration;

        public override ProviderAbilities Abilities { get; } = new(Lists: true, Renews: false);

        public override IReadOnlyList<RoleExample> Roles =>
        [
            RoleExample.Of(LeaseRoleKind.KindName, Target.LeaseRoleTemplate(), twoSteps: true),
            Session,
            RoleExample.Of(LeaseRoleKind.KindName, """{"policyArns":["arn:aws:iam::aws:policy/ReadOnlyAccess"],"settle":"30s","taskTag":false,"workloadTag":false}""", twoSteps: true),
        ];

        public override IReadOnlyList<JsonElement> BadConfigurations => BadDocuments.Configurations;

        public override IReadOnlyList<RoleExample> BadRoles =>
        [
            .. BadDocuments.SessionTemplates.Select(template => new RoleExample(AssumeRoleKind.KindName, template)),
            .. BadDocuments.LeaseRoleTemplates.Select(template => new RoleExample(LeaseRoleKind.KindName, template)),
            RoleExample.Of(AssumeRoleKind.KindName, $$"""{"roleArn":"{{target.ArnOf("a-role-that-the-configuration-does-not-name")}}"}"""),
            RoleExample.Of(AssumeRoleKind.KindName, $$"""{"roleArn":"{{target.BrokerArn}}"}"""),
        ];

        public override IReadOnlyList<string> SecretFields => ["secret_access_key", "session_token"];

        public override IReadOnlyList<HalfWay> HalfWays =>
        [
            new("denied, as the broker left it", request => RevokeOnceAsync(request)),
            new("denied and stripped of its rights", request => Admin(request.ExternalName, role => role.Inline.Remove("credbroker-lease"))),
            new("deleted by an administrator", request => Admin(request.ExternalName, Delete)),
            new("denied, and with a policy too many", async request =>
            {
                await RevokeOnceAsync(request);
                await Admin(request.ExternalName, role => role.Attached.Add("arn:aws:iam::aws:policy/ReadOnlyAccess"));
            }),
            new("denied by name, as the broker left it", request => RevokeOnceAsync(request)) { Role = Session },
            new("denied by name, and the document emptied", async request =>
            {
                await RevokeOnceAsync(request);
                await EmptyGroupAsync(target.ReaderArn);
            }) { Role = Session },
            new("the document replaced by somebody else's", request => Admin(Target.Reader, role => role.Inline[Names.DenyPolicy] = Target.ReadReports)) { Role = Session },
            new("older sessions revoked in the console", request => Admin(Target.Reader, role => role.Inline["AWSRevokeOlderSessions"] =
                SetUpTexts.ConsoleRevocation(target.Aws.Now))) { Role = Session },
        ];

        public override IReadOnlyList<TargetFault> Faults => Enum.GetValues<TargetFault>();

        public override int CreatingCalls => target.Host.Log.All.Count(request => Creating.Contains(ActionOf(request)));

        private RoleExample Session => RoleExample.Of(AssumeRoleKind.KindName, target.SessionTemplate()) with { NamesAreExclusive = false, Listed = false };

        public override Task<bool> IsAcceptedAsync(IssuedCredential credential) => target.IsAcceptedAsync(credential);

        public override Task PassTimeAsync(DateTimeOffset until)
        {
            target.PassTime(until);
            return Task.CompletedTask;
        }

        public override Task<IProvider> ConnectElsewhereAsync()
        {
            // Its own clock, but the same time: what passes here passes there.
            elsewhere.PassTime(target.AwsClock.GetUtcNow());
            return Task.FromResult(elsewhere.Connect());
        }

        public override Task PlantAsync(string externalName)
        {
            target.Aws.AddRole(externalName, SetUpTexts.Trust(target.BrokerArn, "test01"), Target.ReadReports, "/credbroker/").Description = "mine";
            return Task.CompletedTask;
        }

        public override Task<bool> IsPlantedAsync(string externalName) => Task.FromResult(target.Aws.FindRole(externalName) is { Description: "mine", Inline.Count: 1 });

        public override Task<bool> LivesAsync(string externalName) => Task.FromResult(target.Aws.Sessions.Any(session => session.SourceIdentity == externalName && target.Aws.Reads(session)));

        public override async Task<bool> EmptyGroupAsync(string group)
        {
            await Admin(Target.Reader, role => role.Inline.Remove(Names.DenyPolicy));
            return true;
        }

        public override Task<IReadOnlyCollection<string>?> DeniedInGroupAsync(string group)
        {
            var text = target.Aws.FindRole(Target.Reader)!.Inline.GetValueOrDefault(Names.DenyPolicy);
            return Task.FromResult<IReadOnlyCollection<string>?>(text is null ? [] : [.. DenyDocument.Read(text)!.Denied]);
        }

        public override Task<Misbehaviour> MisbehaveAsync(TargetFault fault, int sparing)
        {
            if (fault == TargetFault.ClockBehind)
            {
                target.AwsClock.Offset = -Misbehaviour.ClockOffset;
                return Task.FromResult(new Misbehaviour(() =>
                {
                    target.AwsClock.Offset = TimeSpan.Zero;
                    return ValueTask.CompletedTask;
                }));
            }

            var misbehaviour = new Misbehaviour(() =>
            {
                target.Host.Faults.Clear();
                return ValueTask.CompletedTask;
            });
            var seen = 0;
            var begun = false;
            bool Meets(StandInRequest request)
            {
                var action = ActionOf(request);
                if (Creating.Contains(action) && seen++ >= sparing) begun = true;
                if (Removing.Contains(action) && seen >= sparing) begun = true;
                var meets = fault == TargetFault.Hanging ? begun : begun && (Creating.Contains(action) || Removing.Contains(action));
                if (meets) misbehaviour.Meet();
                if (meets && fault == TargetFault.Slow) _never.Wait(TimeSpan.FromSeconds(0.5));
                return meets && fault != TargetFault.Slow;
            }

            target.Host.Faults.Always(
                fault switch
                {
                    TargetFault.Throttled => new StandInFault.Answers(AwsErrors.Answer(400, "Throttling", "Rate exceeded")),
                    TargetFault.Denied => new StandInFault.Answers(AwsErrors.Answer(403, "AccessDenied", "User: x is not authorized to perform: y on resource: z because no identity-based policy allows the y action")),
                    TargetFault.Hanging => new StandInFault.ActsAndHangs(),
                    _ => new StandInFault.LosesAnswer(),
                },
                Meets);
            return Task.FromResult(misbehaviour);
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _never.Dispose();
            await target.DisposeAsync();
            await elsewhere.DisposeAsync();
        }

        private async Task RevokeOnceAsync(IssueRequest request)
        {
            await using var provider = Connect();
            Assert.That(await provider.RevokeAsync(target.Revoking(request), CancellationToken.None), Is.InstanceOf<RevokeOutcome.Settling>());
        }

        private Task Admin(string role, Action<AwsRole> change)
        {
            target.Aws.Change(role, change);
            return Task.CompletedTask;
        }

        private static void Delete(AwsRole role)
        {
            role.Inline.Clear();
            role.Attached.Clear();
            role.Deleted = true;
        }
    }
}

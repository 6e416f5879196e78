using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Benchmarks.Providers;

/// <summary>The role kinds of the AWS provider; what shares a document is revoked with the document at its full size, 258 names.</summary>
internal static class AwsScenarios
{
    private const string Broker = "arn:aws:iam::123456789012:role/credbroker";
    private const string Reader = "arn:aws:iam::123456789012:role/app-reader";

    public static IEnumerable<ProviderScenario> All =>
    [
        new("aws-sts assume-role, 258 names denied", () => AwsTarget.StartAsync("assume-role", $$"""{"roleArn":"{{Reader}}"}""")),
        new("aws-sts role-per-lease", () => AwsTarget.StartAsync("role-per-lease", """{"policyArns":["arn:aws:iam::aws:policy/ReadOnlyAccess"]}""")),
    ];

    private sealed class AwsTarget(StandInHost host, IProvider provider, TestIdentity identity, string kind, string template) : MeasuredTarget
    {
        public override IProvider Provider { get; } = new FullDocument(provider);

        public override string RoleKind => kind;

        public override string Template => template;

        public override int RoundTrips => host.Log.Count;

        public static async Task<MeasuredTarget> StartAsync(string kind, string template)
        {
            var aws = new AwsStandIn(TimeProvider.System) { MostRoles = int.MaxValue };
            var host = await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System }, aws.Answer);
            var context = TestContexts.Create(TimeProvider.System, egress: host.Egress);
            var identity = (TestIdentity)context.Identity;
            var issuer = new Uri(identity.Issuer);
            aws.Issuers[identity.Issuer] = (identity.KeySet, [identity.Audience]);
            aws.AddRole(
                "credbroker",
                $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/{{issuer.Host}}{{issuer.AbsolutePath}}"},"Action":"sts:AssumeRoleWithWebIdentity"}]}""",
                aws.ManagedPolicies["arn:aws:iam::aws:policy/AdministratorAccess"]);
            aws.AddRole("app-reader", $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"{{Broker}}"},"Action":["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession"]}]}""", null);
            var endpoint = host.Address.GetLeftPart(UriPartial.Authority);
            var configuration = new JsonObject
            {
                ["region"] = "eu-central-1",
                ["account"] = "123456789012",
                ["credentials"] = new JsonObject { ["webIdentity"] = new JsonObject { ["roleArn"] = Broker } },
                ["roles"] = new JsonArray(new JsonObject { ["arn"] = Reader }),
                ["leaseRoles"] = new JsonObject(),
                ["stsEndpoint"] = endpoint,
                ["iamEndpoint"] = endpoint,
            }.Deserialize<JsonElement>();
            return new AwsTarget(host, new AwsStsProviderType().Create(context, configuration), identity, kind, template);
        }

        public override async ValueTask DisposeAsync()
        {
            await Provider.DisposeAsync();
            identity.Dispose();
            await host.DisposeAsync();
        }
    }

    /// <summary>Revokes as the broker does: in the group, with everything else that must stay denied.</summary>
    private sealed class FullDocument(IProvider provider) : IProvider
    {
        private readonly List<DeniedCredential> _denied =
            [.. Enumerable.Range(0, 257).Select(_ => new DeniedCredential($"cb-test01-{Uid.New(TimeProvider.System)}", TimeProvider.System.GetUtcNow().AddHours(1)))];

        public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken) => provider.IssueAsync(request, journal, cancellationToken);

        public async Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
        {
            if (request.RoleKind != "assume-role") return await provider.RevokeAsync(request, cancellationToken);
            var outcome = await ((IGroupRevokingProvider)provider).RevokeGroupAsync(new GroupRevokeRequest { Group = Reader, Due = [request], StillDenied = _denied }, cancellationToken);
            return outcome.Outcomes[request.LeaseId];
        }

        public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => provider.CheckAsync(cancellationToken);

        public ValueTask DisposeAsync() => provider.DisposeAsync();
    }
}

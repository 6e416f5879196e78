using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Providers.AwsSts.Tests.EndToEnd;

/// <summary>The real server as a process, in front of an account at which it logs in by its own signature, with a role of each kind.</summary>
internal sealed class AwsBroker : IAsyncDisposable
{
    public const string Provider = "aws-prod";
    private const string Account = "123456789012";
    private BrokerProcess? _restarted;

    private AwsBroker(AwsStandIn aws, StandInHost host) => (Aws, Host) = (aws, host);

    public AwsStandIn Aws { get; }

    public StandInHost Host { get; }

    public Installation Installation { get; private set; } = null!;

    public Workplace Place { get; } = new();

    public Uri Object => new(Host.Address, $"/{S3.Bucket}/{S3.Object}");

    public static string RoleName(string role) => $"providers/{Provider}/roles/{role}";

    public static async Task<AwsBroker> StartAsync()
    {
        var aws = new AwsStandIn(TimeProvider.System) { Propagation = TimeSpan.FromSeconds(3) };
        var broker = new AwsBroker(aws, await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System }, aws.Answer));
        try
        {
            broker.Installation = await Installation.StartAsync(
                broker.Place, "limits: {issueDeadline: 15s, attemptTimeout: 5s, claimFor: 6s}", new Narrator(TextWriter.Null), CancellationToken.None);
            await broker.RegisterAsync();
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills the server at once (SIGKILL).</summary>
    public async Task KillAsync()
    {
        using var process = System.Diagnostics.Process.GetProcessById(Installation.BrokerProcessId);
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async Task RestartAsync() => _restarted = await BrokerProcess.StartAsync(Path.Combine(Place.Folder, "credbroker.yaml"), Place.Http, CancellationToken.None);

    /// <summary>The sessions of leases that can still read something.</summary>
    public IReadOnlyList<AwsSession> LiveSessions() => [.. Aws.Locked(() => Aws.Sessions.Where(session => session.Tags.ContainsKey("credbroker:task")).ToList()).Where(Aws.Reads)];

    public async ValueTask DisposeAsync()
    {
        if (_restarted is not null) await _restarted.DisposeAsync();
        if (Installation is not null) await Installation.DisposeAsync();
        await Host.DisposeAsync();
        Place.Dispose();
    }

    private async Task RegisterAsync()
    {
        using var administrator = Installation.Administrator();
        var quiet = new Narrator(TextWriter.Null);
        await Registration.RegisterAgentsAsync(administrator, Installation.Identity.Issuer, quiet, CancellationToken.None);
        var reader = Aws.AddRole(Target.Reader, SetUpTexts.Trust($"arn:aws:iam::{Account}:role/credbroker", Installation.Id), Target.ReadReports);
        var endpoint = Host.Address.GetLeftPart(UriPartial.Authority);
        var config = new JsonObject
        {
            ["region"] = Target.Region,
            ["account"] = Account,
            ["credentials"] = new JsonObject { ["webIdentity"] = new JsonObject { ["roleArn"] = $"arn:aws:iam::{Account}:role/credbroker" } },
            ["roles"] = new JsonArray(new JsonObject
            {
                ["arn"] = reader.Arn,
                ["canary"] = new JsonObject { ["url"] = Object.ToString(), ["action"] = "s3:GetObject", ["resource"] = $"arn:aws:s3:::{S3.Bucket}/{S3.Object}", ["sufficesAfter"] = "5s" },
            }),
            ["leaseRoles"] = new JsonObject { ["path"] = "/credbroker/" },
            ["stsEndpoint"] = endpoint,
            ["iamEndpoint"] = endpoint,
        };
        var provider = await administrator.Providers.CreateProviderAsync(
            new() { ProviderId = Provider, Provider = new Provider { Type = "aws-sts", Config = Struct.Parser.ParseJson(config.ToJsonString()) } });
        await TrustAsync($"{Installation.Id}:provider:{provider.Uid}");
        var health = await administrator.Providers.CheckProviderAsync(new() { Name = provider.Name });
        Assert.That(health.Healthy, health.ToString());
        await RoleAsync(administrator, "reports", "assume-role", $$"""{"roleArn":"{{reader.Arn}}","settle":"10s","otherInlineCharacters":{{AwsRole.LengthOf(Target.ReadReports)}}}""");
        await RoleAsync(administrator, "own-role", "role-per-lease", """{"statements":[{"actions":["s3:GetObject"],"resources":["arn:aws:s3:::reports/*"]}],"settle":"10s"}""");
        const string Policy = "permit (principal in IdentitySource::\"agents\", action in [Action::\"createTask\", Action::\"issue\"], resource);";
        await Registration.RegisterPolicyAsync(administrator, "all", Policy, quiet, CancellationToken.None);
    }

    // As an administrator of the account does once: by the broker's published keys.
    private async Task TrustAsync(string subject)
    {
        using var client = new HttpClient();
        var issuer = $"http://127.0.0.1:{Place.HttpPort}/federation";
        Aws.Issuers[issuer] = (await client.GetStringAsync(new Uri(Place.Http, "/federation/.well-known/jwks.json")), [$"credbroker:{subject}:{Host.Address.Authority}"]);
        Aws.AddRole("credbroker", SetUpTexts.BrokerTrust(Account, issuer["http://".Length..], $"credbroker:{subject}:{Host.Address.Authority}", subject), SetUpTexts.BrokerPolicy(Account));
    }

    private static async Task RoleAsync(BrokerClient administrator, string name, string kind, string template) => await administrator.Roles.CreateRoleAsync(new()
    {
        Parent = $"providers/{Provider}",
        RoleId = name,
        Role = new Role { Kind = kind, Template = Struct.Parser.ParseJson(template), MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(30)) },
    });
}

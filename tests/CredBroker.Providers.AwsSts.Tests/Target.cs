using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.LeaseRoles;
using CredBroker.Providers.AwsSts.Sessions;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>An account of its own, set up as the documentation says: a role for the broker, one to hand out, and a place to make roles in.</summary>
internal sealed class Target : IAsyncDisposable
{
    public const string Region = "eu-central-1";
    public const string Reader = "app-reader";
    public const string ReadReports = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*"}]}""";

    private readonly TestIdentity _identity;

    private Target(AwsStandIn aws, StandInHost host, SteppingClock clock, TargetClock awsClock)
    {
        Aws = aws;
        Host = host;
        Clock = clock;
        AwsClock = awsClock;
        Context = TestContexts.Create(clock, egress: host.Egress);
        _identity = (TestIdentity)Context.Identity;
        SetUp();
        Configuration = Configure();
    }

    public AwsStandIn Aws { get; }

    public StandInHost Host { get; }

    public SteppingClock Clock { get; }

    public TargetClock AwsClock { get; }

    public ProviderContext Context { get; }

    public JsonElement Configuration { get; }

    public AwsStsProviderType Type { get; } = new();

    public string BrokerArn => $"arn:aws:iam::{Aws.Account}:role/credbroker";

    public string ReaderArn => ArnOf(Reader);

    public static async Task<Target> CreateAsync(string account = "123456789012")
    {
        var clock = new SteppingClock();
        var awsClock = new TargetClock(clock);
        var aws = new AwsStandIn(awsClock, account) { Propagation = TimeSpan.FromSeconds(2) };
        var host = await StandInHost.StartAsync(
            new StandInOptions { Clock = awsClock, Tls = true, Hosts = [$"sts.{Region}.amazonaws.com", "iam.amazonaws.com", "s3.amazonaws.com"] }, aws.Answer);
        return new Target(aws, host, clock, awsClock);
    }

    public string ArnOf(string role) => $"arn:aws:iam::{Aws.Account}:role/{role}";

    public JsonElement Configure(Action<JsonObject>? change = null)
    {
        var configuration = new JsonObject
        {
            ["region"] = Region,
            ["account"] = Aws.Account,
            ["credentials"] = new JsonObject { ["webIdentity"] = new JsonObject { ["roleArn"] = BrokerArn } },
            ["roles"] = new JsonArray(new JsonObject { ["arn"] = ReaderArn }),
            ["leaseRoles"] = new JsonObject { ["path"] = "/credbroker/" },
        };
        change?.Invoke(configuration);
        return configuration.Deserialize<JsonElement>();
    }

    public IProvider Connect(Action<JsonObject>? change = null) => Type.Create(Context, change is null ? Configuration : Configure(change));

    public string SessionTemplate(string further = "") => $$"""{"roleArn":"{{ReaderArn}}","settle":"30s","otherInlineCharacters":{{AwsRole.LengthOf(ReadReports)}}{{(further.Length > 0 ? "," : "")}}{{further}}}""";

    public static string LeaseRoleTemplate(string further = "") =>
        $$"""{"statements":[{"actions":["s3:GetObject"],"resources":["arn:aws:s3:::reports/*"]}],"settle":"30s"{{(further.Length > 0 ? "," : "")}}{{further}}}""";

    public IssueRequest NewRequest(string? template = null, string kind = AssumeRoleKind.KindName, TimeSpan? life = null)
    {
        var lease = Uid.New(Clock);
        var now = Clock.GetUtcNow();
        return new IssueRequest
        {
            LeaseId = lease,
            TaskId = Uid.New(Clock),
            ExternalName = $"cb-{Context.InstallationId}-{lease}",
            Mark = $"cb1:{Context.InstallationId}:{lease}:0123abcd:{new string('m', 43)}",
            RoleKind = kind,
            Template = JsonElement.Parse(template ?? (kind == LeaseRoleKind.KindName ? LeaseRoleTemplate() : SessionTemplate())),
            Workload = "ci/repo:team/app:ref:refs/heads/main",
            Deadline = now.AddSeconds(30),
            ExpiresAt = now + (life ?? TimeSpan.FromMinutes(30)),
        };
    }

    public RevokeRequest Revoking(IssueRequest request, Handle? handle = null, DateTimeOffset? mayStillArriveUntil = null) => new()
    {
        LeaseId = request.LeaseId,
        ExternalName = request.ExternalName,
        Handle = handle,
        RoleKind = request.RoleKind,
        Mark = request.Mark,
        Group = request.RoleKind == AssumeRoleKind.KindName ? request.Template.GetProperty("roleArn").GetString() : null,
        IssuedBy = mayStillArriveUntil is null ? request.Deadline : null,
        PossibleDeathAt = request.ExpiresAt,
        MayStillArriveUntil = mayStillArriveUntil,
    };

    public static Task<IssuedCredential> IssueAsync(IProvider provider, IssueRequest request) => provider.IssueAsync(request, Journal.GoesOn, CancellationToken.None);

    /// <summary>Asks AWS itself, with a request that the session signs.</summary>
    public Task<bool> IsAcceptedAsync(IssuedCredential credential) => Use.ReadsAsync(Host, credential, Context.Time);

    public void PassTime(DateTimeOffset until)
    {
        var left = until - AwsClock.GetUtcNow();
        if (left > TimeSpan.Zero) Clock.Advance(left);
    }

    public async Task<RevokeOutcome> RevokeUntilDeadAsync(IProvider provider, RevokeRequest request)
    {
        for (var look = 0; look < 40; look++)
        {
            var outcome = await provider.RevokeAsync(request, CancellationToken.None);
            if (outcome is not RevokeOutcome.Settling settling) return outcome;
            request = request with { Handle = settling.Handle ?? request.Handle };
            PassTime(settling.Until);
        }

        throw new AssertionException("It does not settle.");
    }

    public async ValueTask DisposeAsync()
    {
        _identity.Dispose();
        await Host.DisposeAsync();
    }

    private void SetUp()
    {
        var issuer = _identity.Issuer["https://".Length..];
        Aws.Issuers[_identity.Issuer] = (_identity.KeySet, [_identity.Audience]);
        Aws.AddRole(
            "credbroker",
            SetUpTexts.BrokerTrust(Aws.Account, issuer, _identity.Audience, _identity.Subject),
            SetUpTexts.BrokerPolicy(Aws.Account));
        Aws.AddRole(Reader, SetUpTexts.Trust(BrokerArn, Context.InstallationId), ReadReports);
    }
}

using CredBroker.Contracts.V1;
using CredBroker.Providers.AwsSts.Tests;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets.Targets;

/// <summary>An account at which the broker logs in by its own signature: nothing is configured that could leak, and its assertion could.</summary>
internal sealed class WatchedAws : WatchedTarget
{
    private const string Account = "123456789012";
    private const string Reader = "app-reader";
    private readonly AwsStandIn _aws;

    private WatchedAws(AwsStandIn aws, StandInHost host, Wire wire) => (_aws, Host, Wire) = (aws, host, wire);

    public override StandInHost Host { get; }

    public override Wire Wire { get; }

    public override string Type => "aws-sts";

    public override IReadOnlyList<(string Name, string Kind, string Template)> Roles { get; } =
    [
        ("reports", "assume-role", $$"""{"roleArn":"arn:aws:iam::{{Account}}:role/{{Reader}}"}"""),
        ("own-role", "role-per-lease", """{"statements":[{"actions":["s3:GetObject"],"resources":["arn:aws:s3:::reports/*"]}]}"""),
    ];

    public static async Task<WatchedAws> StartAsync()
    {
        var aws = new AwsStandIn(TimeProvider.System);
        aws.AddRole(Reader, SetUpTexts.Trust($"arn:aws:iam::{Account}:role/credbroker", Installation.Id), """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}""");
        var wire = new Wire(aws.Answer);
        return new WatchedAws(aws, await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System }, wire.Answer), wire);
    }

    public override Struct Configuration() => Struct.Parser.ParseJson($$"""
        {"region":"eu-central-1","account":"{{Account}}","credentials":{"webIdentity":{"roleArn":"arn:aws:iam::{{Account}}:role/credbroker"} },
         "roles":[{"arn":"arn:aws:iam::{{Account}}:role/{{Reader}}"}],"leaseRoles":{},
         "stsEndpoint":"http://{{Host.Address.Authority}}","iamEndpoint":"http://{{Host.Address.Authority}}"}
        """);

    public override async Task TrustAsync(Provider provider, Workplace place)
    {
        using var client = new HttpClient();
        var issuer = $"http://127.0.0.1:{place.HttpPort}/federation";
        var subject = $"{Installation.Id}:provider:{provider.Uid}";
        var audience = $"credbroker:{subject}:{Host.Address.Authority}";
        _aws.Issuers[issuer] = (await client.GetStringAsync(new Uri(place.Http, "/federation/.well-known/jwks.json")), [audience]);
        _aws.AddRole("credbroker", SetUpTexts.BrokerTrust(Account, issuer["http://".Length..], audience, subject), SetUpTexts.BrokerPolicy(Account));
    }

    public override bool Matters(StandInRequest request) =>
        request.Method == "POST" && new[] { "AssumeRole", "AssumeRoleWithWebIdentity", "CreateRole", "PutRolePolicy", "DeleteRole" }.Contains(request.Form().GetValueOrDefault("Action"));

    public override StandInAnswer Quote(StandInRequest request) => StandInAnswer.Of(
        400,
        $"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code><Message>{Uri.UnescapeDataString(request.Text).Replace("&", " and ", StringComparison.Ordinal)} {request.Header("X-Amz-Security-Token")} {request.Header("Authorization")}</Message></Error><RequestId>1</RequestId></ErrorResponse>""",
        "text/xml");
}

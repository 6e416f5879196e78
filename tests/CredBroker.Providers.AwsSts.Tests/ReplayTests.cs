using System.Text;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.TestSupport.StandIns;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>
/// Replays the recorded exchanges against the stand-in. They are of an emulator, which is laxer than AWS and has some envelopes of its own: where the stand-in
/// does as AWS does, each difference is named here with its reason.
/// </summary>
public sealed class ReplayTests
{
    private const string Envelope = "the emulator nests the error twice and leaves out namespace and request id; AWS does not";
    private const string Twice = "the emulator says the message a second time, in lower case";
    private const string Words = "the emulator's own words; AWS has those of the stand-in";
    private const string Encoded = "AWS percent-encodes all of a document, everywhere";
    private const string Conditions = "the emulator evaluates no condition and has an envelope of its own; whom a deny hits is tested below";

    private static readonly Dictionary<string, Action<RecordingReplay>> Differences = new(StringComparer.Ordinal)
    {
        ["sts-get-caller-identity"] = replay =>
        {
            replay.LeaveOut("unknown access key", Envelope);
            replay.LeaveOut("wrong secret", Envelope);
        },
        ["sts-assume-role"] = replay =>
        {
            replay.Allow.Vary("AssumeRoleResponse.AssumeRoleResult.SourceIdentity", "AWS names the source identity, the emulator does not");
            replay.Allow.Vary("AssumeRoleResponse.AssumeRoleResult.PackedPolicySize", "AWS leaves it out where nothing is packed, and how it packs is not published");
            replay.LeaveOut("caller without permission", Envelope);
            replay.Allow.Vary("ErrorResponse.Error.Message", "the double space is the emulator's");
        },
        ["iam-list-roles"] = replay =>
        {
            replay.Allow.Vary("RoleName", "a listing has no order that could be relied on");
            replay.Allow.Vary("Arn", "the same");
            replay.Allow.Vary("AssumeRolePolicyDocument", Encoded);
        },
        ["iam-malformed-policy"] = replay =>
        {
            replay.Allow.Vary("ErrorResponse.Error.message", Twice);
            replay.Allow.Vary("ErrorResponse.Error.Message", Words);
        },
        ["iam-revoke-by-deny"] = replay =>
        {
            foreach (var deny in new[] { "aws:SourceIdentity of cb-A", "aws:userid exact", "aws:TokenIssueTime now" })
                foreach (var session in new[] { "cb-A", "cb-B" }) replay.LeaveOut($"after Deny by {deny}: ListRoles as {session}", Conditions);
        },
        ["iam-role-lifecycle"] = replay =>
        {
            replay.Allow.Vary("ErrorResponse.Error.message", Twice);
            replay.Allow.Vary("ErrorResponse.Error.Message", Words);
            replay.Allow.Vary("AssumeRolePolicyDocument", Encoded);
            replay.Allow.Vary("CreateRoleResponse.CreateRoleResult.Role.MaxSessionDuration", "CreateRole of AWS does not answer it");
            replay.Allow.Vary("CreateRoleResponse.CreateRoleResult.Role.RoleLastUsed", "CreateRole of AWS does not answer it");
            replay.LeaveOut("PutRolePolicy on a role that is gone", "the recorded document has no statement, which AWS refuses before it looks for the role");
        },
        ["sts-other"] = replay =>
        {
            replay.LeaveOut("web identity", "the emulator takes any token; the stand-in verifies it, in tests of their own");
            replay.LeaveOut("GetSessionToken", "the provider never calls it");
            replay.LeaveOut("GetFederationToken", "the provider never calls it");
        },
    };

    [TestCaseSource(typeof(Recording), nameof(Recording.All))]
    public async Task The_stand_in_answers_as_recorded(string name)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 34, 56, TimeSpan.Zero));
        var aws = new AwsStandIn(clock);
        var users = new Dictionary<string, AwsUser>
        {
            ["broker"] = aws.AddUser("credbroker", aws.ManagedPolicies["arn:aws:iam::aws:policy/AdministratorAccess"]),
            ["nobody"] = aws.AddUser("nobody"),
        };
        var trust = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/credbroker"},"Action":["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession"]}]}""";
        Prepare(name, aws, trust);
        await using var host = await StandInHost.StartAsync(new StandInOptions { Clock = clock, Hosts = ["sts.us-east-1.amazonaws.com", "iam.amazonaws.com"] }, aws.Answer);
        using var client = host.CreateClient();
        var replay = new RecordingReplay(Recording.Read(name), client)
        {
            Supply = placeholder => placeholder.Split(':')[0] switch
            {
                "time" => AwsStandIn.Show(clock.GetUtcNow()),
                "date" or "signature" or "accesskey" or "sessiontoken" => "0",
                _ => null,
            },
            Prepare = request => SignAsync(request, aws, users, clock),
        };
        foreach (var (user, known) in users) replay.Bind($"accesskey:{user}", known.AccessKeyId);
        if (name == "iam-revoke-by-deny") OpenSessions(aws, replay);
        Differences.GetValueOrDefault(name)?.Invoke(replay);
        var differences = await replay.RunAsync();
        Assert.That(differences, Is.Empty, string.Join('\n', differences));
    }

    [Test]
    public void Every_recording_is_replayed() => Assert.That(Recording.All(), Is.SupersetOf(Differences.Keys).And.Count.EqualTo(7));

    [Test]
    public void A_deny_hits_whom_it_names_and_nobody_else()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 34, 56, TimeSpan.Zero));
        var aws = new AwsStandIn(clock) { Propagation = TimeSpan.FromSeconds(4) };
        var role = aws.AddRole("app-reader", SetUpTexts.Trust("arn:aws:iam::123456789012:root", "test01"), Target.ReadReports);
        var (a, b, other) = (aws.OpenSession(role, "cb-A", "cb-A"), aws.OpenSession(role, "cb-B", "cb-B"), aws.OpenSession(role, "cb-A"));
        void Put(string condition) => aws.Change("app-reader", changed => changed.Inline["deny"] =
            $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{condition}} }]}""");
        bool[] Read() => [aws.Reads(a), aws.Reads(b), aws.Reads(other)];

        Put("""{"StringEquals":{"aws:SourceIdentity":["cb-A"]}}""");
        Assert.That(Read(), Is.EqualTo(new[] { true, true, true }), "not yet in force");
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.That(Read(), Is.EqualTo(new[] { false, true, true }), "a session without a source identity is spared");
        Put($$"""{"StringEquals":{"aws:userid":["{{role.Id}}:cb-A"]} }""");
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.That(Read(), Is.EqualTo(new[] { false, true, false }));
        Put($$"""{"DateLessThan":{"aws:TokenIssueTime":"{{AwsStandIn.Show(a.IssuedAt)}}"} }""");
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.That(Read(), Is.EqualTo(new[] { true, true, true }), "strictly older");
        Put($$"""{"DateLessThan":{"aws:TokenIssueTime":"{{AwsStandIn.Show(a.IssuedAt.AddSeconds(1))}}"} }""");
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.That(Read(), Is.EqualTo(new[] { false, false, false }));
    }

    private static void OpenSessions(AwsStandIn aws, RecordingReplay replay)
    {
        var role = aws.FindRole("app-reader")!;
        aws.Change("app-reader", changed => changed.Inline["rights"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}]}""");
        replay.Bind("roleid:app-reader", role.Id);
        foreach (var name in new[] { "cb-A", "cb-B" })
        {
            var session = aws.OpenSession(role, name, name);
            replay.Bind($"accesskey:{name}", session.AccessKeyId);
            replay.Bind($"sessiontoken:{name}", session.Token);
        }
    }

    private static void Prepare(string name, AwsStandIn aws, string trust)
    {
        aws.ManagedPolicies["arn:aws:iam::123456789012:policy/credbroker/no-chaining"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}]}""";
        if (name is "sts-assume-role" or "iam-malformed-policy" or "iam-revoke-by-deny") aws.AddRole("app-reader", trust, null, "/service/");
        if (name == "iam-list-roles")
            foreach (var role in new[] { "cb-0", "cb-1", "cb-2", "cb-3", "cb-4" }) aws.AddRole(role, trust, null, "/credbroker/");
    }

    // A recorded signature was made with keys that nobody has: each request is signed anew by whom the recording says.
    private static async Task SignAsync(HttpRequestMessage request, AwsStandIn aws, Dictionary<string, AwsUser> users, TimeProvider clock)
    {
        if (!request.Headers.NonValidated.TryGetValues("Authorization", out var recorded)) return;
        var authorization = recorded.ToString();
        var id = authorization[(authorization.IndexOf("Credential=", StringComparison.Ordinal) + "Credential=".Length)..].Split('/')[0];
        var principal = aws.Keys.GetValueOrDefault(id) ?? users["broker"];
        var token = (principal as AwsSession)?.Token;
        foreach (var header in new[] { "Authorization", "X-Amz-Date", "X-Amz-Security-Token" }) request.Headers.Remove(header);
        var body = await request.Content!.ReadAsByteArrayAsync();
        var service = Encoding.UTF8.GetString(body).Contains("Version=2010-05-08", StringComparison.Ordinal) ? "iam" : "sts";
        var host = request.Headers.Host!;
        request.Headers.Host = null;
        Use.Sign(request, principal.AccessKeyId, principal.Secret, token, service, clock.GetUtcNow(), body);
        Assert.That(host, Does.StartWith(service));
    }
}

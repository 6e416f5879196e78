using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

/// <summary>
/// One AWS account: STS, IAM, and an S3 bucket to use sessions on. Signatures, assertions, trust policies, session policies, conditions, expiries and limits
/// are checked and evaluated as the documentation says; a change of a role is in force only after <see cref="Propagation"/>.
/// </summary>
internal sealed class AwsStandIn
{
    private static readonly TimeSpan MostSkew = TimeSpan.FromMinutes(15);
    private readonly Lock _lock = new();
    private readonly StsService _sts;
    private readonly IamService _iam;
    private int _number;

    public AwsStandIn(TimeProvider clock, string account = "123456789012")
    {
        Clock = clock;
        Account = account;
        _sts = new StsService(this);
        _iam = new IamService(this);
    }

    public TimeProvider Clock { get; }

    public string Account { get; }

    /// <summary>How long a change of a role takes until requests are judged by it.</summary>
    public TimeSpan Propagation { get; set; }

    public Dictionary<string, AwsPrincipal> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>Every role that ever was, the deleted ones too: sessions of those may still come.</summary>
    public List<AwsRole> Roles { get; } = [];

    public Dictionary<string, string> ManagedPolicies { get; } = new(StringComparer.Ordinal)
    {
        ["arn:aws:iam::aws:policy/ReadOnlyAccess"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}]}""",
        ["arn:aws:iam::aws:policy/AdministratorAccess"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}""",
    };

    /// <summary>The trusted issuers: the key set and the audiences of each.</summary>
    public Dictionary<string, (string KeySet, HashSet<string> Audiences)> Issuers { get; } = new(StringComparer.Ordinal);

    /// <summary>Sessions that were opened, in their order.</summary>
    public IEnumerable<AwsSession> Sessions => Keys.Values.OfType<AwsSession>();

    /// <summary>Lets the account's policies on a bucket speak of a principal too.</summary>
    public Dictionary<string, IamPolicy> BucketPolicies { get; } = new(StringComparer.Ordinal);

    /// <summary>How many roles an account may have.</summary>
    public int MostRoles { get; set; } = 1000;

    public DateTimeOffset Now => Clock.GetUtcNow();

    public AwsUser AddUser(string name, params string[] policies)
    {
        lock (_lock)
        {
            var user = new AwsUser(NewId("AKIA"), NewSecret(), $"arn:aws:iam::{Account}:user/{name}", NewId("AIDA"), [.. policies.Select(policy => IamPolicy.Of(policy))]);
            Keys[user.AccessKeyId] = user;
            return user;
        }
    }

    /// <summary>A role that has been there for long.</summary>
    public AwsRole AddRole(string name, string trust, string? policy, string path = "/", int maxSession = 3600)
    {
        lock (_lock)
        {
            var role = new AwsRole(name, path, NewId("AROA"), Account, Now) { Trust = trust, MaxSession = maxSession };
            if (policy is not null) role.Inline["rights"] = policy;
            Roles.Add(role);
            role.Publish(DateTimeOffset.MinValue, ManagedPolicy);
            return role;
        }
    }

    public AwsRole? FindRole(string name) => Roles.LastOrDefault(role => !role.Deleted && role.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Looks while nothing changes.</summary>
    public T Locked<T>(Func<T> look)
    {
        lock (_lock) return look();
    }

    /// <summary>Changes a role by an administrator's hand.</summary>
    public void Change(string name, Action<AwsRole> change)
    {
        lock (_lock)
        {
            var role = FindRole(name) ?? throw new InvalidOperationException($"There is no role {name}.");
            change(role);
            role.Publish(Now, ManagedPolicy);
        }
    }

    /// <summary>Opens a session of a role without asking anybody.</summary>
    public AwsSession OpenSession(AwsRole role, string name, string? sourceIdentity = null, int seconds = 3600)
    {
        lock (_lock) return _sts.NewSession(role, name, sourceIdentity, seconds, [], new Dictionary<string, string>(), []);
    }

    /// <summary>Whether a session could read the bucket now: what <see cref="Answer"/> would say to a request that it signs.</summary>
    public bool Reads(AwsSession session)
    {
        lock (_lock) return session.ExpiresAt > Now && Decide(session, "s3:GetObject", $"arn:aws:s3:::{S3.Bucket}/{S3.Object}", NoKeys) == Verdict.Allowed;
    }

    public StandInAnswer Answer(StandInRequest request)
    {
        lock (_lock)
        {
            var requestId = NewRequestId();
            var version = request.Method == "POST" && request.Path == "/" && request.Text.Length > 0 ? request.Form().GetValueOrDefault("Version") : null;
            try
            {
                return version switch
                {
                    StsService.Version => Xml(200, _sts.Answer(request.Form(), request), requestId),
                    IamService.Version => Xml(200, _iam.Answer(request.Form(), request), requestId),
                    _ => S3.Answer(this, request, requestId),
                };
            }
            catch (AwsErrorException e) when (version is not null)
            {
                return Xml(e.Status, Error(version == StsService.Version ? StsService.Namespace : IamService.Namespace, e, requestId), requestId);
            }
        }
    }

    /// <summary>Who signed a request.</summary>
    public AwsPrincipal Authenticate(StandInRequest request, string service, string? region)
    {
        const string Scheme = "AWS4-HMAC-SHA256 ";
        if (request.Header("Authorization") is not { } authorization) throw new AwsErrorException("MissingAuthenticationToken", 403, "Request is missing Authentication Token");
        var parts = authorization.StartsWith(Scheme, StringComparison.Ordinal)
            ? authorization[Scheme.Length..].Split(',', StringSplitOptions.TrimEntries).Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[^1])
            : [];
        if (parts.GetValueOrDefault("Credential")?.Split('/') is not [var id, var date, var signedRegion, var signedService, "aws4_request"]
            || parts.GetValueOrDefault("SignedHeaders") is not { } names || parts.GetValueOrDefault("Signature") is not { } signature
            || SigV4.ReadDate(request.Header("X-Amz-Date")) is not { } at)
        {
            throw new AwsErrorException("IncompleteSignature", 400, "Authorization header is not complete.");
        }

        if (!Keys.TryGetValue(id, out var principal)) throw new AwsErrorException("InvalidClientTokenId", 403, "The security token included in the request is invalid.");
        var signed = names.Split(';');
        var stamp = request.Header("X-Amz-Date")!;
        RequireFresh(at, stamp);
        var headers = signed.Select(name => (name, request.Header(name) ?? "")).ToList();
        var scopeIsRight = signedService == service && (region is null || signedRegion == region) && stamp.StartsWith(date, StringComparison.Ordinal);
        var expected = SigV4.Sign(principal.Secret, stamp, signedRegion, signedService, request.Method, request.Path, request.Query, headers, SigV4.Hash(request.Body));
        if (!scopeIsRight || !signed.Contains("host") || !signed.Contains("x-amz-date") || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(signature)))
            throw new AwsErrorException("SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.");
        RequireSession(principal, request, signed);
        return principal;
    }

    /// <summary>What the policies of a principal say, with those of its session and of its role's boundary, and a bucket's.</summary>
    public Verdict Decide(AwsPrincipal principal, string action, string resource, IReadOnlyDictionary<string, IReadOnlyList<string>> further, IamPolicy? resourcePolicy = null)
    {
        var request = new PolicyRequest(action, resource, KeysOf(principal, further));
        var byResource = resourcePolicy?.Ask(request, PrincipalsOf(principal)) ?? Verdict.Silent;
        if (principal is AwsUser user) return Both(Any(user.Policies, request), byResource);
        var session = (AwsSession)principal;
        var view = ViewOf(session);
        if (view is null || view.Deleted) return Verdict.Denied;
        var identity = Any(view.Policies, request);
        var narrowed = session.SessionPolicies.Count == 0 ? Verdict.Allowed : Any(session.SessionPolicies, request);
        var bounded = view.Boundary?.Ask(request) ?? Verdict.Allowed;
        if (new[] { identity, narrowed, bounded, byResource }.Contains(Verdict.Denied)) return Verdict.Denied;
        // A resource policy that names the session itself is not held back by what a session policy fails to allow.
        if (byResource == Verdict.Allowed && resourcePolicy!.Ask(request, [session.Arn]) == Verdict.Allowed) return Verdict.Allowed;
        return (identity == Verdict.Allowed || byResource == Verdict.Allowed) && narrowed == Verdict.Allowed && bounded == Verdict.Allowed ? Verdict.Allowed : Verdict.Silent;
    }

    /// <summary>A refusal within one account says of which sort it is.</summary>
    public string WordsOf(AwsPrincipal principal, string action, string resource)
    {
        var request = new PolicyRequest(action, resource, KeysOf(principal, NoKeys));
        var why = principal switch
        {
            AwsSession session when ViewOf(session) is { } view && Any(view.Policies, request) == Verdict.Denied => "with an explicit deny in an identity-based policy",
            AwsSession { SessionPolicies.Count: > 0 } session when Any(session.SessionPolicies, request) == Verdict.Denied => "with an explicit deny in a session policy",
            AwsSession { SessionPolicies.Count: > 0 } session when Any(session.SessionPolicies, request) == Verdict.Silent => $"because no session policy allows the {action} action",
            _ => $"because no identity-based policy allows the {action} action",
        };
        return $"User: {principal.Arn} is not authorized to perform: {action} on resource: \"{resource}\" {why}";
    }

    public static IReadOnlyDictionary<string, IReadOnlyList<string>> NoKeys { get; } = new Dictionary<string, IReadOnlyList<string>>();

    public RoleView? ViewOf(AwsSession session) => Roles.Single(role => role.Id == session.RoleId).Seen(Now, Propagation);

    public IReadOnlyList<string> PrincipalsOf(AwsPrincipal principal) => [principal.Arn, principal.PolicyArn, principal.UserId, Account, $"arn:aws:iam::{Account}:root"];

    public IamPolicy ManagedPolicy(string arn) => ManagedPolicies.TryGetValue(arn, out var text)
        ? IamPolicy.Of(text)
        : throw new AwsErrorException("NoSuchEntity", 404, $"Policy {arn} does not exist or is not attachable.");

    public string NewId(string prefix) => prefix + RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17 - 1);

    public static string NewSecret() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(30));

    public static string Show(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static Verdict Any(IEnumerable<IamPolicy> policies, PolicyRequest request)
    {
        var verdicts = policies.Select(policy => policy.Ask(request)).ToList();
        return verdicts.Contains(Verdict.Denied) ? Verdict.Denied : verdicts.Contains(Verdict.Allowed) ? Verdict.Allowed : Verdict.Silent;
    }

    private static Verdict Both(Verdict left, Verdict right) =>
        left == Verdict.Denied || right == Verdict.Denied ? Verdict.Denied : left == Verdict.Allowed || right == Verdict.Allowed ? Verdict.Allowed : Verdict.Silent;

    private Dictionary<string, IReadOnlyList<string>> KeysOf(AwsPrincipal principal, IReadOnlyDictionary<string, IReadOnlyList<string>> further)
    {
        var keys = new Dictionary<string, IReadOnlyList<string>>(further, StringComparer.OrdinalIgnoreCase)
        {
            ["aws:currenttime"] = [Show(Now)],
            ["aws:userid"] = [principal.UserId],
            ["aws:principalarn"] = [principal.PolicyArn],
            ["aws:principalaccount"] = [Account],
        };
        if (principal is not AwsSession session) return keys;
        keys["aws:tokenissuetime"] = [Show(session.IssuedAt)];
        if (session.SourceIdentity is { } identity) keys["aws:sourceidentity"] = [identity];
        foreach (var (key, value) in session.Tags) keys[$"aws:principaltag/{key.ToLowerInvariant()}"] = [value];
        return keys;
    }

    private void RequireFresh(DateTimeOffset at, string stamp)
    {
        var now = Now;
        if (at + MostSkew < now)
            throw new AwsErrorException("SignatureDoesNotMatch", 403, $"Signature expired: {stamp} is now earlier than {SigV4.Date(now - MostSkew)} ({SigV4.Date(now)} - 15 min.)");
        if (at - MostSkew > now)
            throw new AwsErrorException("SignatureDoesNotMatch", 403, $"Signature not yet current: {stamp} is still later than {SigV4.Date(now + MostSkew)} ({SigV4.Date(now)} + 15 min.)");
    }

    private void RequireSession(AwsPrincipal principal, StandInRequest request, string[] signed)
    {
        var token = request.Header("X-Amz-Security-Token");
        if (principal is not AwsSession session)
        {
            if (token is not null) throw new AwsErrorException("InvalidClientTokenId", 403, "The security token included in the request is invalid.");
            return;
        }

        if (token != session.Token || !signed.Contains("x-amz-security-token")) throw new AwsErrorException("InvalidClientTokenId", 403, "The security token included in the request is invalid.");
        if (session.ExpiresAt <= Now) throw new AwsErrorException("ExpiredToken", 403, "The security token included in the request is expired");
        // Once its end is known, a deleted role's sessions are not known any more.
        if (ViewOf(session) is { Deleted: true }) throw new AwsErrorException("InvalidClientTokenId", 403, "The security token included in the request is invalid.");
    }

    private static StandInAnswer Xml(int status, XElement body, string requestId)
    {
        if (status == 200) body.Add(new XElement(body.Name.Namespace + "ResponseMetadata", new XElement(body.Name.Namespace + "RequestId", requestId)));
        return StandInAnswer.Of(status, body.ToString(SaveOptions.DisableFormatting), "text/xml").With("x-amzn-RequestId", requestId);
    }

    private static XElement Error(XNamespace name, AwsErrorException e, string requestId) => new(
        name + "ErrorResponse",
        new XElement(name + "Error", new XElement(name + "Type", e.Sender ? "Sender" : "Receiver"), new XElement(name + "Code", e.Code), new XElement(name + "Message", e.Message)),
        new XElement(name + "RequestId", requestId));

    private string NewRequestId() => string.Create(CultureInfo.InvariantCulture, $"{++_number:x8}-0000-4000-8000-{RandomNumberGenerator.GetHexString(12, lowercase: true)}");
}

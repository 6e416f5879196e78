using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

/// <summary>The Security Token Service.</summary>
internal sealed class StsService(AwsStandIn aws)
{
    public const string Version = "2011-06-15";
    public static readonly XNamespace Namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

    // Policies and tags are packed together, by a rule that is not published; tags weigh more than text.
    private const int PackedLimit = 2048;

    public XElement Answer(IReadOnlyDictionary<string, string> form, StandInRequest request)
    {
        var action = form["Action"];
        if (action == "AssumeRoleWithWebIdentity") return Response(action, AssumeByAssertion(form));
        var caller = aws.Authenticate(request, "sts", region: null);
        return action switch
        {
            "GetCallerIdentity" => Response(action, [new XElement(Namespace + "UserId", caller.UserId), new XElement(Namespace + "Account", aws.Account), new XElement(Namespace + "Arn", caller.Arn)]),
            "AssumeRole" => Response(action, Assume(form, caller)),
            _ => throw new AwsErrorException("InvalidAction", 400, $"Could not find operation {action} for version {Version}"),
        };
    }

    private IEnumerable<XElement> Assume(IReadOnlyDictionary<string, string> form, AwsPrincipal caller)
    {
        var arn = form.GetValueOrDefault("RoleArn") ?? "";
        if (!Regex.IsMatch(arn, @"\Aarn:aws:iam::\d{12}:role/.+\z")) throw new AwsErrorException("ValidationError", 400, $"{arn} is invalid");
        var name = Limits.Name(form.GetValueOrDefault("RoleSessionName") ?? "", "roleSessionName");
        var identity = form.TryGetValue("SourceIdentity", out var given) ? Limits.Name(given, "sourceIdentity") : null;
        if (identity is not null && caller is AwsSession { SourceIdentity: { } fixedIdentity } && fixedIdentity != identity)
            throw NotAuthorized(caller, "sts:SetSourceIdentity", arn, "");
        identity ??= (caller as AwsSession)?.SourceIdentity;
        var tags = Limits.Tags(form);
        var inherited = caller is AwsSession { TransitiveKeys: var keys, Tags: var callerTags } ? callerTags.Where(tag => keys.Contains(tag.Key)).ToDictionary(tag => tag.Key, tag => tag.Value) : [];
        var transitive = Limits.Transitive(form, tags, inherited.Keys);
        var policies = Limits.SessionPolicies(form, aws);
        var packed = Packed(form, tags);

        // A role that is not there, or not known yet, looks like one that does not trust the caller.
        var role = aws.Roles.LastOrDefault(role => role.Arn == arn && role.Seen(aws.Now, aws.Propagation) is not null);
        var view = role?.Seen(aws.Now, aws.Propagation);
        if (role is null || view!.Deleted) throw NotAuthorized(caller, "sts:AssumeRole", arn, "");
        var context = new Dictionary<string, IReadOnlyList<string>>(StringComparer.OrdinalIgnoreCase) { ["sts:rolesessionname"] = [name] };
        if (given is not null) context["sts:sourceidentity"] = [given];
        foreach (var (key, value) in tags) context[$"aws:requesttag/{key.ToLowerInvariant()}"] = [value];
        Require(caller, view, "sts:AssumeRole", arn, context, both: false);
        if (identity is not null) Require(caller, view, "sts:SetSourceIdentity", arn, context, both: caller is AwsSession);
        if (tags.Count > 0) Require(caller, view, "sts:TagSession", arn, context, both: false);

        var seconds = Limits.Seconds(form, role.MaxSession, chained: caller is AwsSession);
        var all = inherited.Concat(tags.Where(tag => !inherited.ContainsKey(tag.Key))).ToDictionary(tag => tag.Key, tag => tag.Value);
        var session = NewSession(role, name, identity, seconds, policies, all, [.. inherited.Keys, .. transitive]);
        return Answer(session, packed, withIdentity: true);
    }

    private IEnumerable<XElement> AssumeByAssertion(IReadOnlyDictionary<string, string> form)
    {
        var arn = form.GetValueOrDefault("RoleArn") ?? "";
        var name = Limits.Name(form.GetValueOrDefault("RoleSessionName") ?? "", "roleSessionName");
        var (issuer, subject, audience) = Assertions.Verify(form.GetValueOrDefault("WebIdentityToken") ?? "", aws);
        var role = aws.Roles.LastOrDefault(role => role.Arn == arn && role.Seen(aws.Now, aws.Propagation) is { Deleted: false });
        var provider = issuer[(issuer.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var context = new Dictionary<string, IReadOnlyList<string>>(StringComparer.OrdinalIgnoreCase)
        {
            [$"{provider}:sub"] = [subject],
            [$"{provider}:aud"] = [audience],
            ["sts:rolesessionname"] = [name],
            ["aws:currenttime"] = [AwsStandIn.Show(aws.Now)],
        };
        var request = new PolicyRequest("sts:AssumeRoleWithWebIdentity", arn, context);
        if (role?.Seen(aws.Now, aws.Propagation)!.Trust.Ask(request, [$"arn:aws:iam::{aws.Account}:oidc-provider/{provider}"]) != Verdict.Allowed)
            throw new AwsErrorException("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        var session = NewSession(role, name, null, Limits.Seconds(form, role.MaxSession, chained: false), [], new Dictionary<string, string>(), []);
        return [.. Answer(session, null, withIdentity: false), new(Namespace + "SubjectFromWebIdentityToken", subject), new(Namespace + "Provider", $"arn:aws:iam::{aws.Account}:oidc-provider/{provider}"), new(Namespace + "Audience", audience)];
    }

    private void Require(AwsPrincipal caller, RoleView view, string action, string arn, IReadOnlyDictionary<string, IReadOnlyList<string>> context, bool both)
    {
        if (aws.Decide(caller, action, arn, context, view.Trust) != Verdict.Allowed)
            throw NotAuthorized(caller, action, arn, aws.Decide(caller, action, arn, context) == Verdict.Denied ? " with an explicit deny in an identity-based policy" : "");
        // Trust in the whole account leaves the decision to the caller's own policies; a few actions want both from a role.
        var named = view.Trust.Ask(new PolicyRequest(action, arn, WithTime(context)), [caller.Arn, caller.PolicyArn, caller.UserId]) == Verdict.Allowed;
        if (named && !both) return;
        if (!named && view.Trust.Ask(new PolicyRequest(action, arn, WithTime(context)), aws.PrincipalsOf(caller)) != Verdict.Allowed) throw NotAuthorized(caller, action, arn, "");
        if (aws.Decide(caller, action, arn, context) != Verdict.Allowed) throw NotAuthorized(caller, action, arn, $" because no identity-based policy allows the {action} action");
    }

    private Dictionary<string, IReadOnlyList<string>> WithTime(IReadOnlyDictionary<string, IReadOnlyList<string>> context) =>
        new(context, StringComparer.OrdinalIgnoreCase) { ["aws:currenttime"] = [AwsStandIn.Show(aws.Now)] };

    public AwsSession NewSession(
        AwsRole role, string name, string? identity, int seconds, IReadOnlyList<IamPolicy> policies, IReadOnlyDictionary<string, string> tags, IReadOnlyList<string> transitive)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(aws.Now.ToUnixTimeSeconds());
        var session = new AwsSession(aws.NewId("ASIA"), AwsStandIn.NewSecret(), $"arn:aws:sts::{aws.Account}:assumed-role/{role.Name}/{name}", $"{role.Id}:{name}")
        {
            Token = "IQoJb3JpZ2luX2Vj" + AwsStandIn.NewSecret() + AwsStandIn.NewSecret(),
            RoleArn = role.Arn,
            RoleId = role.Id,
            Name = name,
            SourceIdentity = identity,
            IssuedAt = now,
            ExpiresAt = now.AddSeconds(seconds),
            SessionPolicies = policies,
            Tags = tags,
            TransitiveKeys = transitive,
        };
        aws.Keys[session.AccessKeyId] = session;
        return session;
    }

    private static IEnumerable<XElement> Answer(AwsSession session, int? packed, bool withIdentity)
    {
        yield return new XElement(
            Namespace + "Credentials",
            new XElement(Namespace + "AccessKeyId", session.AccessKeyId), new XElement(Namespace + "SecretAccessKey", session.Secret),
            new XElement(Namespace + "SessionToken", session.Token), new XElement(Namespace + "Expiration", AwsStandIn.Show(session.ExpiresAt)));
        yield return new XElement(Namespace + "AssumedRoleUser", new XElement(Namespace + "AssumedRoleId", session.UserId), new XElement(Namespace + "Arn", session.Arn));
        if (packed is { } size) yield return new XElement(Namespace + "PackedPolicySize", size);
        if (withIdentity && session.SourceIdentity is { } identity) yield return new XElement(Namespace + "SourceIdentity", identity);
    }

    private static int? Packed(IReadOnlyDictionary<string, string> form, IReadOnlyDictionary<string, string> tags)
    {
        var policy = (form.GetValueOrDefault("Policy")?.Length ?? 0) + form.Where(pair => pair.Key.StartsWith("PolicyArns.", StringComparison.Ordinal)).Sum(pair => pair.Value.Length);
        var weight = (policy * 3 / 4) + tags.Sum(tag => (tag.Key.Length + tag.Value.Length) * 2);
        var percent = (weight * 100 / PackedLimit) + 1;
        if (weight == 0) return null;
        if (percent <= 100) return percent;
        throw new AwsErrorException("PackedPolicyTooLarge", 400, tags.Count > 0
            ? string.Create(CultureInfo.InvariantCulture, $"Packed size of session tags consumes {percent}% of allotted space.")
            : string.Create(CultureInfo.InvariantCulture, $"Packed policy consumes {percent}% of allotted space, please use smaller policy."));
    }

    private static AwsErrorException NotAuthorized(AwsPrincipal caller, string action, string arn, string why) =>
        new("AccessDenied", 403, $"User: {caller.Arn} is not authorized to perform: {action} on resource: {arn}{why}");

    private static XElement Response(string action, IEnumerable<XElement> result) => new(Namespace + $"{action}Response", new XElement(Namespace + $"{action}Result", result));
}

using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

/// <summary>Roles and their policies. It reads back its own writes at once; requests are judged by them later.</summary>
internal sealed class IamService(AwsStandIn aws)
{
    public const string Version = "2010-05-08";
    public static readonly XNamespace Namespace = "https://iam.amazonaws.com/doc/2010-05-08/";
    private const int MostInline = 10_240;

    public XElement Answer(IReadOnlyDictionary<string, string> form, StandInRequest request)
    {
        var caller = aws.Authenticate(request, "iam", "us-east-1");
        var action = form["Action"];
        Require(caller, action, ResourceOf(action, form), form);
        var result = action switch
        {
            "GetRole" => [Describe(Role(form), full: true)],
            "CreateRole" => Create(form),
            "DeleteRole" => Delete(Role(form)),
            "PutRolePolicy" => Put(Role(form), form),
            "GetRolePolicy" => Get(Role(form), form["PolicyName"]),
            "DeleteRolePolicy" => DeletePolicy(Role(form), form["PolicyName"]),
            "ListRolePolicies" => List("PolicyNames", Role(form).Inline.Keys.Select(name => new XElement(Namespace + "member", name)).ToList(), form),
            "AttachRolePolicy" => Attach(Role(form), form["PolicyArn"]),
            "DetachRolePolicy" => Detach(Role(form), form["PolicyArn"]),
            "ListAttachedRolePolicies" => List("AttachedPolicies", Role(form).Attached.Select(Attached).ToList(), form),
            "ListRoles" => ListRoles(form),
            "TagRole" => Tag(Role(form), form),
            "SimulatePrincipalPolicy" => Simulate(form),
            _ => throw new AwsErrorException("InvalidAction", 400, $"Could not find operation {action} for version {Version}"),
        };
        var response = new XElement(Namespace + $"{action}Response");
        if (result is not null) response.Add(new XElement(Namespace + $"{action}Result", result));
        return response;
    }

    private string ResourceOf(string action, IReadOnlyDictionary<string, string> form)
    {
        if (action == "ListRoles") return $"arn:aws:iam::{aws.Account}:role{form.GetValueOrDefault("PathPrefix", "/")}";
        if (action == "SimulatePrincipalPolicy") return form.GetValueOrDefault("PolicySourceArn", "");
        var name = form.GetValueOrDefault("RoleName", "");
        var path = action == "CreateRole" ? form.GetValueOrDefault("Path", "/") : aws.FindRole(name)?.Path;
        return path is null ? $"role {name}" : $"arn:aws:iam::{aws.Account}:role{path}{name}";
    }

    private void Require(AwsPrincipal caller, string action, string resource, IReadOnlyDictionary<string, string> form)
    {
        var keys = new Dictionary<string, IReadOnlyList<string>>(StringComparer.OrdinalIgnoreCase);
        if (form.TryGetValue("PermissionsBoundary", out var boundary)) keys["iam:permissionsboundary"] = [boundary];
        // Of a role that is not there nobody's rights can be named by its path: any right on some role will do.
        var decided = resource.StartsWith("role ", StringComparison.Ordinal)
            ? aws.Decide(caller, $"iam:{action}", $"arn:aws:iam::{aws.Account}:role/credbroker/{form.GetValueOrDefault("RoleName")}", keys) == Verdict.Allowed
                ? Verdict.Allowed
                : aws.Decide(caller, $"iam:{action}", $"arn:aws:iam::{aws.Account}:role/{form.GetValueOrDefault("RoleName")}", keys)
            : aws.Decide(caller, $"iam:{action}", resource, keys);
        if (decided == Verdict.Allowed) return;
        var why = decided == Verdict.Denied ? " with an explicit deny in an identity-based policy" : $" because no identity-based policy allows the iam:{action} action";
        throw new AwsErrorException("AccessDenied", 403, $"User: {caller.Arn} is not authorized to perform: iam:{action} on resource: {resource}{why}");
    }

    private AwsRole Role(IReadOnlyDictionary<string, string> form) => aws.FindRole(form.GetValueOrDefault("RoleName", "")) ?? throw AwsErrorException.NoRole(form.GetValueOrDefault("RoleName", ""));

    private IEnumerable<XElement> Create(IReadOnlyDictionary<string, string> form)
    {
        var name = form["RoleName"];
        if (name.Length > 64 || !Regex.IsMatch(name, @"\A[A-Za-z0-9_+=,.@-]+\z")) throw AwsErrorException.Validation(name, "roleName", "Member must satisfy its constraints");
        if (aws.FindRole(name) is not null) throw new AwsErrorException("EntityAlreadyExists", 409, $"Role with name {name} already exists.");
        if (aws.Roles.Count(role => !role.Deleted) >= aws.MostRoles) throw new AwsErrorException("LimitExceeded", 409, string.Create(CultureInfo.InvariantCulture, $"Cannot exceed quota for RolesPerAccount: {aws.MostRoles}"));
        var path = form.GetValueOrDefault("Path", "/");
        if (!Regex.IsMatch(path, @"\A/(?:[\x21-\x7E]+/)?\z")) throw AwsErrorException.Validation(path, "path", "Member must satisfy its constraints");
        var trust = form["AssumeRolePolicyDocument"];
        if (IamPolicy.Read(trust, trust: true, out var complaint) is null) throw new AwsErrorException("MalformedPolicyDocument", 400, complaint);
        foreach (var principal in Regex.Matches(trust, @"arn:aws:iam::\d{12}:(?:role|user)/[^""]+").Select(match => match.Value).Distinct())
            if (!Exists(principal)) throw new AwsErrorException("MalformedPolicyDocument", 400, $"Invalid principal in policy: \"AWS\":\"{principal}\"");
        var seconds = int.Parse(form.GetValueOrDefault("MaxSessionDuration", "3600"), CultureInfo.InvariantCulture);
        if (seconds is < 3600 or > 43_200) throw AwsErrorException.Validation(form["MaxSessionDuration"], "maxSessionDuration", "Member must be between 3600 and 43200");
        var role = new AwsRole(name, path, aws.NewId("AROA"), aws.Account, aws.Now)
        {
            Trust = trust,
            Description = form.GetValueOrDefault("Description", ""),
            MaxSession = seconds,
            Boundary = form.GetValueOrDefault("PermissionsBoundary"),
        };
        if (role.Boundary is { } boundary) aws.ManagedPolicy(boundary);
        SetTags(role, form);
        aws.Roles.Add(role);
        role.Publish(aws.Now, aws.ManagedPolicy);
        return [Describe(role, full: false)];
    }

    private bool Exists(string arn) => aws.Roles.Any(role => !role.Deleted && role.Arn == arn) || aws.Keys.Values.OfType<AwsUser>().Any(user => user.Arn == arn);

    private IEnumerable<XElement>? Delete(AwsRole role)
    {
        if (role.Inline.Count > 0) throw new AwsErrorException("DeleteConflict", 409, "Cannot delete entity, must delete policies first.");
        if (role.Attached.Count > 0) throw new AwsErrorException("DeleteConflict", 409, "Cannot delete entity, must detach all policies first.");
        role.Deleted = true;
        role.Publish(aws.Now, aws.ManagedPolicy);
        return null;
    }

    private IEnumerable<XElement>? Put(AwsRole role, IReadOnlyDictionary<string, string> form)
    {
        var (name, document) = (form["PolicyName"], form["PolicyDocument"]);
        if (name.Length > 128 || !Regex.IsMatch(name, @"\A[A-Za-z0-9_+=,.@-]+\z")) throw AwsErrorException.Validation(name, "policyName", "Member must satisfy its constraints");
        if (IamPolicy.Read(document, trust: false, out var complaint) is null) throw new AwsErrorException("MalformedPolicyDocument", 400, complaint);
        if (role.InlineLength(name) + AwsRole.LengthOf(document) > MostInline)
            throw new AwsErrorException("LimitExceeded", 409, $"Maximum policy size of {MostInline} bytes exceeded for role {role.Name}");
        role.Inline[name] = document;
        role.Publish(aws.Now, aws.ManagedPolicy);
        return null;
    }

    private static IEnumerable<XElement> Get(AwsRole role, string name) => role.Inline.TryGetValue(name, out var document)
        ? [new(Namespace + "RoleName", role.Name), new(Namespace + "PolicyName", name), new(Namespace + "PolicyDocument", Uri.EscapeDataString(document))]
        : throw new AwsErrorException("NoSuchEntity", 404, $"The role policy with name {name} cannot be found.");

    private IEnumerable<XElement>? DeletePolicy(AwsRole role, string name)
    {
        if (!role.Inline.Remove(name)) throw new AwsErrorException("NoSuchEntity", 404, $"The role policy with name {name} cannot be found.");
        role.Publish(aws.Now, aws.ManagedPolicy);
        return null;
    }

    private IEnumerable<XElement>? Attach(AwsRole role, string arn)
    {
        aws.ManagedPolicy(arn);
        if (role.Attached.Count >= 10 && !role.Attached.Contains(arn)) throw new AwsErrorException("LimitExceeded", 409, "Cannot exceed quota for PoliciesPerRole: 10");
        role.Attached.Add(arn);
        role.Publish(aws.Now, aws.ManagedPolicy);
        return null;
    }

    private IEnumerable<XElement>? Detach(AwsRole role, string arn)
    {
        if (!role.Attached.Remove(arn)) throw new AwsErrorException("NoSuchEntity", 404, $"Policy {arn} was not found.");
        role.Publish(aws.Now, aws.ManagedPolicy);
        return null;
    }

    private static IEnumerable<XElement>? Tag(AwsRole role, IReadOnlyDictionary<string, string> form)
    {
        SetTags(role, form);
        return null;
    }

    private static void SetTags(AwsRole role, IReadOnlyDictionary<string, string> form)
    {
        for (var i = 1; form.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"Tags.member.{i}.Key"), out var key); i++)
        {
            var value = form.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"Tags.member.{i}.Value"), "");
            if (value.Length > 256) throw AwsErrorException.Validation(value, "tags.X.member.value", "Member must have length less than or equal to 256.");
            role.Tags[key] = value;
        }
    }

    private IEnumerable<XElement> ListRoles(IReadOnlyDictionary<string, string> form)
    {
        var prefix = form.GetValueOrDefault("PathPrefix", "/");
        var found = aws.Roles.Where(role => !role.Deleted && role.Path.StartsWith(prefix, StringComparison.Ordinal)).OrderBy(role => role.Name, StringComparer.Ordinal);
        return List("Roles", [.. found.Select(role => new XElement(Namespace + "member", Members(role, full: true, listed: true)))], form);
    }

    // Pages may be shorter than asked for, and still not be the last.
    private static IEnumerable<XElement> List(string list, IReadOnlyList<XElement> items, IReadOnlyDictionary<string, string> form)
    {
        var size = int.Parse(form.GetValueOrDefault("MaxItems", "100"), CultureInfo.InvariantCulture);
        var start = form.TryGetValue("Marker", out var marker) ? int.Parse(marker, CultureInfo.InvariantCulture) : 0;
        var page = items.Skip(start).Take(size).ToList();
        var more = start + page.Count < items.Count;
        yield return new XElement(Namespace + list, page);
        yield return new XElement(Namespace + "IsTruncated", more ? "true" : "false");
        if (more) yield return new XElement(Namespace + "Marker", (start + page.Count).ToString(CultureInfo.InvariantCulture));
    }

    private IEnumerable<XElement> Simulate(IReadOnlyDictionary<string, string> form)
    {
        var source = form["PolicySourceArn"];
        var principal = aws.Keys.Values.OfType<AwsUser>().FirstOrDefault(user => user.Arn == source) ?? (AwsPrincipal?)SessionOf(source)
            ?? throw new AwsErrorException("NoSuchEntity", 404, $"{source} cannot be found.");
        var keys = new Dictionary<string, IReadOnlyList<string>>(StringComparer.OrdinalIgnoreCase);
        if (form.TryGetValue("ContextEntries.member.1.ContextKeyName", out var key)) keys[key] = [form["ContextEntries.member.1.ContextKeyValues.member.1"]];
        var results = new List<XElement>();
        for (var i = 1; form.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"ActionNames.member.{i}"), out var action); i++)
        {
            var decision = aws.Decide(principal, action, form["ResourceArns.member.1"], keys) switch { Verdict.Allowed => "allowed", Verdict.Denied => "explicitDeny", _ => "implicitDeny" };
            results.Add(new XElement(
                Namespace + "member", new XElement(Namespace + "EvalActionName", action), new XElement(Namespace + "EvalResourceName", form["ResourceArns.member.1"]), new XElement(Namespace + "EvalDecision", decision)));
        }

        return [new(Namespace + "EvaluationResults", results), new(Namespace + "IsTruncated", "false")];
    }

    private AwsSession? SessionOf(string roleArn) => aws.FindRole(roleArn[(roleArn.LastIndexOf('/') + 1)..]) is not { } role ? null : new AwsSession("", "", role.Arn, role.Id)
    {
        Token = "",
        RoleArn = role.Arn,
        RoleId = role.Id,
        Name = "simulated",
        IssuedAt = aws.Now,
        ExpiresAt = aws.Now.AddHours(1),
    };

    private static XElement Attached(string arn) => new(Namespace + "member", new XElement(Namespace + "PolicyName", arn[(arn.LastIndexOf('/') + 1)..]), new XElement(Namespace + "PolicyArn", arn));

    private static XElement Describe(AwsRole role, bool full) => new(Namespace + "Role", Members(role, full, listed: false));

    // CreateRole's answer has no MaxSessionDuration, and a listing no tags.
    private static IEnumerable<XElement> Members(AwsRole role, bool full, bool listed)
    {
        yield return new XElement(Namespace + "Path", role.Path);
        yield return new XElement(Namespace + "RoleName", role.Name);
        yield return new XElement(Namespace + "RoleId", role.Id);
        yield return new XElement(Namespace + "Arn", role.Arn);
        yield return new XElement(Namespace + "CreateDate", AwsStandIn.Show(role.Created));
        yield return new XElement(Namespace + "AssumeRolePolicyDocument", Uri.EscapeDataString(role.Trust));
        if (role.Description.Length > 0) yield return new XElement(Namespace + "Description", role.Description);
        if (full) yield return new XElement(Namespace + "MaxSessionDuration", role.MaxSession);
        if (listed) yield break;
        if (role.Boundary is { } boundary) yield return new XElement(Namespace + "PermissionsBoundary", new XElement(Namespace + "PermissionsBoundaryType", "Policy"), new XElement(Namespace + "PermissionsBoundaryArn", boundary));
        if (role.Tags.Count > 0)
            yield return new XElement(Namespace + "Tags", role.Tags.Select(tag => new XElement(Namespace + "member", new XElement(Namespace + "Key", tag.Key), new XElement(Namespace + "Value", tag.Value))));
        if (full) yield return new XElement(Namespace + "RoleLastUsed");
    }
}

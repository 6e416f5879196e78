using System.Text.Json;

namespace CredBroker.Providers.AwsSts.Tests;

internal static class BadDocuments
{
    private const string Login = """
        "credentials":{"webIdentity":{"roleArn":"arn:aws:iam::123456789012:role/credbroker"}}
        """;

    private const string Reader = """
        "roles":[{"arn":"arn:aws:iam::123456789012:role/app-reader"}]
        """;

    private const string Place = "\"region\":\"eu-central-1\",\"account\":\"123456789012\"";

    private static readonly string[] BadCanaries =
    [
        """{}""",
        """{"url":"http://reports.s3.eu-central-1.amazonaws.com/x","action":"s3:GetObject","resource":"arn:aws:s3:::reports/x"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/x?list-type=2","action":"s3:GetObject","resource":"arn:aws:s3:::reports/x"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/a/../x","action":"s3:GetObject","resource":"arn:aws:s3:::reports/x"}""",
        """{"url":"https://user@reports.s3.eu-central-1.amazonaws.com/x","action":"s3:GetObject","resource":"arn:aws:s3:::reports/x"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/%2e","action":"s3:GetObject","resource":"arn:aws:s3:::reports/x"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/x","action":"s3:Get*","resource":"arn:aws:s3:::reports/x"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/x","action":"*","resource":"arn:aws:s3:::reports/x"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/x","action":"s3:GetObject","resource":"*"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/x","action":"s3:GetObject","resource":"arn:aws:s3:::reports/*"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/x","action":"s3:GetObject","resource":"arn:aws:s3:::reports/x","region":"here"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/x","action":"s3:GetObject","resource":"arn:aws:s3:::reports/x","sufficesAfter":"1s"}""",
        """{"url":"https://reports.s3.eu-central-1.amazonaws.com/x","action":"s3:GetObject","resource":"arn:aws:s3:::reports/x","sufficesAfter":"1h"}""",
    ];

    public static IReadOnlyList<JsonElement> Configurations { get; } =
    [
        .. ((string[])
        [
            "{}",
            """{@place,@login}""",
            """{"region":"Frankfurt","account":"123456789012",@login,@reader}""",
            """{"region":"eu-central-1.attacker.example","account":"123456789012",@login,@reader}""",
            """{"region":"cn-north-1","account":"123456789012",@login,@reader}""",
            """{"region":"eu-central-1","partition":"aws-cn","account":"123456789012",@login,@reader}""",
            """{"region":"eu-central-1","account":"12345678901",@login,@reader}""",
            """{"region":"eu-central-1","account":123456789012,@login,@reader}""",
            """{"region":"eu-central-1","account":"210987654321",@login,@reader}""",
            """{@place,@reader,"credentials":{}}""",
            """{@place,@reader,"credentials":{"defaultChain":{},"profile":{"name":"broker"}}}""",
            """{@place,@reader,"credentials":{"profile":{"name":"/root/.aws/credentials"}}}""",
            """{@place,@reader,"credentials":{"profile":{"name":"../broker"}}}""",
            """{@place,@reader,"credentials":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","secretAccessKey":"x"}}""",
            """{@place,@reader,"credentials":{"webIdentity":{"roleArn":"arn:aws:iam::123456789012:user/credbroker"}}}""",
            """{@place,@login,"roles":[]}""",
            """{@place,@login,"roles":[{"arn":"arn:aws:iam::210987654321:role/app-reader"}]}""",
            """{@place,@login,"roles":[{"arn":"arn:aws:iam::123456789012:role/*"}]}""",
            """{@place,@login,"roles":[{"arn":"arn:aws:iam::123456789012:role/../app-reader\""}]}""",
            """{@place,@login,"roles":[{"arn":"arn:aws:iam::123456789012:role/a"},{"arn":"arn:aws:iam::123456789012:role/p/A"}]}""",
            """{@place,@login,"roles":[{"arn":"arn:aws:iam::123456789012:role/credbroker"}]}""",
            """{@place,@login,@reader,"leaseRoles":{"path":"/"}}""",
            """{@place,@login,@reader,"leaseRoles":{"path":"credbroker"}}""",
            """{@place,@login,@reader,"leaseRoles":{"permissionsBoundary":"arn:aws:iam::123456789012:role/x"}}""",
            """{@place,@login,@reader,"leaseRoles":{"trustedPrincipal":"*"}}""",
            """{@place,@login,@reader,"leaseRoles":{"trustedPrincipal":"arn:aws:iam::210987654321:role/other"}}""",
            """{@place,@login,@reader,"stsEndpoint":"http://sts.eu-central-1.amazonaws.com"}""",
            """{@place,@login,@reader,"stsEndpoint":"https://sts.eu-central-1.amazonaws.com/path"}""",
            """{@place,@login,@reader,"stsEndpoint":"https://user@sts.eu-central-1.amazonaws.com"}""",
            """{@place,@login,@reader,"iamEndpoint":"file:///etc/passwd"}""",
            """{@place,@login,@reader,"iamEndpoint":"http://169.254.169.254"}""",
            """{@place,@login,@reader,"timeout":"0s"}""",
            .. BadCanaries.Select(canary => $$"""{@place,@login,"roles":[{"arn":"arn:aws:iam::123456789012:role/app-reader","canary":{{canary}}}]}"""),
            """{@place,@login,@reader,"timeout":"2m"}""",
        ]).Select(json => JsonElement.Parse(json.Replace("@place", Place, StringComparison.Ordinal).Replace("@login", Login, StringComparison.Ordinal).Replace("@reader", Reader, StringComparison.Ordinal))),
    ];

    public static IReadOnlyList<JsonElement> SessionTemplates { get; } =
    [
        .. new[]
        {
            "{}",
            "{\"roleArn\":\"\"}",
            "{\"roleArn\":\"arn:aws:iam::123456789012:role/*\"}",
            "{\"roleArn\":\"arn:aws:iam::{{account}}:role/app-reader\"}",
            "{\"roleArn\":\"arn:aws:iam::123456789012:role/{{role}}\"}",
            With("\"settle\":\"1s\""),
            With("\"settle\":\"1h\""),
            With("\"otherInlineCharacters\":-1"),
            With("\"otherInlineCharacters\":10240"),
            With("\"policyArns\":[\"arn:aws:iam::aws:role/x\"]"),
            With($"\"policyArns\":[{string.Join(',', Enumerable.Range(0, 11).Select(i => $"\"arn:aws:iam::aws:policy/p{i}\""))}]"),
            With("\"tags\":{\"aws:x\":\"y\"}"),
            With("\"tags\":{\"credbroker:task\":\"y\"}"),
            With("\"tags\":{\"team\":\"a\",\"Team\":\"b\"}"),
            With("\"tags\":{\"team\":\"a*b\"}"),
            With("\"tags\":{\"team\":\"${aws:username}\"}"),
            With($"\"tags\":{{\"team\":\"{new string('x', 257)}\"}}"),
            With($"\"tags\":{{{string.Join(',', Enumerable.Range(0, 49).Select(i => $"\"k{i}\":\"v\""))}}}"),
            With("\"statements\":[{\"actions\":[],\"resources\":[\"*\"]}]"),
            With("\"statements\":[{\"actions\":[\"s3:GetObject\"],\"resources\":[]}]"),
            With("\"statements\":[{\"actions\":[\"GetObject\"],\"resources\":[\"*\"]}]"),
            With("\"statements\":[{\"actions\":[\"s3:Get\\\"Object\"],\"resources\":[\"*\"]}]"),
            With("\"statements\":[{\"actions\":[\"s3:GetObject\"],\"resources\":[\"reports\"]}]"),
            With("\"statements\":[{\"actions\":[\"s3:GetObject\"],\"resources\":[\"arn:aws:s3:::reports/\\\",\\\"*\"]}]"),
            With("\"statements\":[{\"actions\":[\"s3:GetObject\"],\"resources\":[\"*\"],\"conditions\":{\"String Equals\":{\"aws:SourceIp\":[\"x\"]}}}]"),
            With("\"statements\":[{\"actions\":[\"s3:GetObject\"],\"resources\":[\"*\"],\"conditions\":{\"StringEquals\":{}}}]"),
            With("\"statements\":[{\"actions\":[\"s3:GetObject\"],\"resources\":[\"*\"],\"conditions\":{\"StringEquals\":{\"aws:SourceIp\":[]}}}]"),
            With("\"statements\":[{\"effect\":\"permit\",\"actions\":[\"s3:GetObject\"],\"resources\":[\"*\"]}]"),
            With("\"statements\":[{\"notActions\":[\"iam:*\"],\"resources\":[\"*\"]}]"),
            With($"\"statements\":[{{\"actions\":[\"s3:GetObject\"],\"resources\":[{string.Join(',', Enumerable.Range(0, 60).Select(i => $"\"arn:aws:s3:::a-bucket-with-a-rather-long-name-{i}/*\""))}]}}]"),
            With("\"allowAll\":true"),
        }.Select(json => JsonElement.Parse(json)),
    ];

    public static IReadOnlyList<JsonElement> LeaseRoleTemplates { get; } =
    [
        .. new[]
        {
            "{}",
            "{\"statements\":[]}",
            "{\"statements\":[{\"actions\":[\"s3:GetObject\"],\"resources\":[\"arn:aws:s3:::{{bucket}}/*\"]}]}",
            $"{{\"statements\":[{string.Join(',', Enumerable.Range(0, 50).Select(i => $"{{\"actions\":[\"s3:GetObject\"],\"resources\":[\"arn:aws:s3:::{new string('b', 300)}{i}/*\"]}}"))}]}}",
        }.Select(json => JsonElement.Parse(json)),
    ];

    private static string With(string further) => $"{{\"roleArn\":\"arn:aws:iam::123456789012:role/app-reader\",{further}}}";
}

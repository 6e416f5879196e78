namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>The policies as docs/providers/aws-sts.md has them; a test holds the two together.</summary>
internal static class SetUpTexts
{
    public static string BrokerPolicy(string account) => $$"""
        {
          "Version": "2012-10-17",
          "Statement": [
            {
              "Effect": "Allow",
              "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
              "Resource": ["arn:aws:iam::{{account}}:role/app-reader", "arn:aws:iam::{{account}}:role/credbroker/*"]
            },
            {
              "Effect": "Allow",
              "Action": ["iam:GetRole", "iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"],
              "Resource": ["arn:aws:iam::{{account}}:role/app-reader", "arn:aws:iam::{{account}}:role/credbroker/*"]
            },
            {
              "Effect": "Allow",
              "Action": ["iam:CreateRole", "iam:DeleteRole", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:ListRoles"],
              "Resource": "arn:aws:iam::{{account}}:role/credbroker/*"
            },
            {
              "Effect": "Allow",
              "Action": "iam:SimulatePrincipalPolicy",
              "Resource": "arn:aws:iam::{{account}}:role/credbroker"
            }
          ]
        }
        """;

    public static string BrokerTrust(string account, string issuer, string audience, string subject) => $$"""
        {
          "Version": "2012-10-17",
          "Statement": [
            {
              "Effect": "Allow",
              "Principal": { "Federated": "arn:aws:iam::{{account}}:oidc-provider/{{issuer}}" },
              "Action": "sts:AssumeRoleWithWebIdentity",
              "Condition": { "StringEquals": { "{{issuer}}:aud": "{{audience}}", "{{issuer}}:sub": "{{subject}}" } }
            }
          ]
        }
        """;

    /// <summary>What "Revoke active sessions" in the console writes.</summary>
    public static string ConsoleRevocation(DateTimeOffset now) => $$"""
        {
          "Version": "2012-10-17",
          "Statement": [
            {
              "Effect": "Deny",
              "Action": ["*"],
              "Resource": ["*"],
              "Condition": { "DateLessThan": { "aws:TokenIssueTime": "{{now.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}" } }
            }
          ]
        }
        """;

    public static string Trust(string broker, string installation) => $$"""
        {
          "Version": "2012-10-17",
          "Statement": [
            {
              "Effect": "Allow",
              "Principal": { "AWS": "{{broker}}" },
              "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
              "Condition": { "StringLike": { "sts:SourceIdentity": "cb-{{installation}}-*" } }
            },
            {
              "Effect": "Allow",
              "Principal": { "AWS": "{{broker}}" },
              "Action": "sts:TagSession"
            }
          ]
        }
        """;
}

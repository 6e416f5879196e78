using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace CredBroker.Providers.AwsSts;

/// <summary>A partition of AWS: what is in one knows nothing of the others.</summary>
public enum AwsPartition
{
    /// <summary>The commercial regions.</summary>
    Aws = 1,

    /// <summary>China.</summary>
    AwsCn = 2,

    /// <summary>AWS GovCloud (US).</summary>
    AwsUsGov = 3,
}

/// <summary>What differs between partitions.</summary>
internal static class Partitions
{
    public static string Id(this AwsPartition partition) => partition switch
    {
        AwsPartition.AwsCn => "aws-cn",
        AwsPartition.AwsUsGov => "aws-us-gov",
        _ => "aws",
    };

    public static string DnsSuffix(this AwsPartition partition) => partition == AwsPartition.AwsCn ? "amazonaws.com.cn" : "amazonaws.com";

    public static string IamHost(this AwsPartition partition) => partition switch
    {
        AwsPartition.AwsCn => "iam.cn-north-1.amazonaws.com.cn",
        AwsPartition.AwsUsGov => "iam.us-gov.amazonaws.com",
        _ => "iam.amazonaws.com",
    };

    public static string IamRegion(this AwsPartition partition) => partition switch
    {
        AwsPartition.AwsCn => "cn-north-1",
        AwsPartition.AwsUsGov => "us-gov-west-1",
        _ => "us-east-1",
    };
}

/// <summary>The ARN of a role.</summary>
/// <param name="Text">The ARN itself.</param>
/// <param name="Partition">The partition's id.</param>
/// <param name="Account">The account's 12 digits.</param>
/// <param name="Name">The role's name, without its path.</param>
internal sealed partial record RoleArn(string Text, string Partition, string Account, string Name)
{
    public const string Rule = "This is the ARN of a role, such as arn:aws:iam::123456789012:role/app-reader.";

    public static bool TryParse(string? text, [NotNullWhen(true)] out RoleArn? arn)
    {
        arn = null;
        if (text is null || text.Length > 512 || Pattern().Match(text) is not { Success: true } match) return false;
        arn = new RoleArn(text, match.Groups[1].Value, match.Groups[2].Value, match.Groups[4].Value);
        return true;
    }

    [GeneratedRegex(@"\Aarn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}):role/((?:[A-Za-z0-9_+=,.@-]+/)*)([A-Za-z0-9_+=,.@-]{1,64})\z")]
    private static partial Regex Pattern();
}

/// <summary>The identity that leases are pinned to: nothing in another account says anything about them.</summary>
internal static class TargetAccount
{
    public static string IdentityOf(string partition, string account) => $"{partition}:{account}";

    /// <summary>The identity in the ARN of something that the target has named; null for what is no ARN with an account.</summary>
    public static string? IdentityIn(string? arn) => arn?.Split(':') is ["arn", { Length: > 0 } partition, _, _, { Length: 12 } account, ..] ? IdentityOf(partition, account) : null;
}

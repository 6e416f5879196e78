namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>Where a service answers, and for what region requests to it are signed.</summary>
internal sealed record ServiceEndpoint(string Service, string ApiVersion, Uri Address, string Region)
{
    /// <summary>The regional endpoint: sessions from it work in every region, those of the global one do not.</summary>
    public static ServiceEndpoint Sts(AwsStsConfiguration configuration) => new(
        "sts", "2011-06-15", AddressOf(configuration.StsEndpoint, $"sts.{configuration.Region}.{configuration.Partition.DnsSuffix()}"), configuration.Region);

    /// <summary>IAM has one endpoint in each partition, and one region that its requests are signed for.</summary>
    public static ServiceEndpoint Iam(AwsStsConfiguration configuration) => new(
        "iam", "2010-05-08", AddressOf(configuration.IamEndpoint, configuration.Partition.IamHost()), configuration.Partition.IamRegion());

    private static Uri AddressOf(string? configured, string host) => new(configured ?? $"https://{host}/");
}

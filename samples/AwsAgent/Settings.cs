namespace AwsAgent;

/// <summary>What the environment says.</summary>
/// <param name="Broker">Where the broker's gRPC port is.</param>
/// <param name="TokenFile">The file with this workload's own attested token.</param>
/// <param name="Role">A role of a provider of the type <c>aws-sts</c>.</param>
/// <param name="Object">The address of an object of S3 that the role may read.</param>
/// <param name="Patience">How long to wait until AWS refuses the session.</param>
internal sealed record Settings(Uri Broker, string TokenFile, string Role, Uri Object, TimeSpan Patience)
{
    public const string Usage = """
        CREDBROKER_URL         the broker's gRPC address, as in https://broker.example:8443
        CREDBROKER_TOKEN_FILE  the file with this workload's own token, readable by nobody else
        CREDBROKER_ROLE        a role, as in providers/aws-prod/roles/reports
        AWS_AGENT_OBJECT       an object that the role may read, as in https://reports.s3.eu-central-1.amazonaws.com/today.txt
        AWS_AGENT_PATIENCE     how many seconds to wait for the refusal; 600 if it is not set
        """;

    /// <summary>Null if something is missing.</summary>
    public static Settings? FromEnvironment() =>
        Uri.TryCreate(Environment.GetEnvironmentVariable("CREDBROKER_URL"), UriKind.Absolute, out var broker)
        && Environment.GetEnvironmentVariable("CREDBROKER_TOKEN_FILE") is { Length: > 0 } file
        && Environment.GetEnvironmentVariable("CREDBROKER_ROLE") is { Length: > 0 } role
        && Uri.TryCreate(Environment.GetEnvironmentVariable("AWS_AGENT_OBJECT"), UriKind.Absolute, out var address)
        && int.TryParse(Environment.GetEnvironmentVariable("AWS_AGENT_PATIENCE") ?? "600", out var seconds)
            ? new Settings(broker, file, role, address, TimeSpan.FromSeconds(seconds))
            : null;
}

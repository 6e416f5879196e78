namespace AzureAgent;

/// <summary>What the environment says.</summary>
/// <param name="Broker">Where the broker's gRPC port is.</param>
/// <param name="TokenFile">The file with this workload's own attested token.</param>
/// <param name="Role">A role of the kind <c>app-federated</c>, <c>app-password</c> or <c>shared-app-password</c>.</param>
/// <param name="Resource">What to read with the credential.</param>
internal sealed record Settings(Uri Broker, string TokenFile, string Role, Uri Resource)
{
    public const string Usage = """
        CREDBROKER_URL         the broker's gRPC address, as in https://broker.example:8443
        CREDBROKER_TOKEN_FILE  the file with this workload's own token, readable by nobody else
        CREDBROKER_ROLE        a role of the kind app-federated, app-password or shared-app-password, as in providers/azure/roles/reader
        AZURE_RESOURCE         what to read with it at Azure Resource Manager, as in
                               https://management.azure.com/subscriptions/<id>/resourceGroups/demo?api-version=2021-04-01
        """;

    /// <summary>Null if something is missing.</summary>
    public static Settings? FromEnvironment() =>
        Uri.TryCreate(Environment.GetEnvironmentVariable("CREDBROKER_URL"), UriKind.Absolute, out var broker)
        && Environment.GetEnvironmentVariable("CREDBROKER_TOKEN_FILE") is { Length: > 0 } file
        && Environment.GetEnvironmentVariable("CREDBROKER_ROLE") is { Length: > 0 } role
        && Uri.TryCreate(Environment.GetEnvironmentVariable("AZURE_RESOURCE"), UriKind.Absolute, out var resource)
            ? new Settings(broker, file, role, resource)
            : null;
}

namespace VaultAgent;

/// <summary>What the environment says.</summary>
/// <param name="Broker">Where the broker's gRPC port is.</param>
/// <param name="TokenFile">The file with this workload's own attested token.</param>
/// <param name="Role">A role of the kind <c>scoped-token</c>, as in <c>providers/vault-prod/roles/app-token</c>.</param>
/// <param name="Path">What to read with the token, below <c>/v1/</c>.</param>
internal sealed record Settings(Uri Broker, string TokenFile, string Role, string Path)
{
    public const string Usage = """
        CREDBROKER_URL         the broker's gRPC address, as in https://broker.example:8443
        CREDBROKER_TOKEN_FILE  the file with this workload's own token, readable by nobody else
        CREDBROKER_ROLE        a role of the kind scoped-token, as in providers/vault-prod/roles/app-token
        VAULT_PATH             what to read with it below /v1/; auth/token/lookup-self if it is not set
        """;

    /// <summary>Null if something is missing.</summary>
    public static Settings? FromEnvironment() =>
        Uri.TryCreate(Environment.GetEnvironmentVariable("CREDBROKER_URL"), UriKind.Absolute, out var broker)
        && Environment.GetEnvironmentVariable("CREDBROKER_TOKEN_FILE") is { Length: > 0 } file
        && Environment.GetEnvironmentVariable("CREDBROKER_ROLE") is { Length: > 0 } role
            ? new Settings(broker, file, role, Environment.GetEnvironmentVariable("VAULT_PATH") ?? "auth/token/lookup-self")
            : null;
}

using CredBroker.Core;
using CredBroker.Core.Egress;

namespace CredBroker.Server.Configuration;

/// <summary>
/// What the operator decides: <c>credbroker.yaml</c> and the environment variables over it. It holds no secret, only where secrets are
/// kept. Every key is explained in docs/configuration.md, and a test sees to it.
/// </summary>
public sealed record ServerConfiguration
{
    /// <summary>What makes this installation this one.</summary>
    public InstallationConfiguration Installation { get; init; } = new();

    /// <summary>Where the server listens.</summary>
    public ListenConfiguration Listen { get; init; } = new();

    /// <summary>The database: SQLite unless PostgreSQL is configured.</summary>
    public StorageConfiguration Storage { get; init; } = new();

    /// <summary>The operator's own identity sources, and the first administrator.</summary>
    public OperatorConfiguration Operator { get; init; } = new();

    /// <summary>Where the broker itself may connect to.</summary>
    public EgressPolicy Egress { get; init; } = new();

    /// <summary>The named secrets that providers and hooks may use.</summary>
    public IReadOnlyList<SecretSourceConfiguration> SecretSources { get; init; } = [];

    /// <summary>The folder of manifests that is applied at start.</summary>
    public ManifestsConfiguration Manifests { get; init; } = new();

    /// <summary>Limits and periods.</summary>
    public BrokerLimits Limits { get; init; } = new();

    /// <summary>What is logged, and how.</summary>
    public LoggingConfiguration Logging { get; init; } = new();

    /// <summary>Where metrics are served.</summary>
    public TelemetryConfiguration Telemetry { get; init; } = new();
}

/// <summary>What the installation is used for.</summary>
public enum RuntimeEnvironment
{
    /// <summary>Every rule holds.</summary>
    Production,

    /// <summary>On loopback alone a wrapping key is made where none is configured.</summary>
    Development,
}

/// <summary>What makes this installation this one.</summary>
public sealed record InstallationConfiguration
{
    /// <summary>6 characters of <c>[a-z0-9]</c>.</summary>
    public string Id { get; init; } = "";

    /// <summary>Where the broker is reached from outside.</summary>
    public string PublicUrl { get; init; } = "";

    /// <summary>What it is used for.</summary>
    public RuntimeEnvironment Environment { get; init; }

    /// <summary>The file with the wrapping key: 32 random bytes in base64.</summary>
    public string? WrappingKeyFile { get; init; }

    /// <summary>The name of the environment variable with the wrapping key.</summary>
    public string? WrappingKeyEnv { get; init; }

    /// <summary>Files with earlier wrapping keys.</summary>
    public IReadOnlyList<string> PreviousWrappingKeyFiles { get; init; } = [];
}

/// <summary>What is logged, and how.</summary>
public sealed record LoggingConfiguration
{
    /// <summary>The least that is logged.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>One line an event, as text or as JSON.</summary>
    public LogFormat Format { get; init; }
}

/// <summary>How a line of the log looks.</summary>
public enum LogFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For machines.</summary>
    Json,
}

/// <summary>Where metrics are served.</summary>
public sealed record TelemetryConfiguration
{
    /// <summary>An address of their own for <c>/metrics</c>.</summary>
    public string? MetricsAddress { get; init; }

    /// <summary>Serve <c>/metrics</c> on every address, to whoever asks.</summary>
    public bool MetricsOnEveryAddress { get; init; }
}

/// <summary>The folder of manifests that is applied at start.</summary>
public sealed record ManifestsConfiguration
{
    /// <summary>The folder.</summary>
    public string? Folder { get; init; }

    /// <summary>Remove what an earlier start applied and the folder no longer has.</summary>
    public bool Prune { get; init; }

    /// <summary>How many live leases each change of policies by the folder may end.</summary>
    public int ExpectRevoked { get; init; }
}

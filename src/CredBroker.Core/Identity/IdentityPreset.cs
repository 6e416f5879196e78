namespace CredBroker.Core.Identity;

/// <summary>What is known of an issuer's tokens: the defaults of a source, and the refusals that no setting lifts.</summary>
internal sealed record IdentityPreset
{
    /// <summary>The algorithms that any source may accept: asymmetric ones alone (RFC 7518, section 3.1; RFC 8725, section 3.1).</summary>
    public static readonly IReadOnlyList<string> AllAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);

    public string? Issuer { get; init; }

    public IReadOnlyList<string> Algorithms { get; init; } = AllAlgorithms;

    public IReadOnlyList<string> Typ { get; init; } = ["JWT"];

    public TimeSpan MaxTokenLife { get; init; } = OneHour;

    public IReadOnlyList<string> StableIdClaims { get; init; } = [];

    public IReadOnlyList<string> InstanceClaims { get; init; } = [];

    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The claim that says what caused a run, and must be there; null where there is none.</summary>
    public string? EventClaim { get; init; }

    /// <summary>The events that a stranger can cause while the token speaks for the repository.</summary>
    public IReadOnlyList<string> RefusedEvents { get; init; } = [];

    /// <summary>Claims, besides those of every log-in, that only a person's token has.</summary>
    public IReadOnlyList<string> PersonClaims { get; init; } = [];

    /// <summary>Subjects are SPIFFE ids, and keys are chosen by their trust domain.</summary>
    public bool Spiffe { get; init; }

    /// <summary>How old keys get before they are fetched again.</summary>
    public TimeSpan RefreshEvery { get; init; } = TimeSpan.FromMinutes(15);

    public static IReadOnlyList<string> Names => [.. All.Keys.Where(name => name.Length > 0).Order(StringComparer.Ordinal)];

    public static IdentityPreset? Find(string name) => All.GetValueOrDefault(name);

    private static readonly Dictionary<string, IdentityPreset> All = new(StringComparer.Ordinal)
    {
        [""] = new IdentityPreset(),

        // docs.github.com, "OpenID Connect reference". Every value is a string; nbf is ten minutes before iat.
        ["github"] = new IdentityPreset
        {
            Issuer = "https://token.actions.githubusercontent.com",
            Algorithms = ["RS256"],
            StableIdClaims = ["repository_id", "repository_owner_id"],
            InstanceClaims = ["run_id", "run_attempt"],
            Attributes = Same("actor", "actor_id", "environment", "event_name", "job_workflow_ref", "ref", "ref_protected", "ref_type", "repository", "repository_id",
                "repository_owner", "repository_owner_id", "repository_visibility", "run_attempt", "run_id", "runner_environment", "sha", "workflow_ref"),
            EventClaim = "event_name",
            RefusedEvents = ["pull_request", "pull_request_target", "workflow_run", "issue_comment"],
        },

        // docs.gitlab.com, "OpenID Connect (OIDC) Authentication Using ID Tokens".
        ["gitlab"] = new IdentityPreset
        {
            Issuer = "https://gitlab.com",
            Algorithms = ["RS256"],
            StableIdClaims = ["namespace_id", "project_id"],
            InstanceClaims = ["job_id"],
            Attributes = Same("ci_config_ref_uri", "environment", "environment_protected", "job_id", "namespace_id", "namespace_path", "pipeline_id", "pipeline_source",
                "project_id", "project_path", "project_visibility", "ref", "ref_protected", "ref_type", "runner_environment", "sha", "user_id", "user_login"),
        },

        // Service-account tokens have no typ. The pod's uid is there only when the token is bound to one.
        ["kubernetes"] = new IdentityPreset
        {
            Typ = [""],
            StableIdClaims = ["kubernetes.io/serviceaccount/uid"],
            InstanceClaims = ["kubernetes.io/pod/uid"],
            Attributes = new Dictionary<string, string>
            {
                ["namespace"] = "kubernetes.io/namespace",
                ["node"] = "kubernetes.io/node/name",
                ["pod"] = "kubernetes.io/pod/name",
                ["pod_uid"] = "kubernetes.io/pod/uid",
                ["service_account"] = "kubernetes.io/serviceaccount/name",
                ["service_account_uid"] = "kubernetes.io/serviceaccount/uid",
            },
        },

        // learn.microsoft.com, "Access token claims reference": app tokens live up to 24 h; scp is there only when an app acts for a person.
        ["entra"] = new IdentityPreset
        {
            Algorithms = ["RS256"],
            MaxTokenLife = TimeSpan.FromHours(24),
            StableIdClaims = ["oid", "tid"],
            Attributes = new Dictionary<string, string>
            {
                ["app_id"] = "azp",
                ["app_id_v1"] = "appid",
                ["object_id"] = "oid",
                ["tenant_id"] = "tid",
                ["resource_id"] = "xms_mirid",
            },
            PersonClaims = ["scp"],
        },

        // The subject of a Google service account is its unique number, which is never given again.
        ["google"] = new IdentityPreset
        {
            Issuer = "https://accounts.google.com",
            Algorithms = ["RS256"],
            StableIdClaims = ["sub"],
            InstanceClaims = ["google/compute_engine/instance_id"],
            Attributes = new Dictionary<string, string>
            {
                ["authorized_party"] = "azp",
                ["email"] = "email",
                ["email_verified"] = "email_verified",
                ["instance_id"] = "google/compute_engine/instance_id",
                ["instance_name"] = "google/compute_engine/instance_name",
                ["project_id"] = "google/compute_engine/project_id",
                ["zone"] = "google/compute_engine/zone",
            },
        },

        // JWT-SVID.md, sections 2 to 4. iss is there only when configured; 300 s is the bundle's refresh hint by default.
        ["spire"] = new IdentityPreset { Typ = ["JWT", "JOSE", ""], Spiffe = true, RefreshEvery = TimeSpan.FromMinutes(5) },
    };

    private static Dictionary<string, string> Same(params string[] names) => names.ToDictionary(name => name, StringComparer.Ordinal);
}

namespace CredBroker.Core;

/// <summary>The reasons that Core gives; the same names as the contract's <c>ErrorReason</c>.</summary>
public static class Reasons
{
    public const string TokenRejected = "TOKEN_REJECTED";
    public const string PermissionDenied = "PERMISSION_DENIED";
    public const string PolicyDenied = "POLICY_DENIED";
    public const string ApprovalRequired = "APPROVAL_REQUIRED";
    public const string SubjectRecycled = "SUBJECT_RECYCLED";
    public const string Suspended = "SUSPENDED";
    public const string NotTaskInstance = "NOT_TASK_INSTANCE";
    public const string ManagedElsewhere = "MANAGED_ELSEWHERE";
    public const string ResourceNotFound = "RESOURCE_NOT_FOUND";
    public const string FieldsInvalid = "FIELDS_INVALID";
    public const string ConfigurationInvalid = "CONFIGURATION_INVALID";
    public const string PolicyInvalid = "POLICY_INVALID";
    public const string ParametersInvalid = "PARAMETERS_INVALID";
    public const string AlreadyExists = "ALREADY_EXISTS";
    public const string NameWasUsed = "NAME_WAS_USED";
    public const string NameInPolicies = "NAME_IN_POLICIES";
    public const string EtagMismatch = "ETAG_MISMATCH";
    public const string RequestIdReused = "REQUEST_ID_REUSED";
    public const string RequestSuperseded = "REQUEST_SUPERSEDED";
    public const string ConcurrentChange = "CONCURRENT_CHANGE";
    public const string TaskEnded = "TASK_ENDED";
    public const string LeaseDead = "LEASE_DEAD";
    public const string NotRenewable = "NOT_RENEWABLE";
    public const string HasLiveLeases = "HAS_LIVE_LEASES";
    public const string LiveLeasesWouldDie = "LIVE_LEASES_WOULD_DIE";
    public const string TargetIdentityChanged = "TARGET_IDENTITY_CHANGED";
    public const string ReviewOverdue = "REVIEW_OVERDUE";
    public const string ProviderDraining = "PROVIDER_DRAINING";
    public const string ProviderQuarantined = "PROVIDER_QUARANTINED";
    public const string LifeTooShort = "LIFE_TOO_SHORT";
    public const string ReferenceNotFound = "REFERENCE_NOT_FOUND";
    public const string TaskRunning = "TASK_RUNNING";
    public const string NoHeartbeatExpected = "NO_HEARTBEAT_EXPECTED";
    public const string StateConflict = "STATE_CONFLICT";
    public const string QuotaExceeded = "QUOTA_EXCEEDED";
    public const string RateLimited = "RATE_LIMITED";
    public const string ProviderUnavailable = "PROVIDER_UNAVAILABLE";
    public const string ProviderFailed = "PROVIDER_FAILED";
    public const string BrokerUnavailable = "BROKER_UNAVAILABLE";
}

namespace CredBroker.Core.Audit;

/// <summary>What the audit trail can tell of.</summary>
public static class AuditTypes
{
    public const string TaskCreated = "task.created";
    public const string TaskEnded = "task.ended";
    public const string TaskForgotten = "task.forgotten";
    public const string TaskTextsErased = "task.texts_erased";
    public const string TaskPerformerBound = "task.performer_bound";
    public const string Decision = "decision";
    public const string DecisionRepeated = "decision.repeated";
    public const string LeaseReserved = "lease.reserved";
    public const string LeaseActivated = "lease.activated";
    public const string LeaseHandleRecorded = "lease.handle_recorded";
    public const string LeaseRenewalIntended = "lease.renewal_intended";
    public const string LeaseRenewed = "lease.renewed";
    public const string LeaseRevoking = "lease.revoking";
    public const string LeaseAttemptFailed = "lease.attempt_failed";
    public const string LeaseSettling = "lease.settling";
    public const string LeaseAnsweredLate = "lease.answered_late";
    public const string LeaseRevoked = "lease.revoked";
    public const string LeaseExpired = "lease.expired";
    public const string LeaseVoid = "lease.void";
    public const string LeaseFoundAlive = "lease.found_alive";
    public const string LeaseReappeared = "lease.reappeared";
    public const string LeaseWrittenOff = "lease.written_off";
    public const string GroupOverflowed = "group.overflowed";
    public const string ReceiptClosed = "receipt.closed";
    public const string ResourceCreated = "resource.created";
    public const string ResourceUpdated = "resource.updated";
    public const string ResourceDeleted = "resource.deleted";
    public const string ProviderReconciled = "provider.reconciled";
    public const string ProviderQuarantined = "provider.quarantined";
    public const string ProviderReleased = "provider.released";
    public const string DatabaseRestored = "database.restored";
    public const string ProviderIdentityAccepted = "provider.identity_accepted";
    public const string Suspended = "suspension.created";
    public const string SuspensionLifted = "suspension.lifted";
    public const string WorkloadSeen = "workload.seen";
    public const string WorkloadRecycled = "workload.recycled";
    public const string WorkloadAccepted = "workload.identity_accepted";
    public const string AuthenticationRefused = "authentication.refused";
    public const string HookRefused = "hook.refused";
    public const string PolicyReevaluated = "policy.reevaluated";
    public const string PolicyUnclear = "policy.reevaluation_unclear";
    public const string ManifestsApplied = "manifests.applied";
}

using CredBroker.Contracts.V1;
using Grpc.Core;

namespace CredBroker.AspNetCore.Errors;

/// <summary>What a reason means to a transport, and what its caller can do.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Code">The gRPC status code.</param>
/// <param name="Http">The HTTP status code.</param>
/// <param name="Remedy">What the caller can do, for the documentation.</param>
public sealed record ErrorDefinition(ErrorReason Reason, StatusCode Code, int Http, string Remedy)
{
    /// <summary>The reason as it is sent, in UPPER_SNAKE_CASE.</summary>
    public string Name => ErrorReasons.NameOf(Reason);
}

/// <summary>Every reason that the broker gives, once: the only place where a reason meets a status code.</summary>
public static class ErrorReasons
{
    private static readonly Dictionary<ErrorReason, string> Names =
        ErrorsReflection.Descriptor.EnumTypes.Single().Values.ToDictionary(value => (ErrorReason)value.Number, value => value.Name);

    /// <summary>All of them, in the order of the contract.</summary>
    public static IReadOnlyList<ErrorDefinition> All { get; } =
    [
        Define(ErrorReason.CredentialsMissing, StatusCode.Unauthenticated, "Send `Authorization: Bearer` with a token of an identity source that this broker trusts."),
        Define(ErrorReason.TokenRejected, StatusCode.Unauthenticated, "Get a fresh token, with the audience that the identity source accepts. Who runs the broker finds the rule that refused it in the log."),
        Define(ErrorReason.PermissionDenied, StatusCode.PermissionDenied, "Ask whoever keeps the policies for the right."),
        Define(ErrorReason.PolicyDenied, StatusCode.PermissionDenied, "Ask an auditor for the decision named in the metadata: it says which policies decided."),
        Define(ErrorReason.ApprovalRequired, StatusCode.PermissionDenied, "Nothing yet: approvals can't be given so far. Ask whoever keeps the policies."),
        Define(ErrorReason.SubjectRecycled, StatusCode.PermissionDenied, "An administrator compares the ids and calls `workloads/{workload}:acceptIdentity`."),
        Define(ErrorReason.Suspended, StatusCode.PermissionDenied, "Wait until the suspension is lifted; ask those who suspended."),
        Define(ErrorReason.NotTaskInstance, StatusCode.PermissionDenied, "Only the instance that the task belongs to can act on it, or whom policy permits `actOnTask`."),
        Define(ErrorReason.ManagedElsewhere, StatusCode.PermissionDenied, "Change it in the file or folder that it comes from."),
        Define(ErrorReason.ResourceNotFound, StatusCode.NotFound, "Check the name. What you may not see looks the same as what isn't there."),
        Define(ErrorReason.MethodNotFound, StatusCode.Unimplemented, "Check the path or method against `/openapi/v1.json`.", 404),
        Define(ErrorReason.HttpMethodNotAllowed, StatusCode.Unimplemented, "Use one of the methods in the `Allow` header.", 405),
        Define(ErrorReason.MediaTypeNotSupported, StatusCode.InvalidArgument, "Send `Content-Type: application/json` in UTF-8, without a content encoding.", 415),
        Define(ErrorReason.BodyTooLarge, StatusCode.ResourceExhausted, "Send at most 64 KiB; for policy sets 3 MiB.", 413),
        Define(ErrorReason.BodyUnreadable, StatusCode.InvalidArgument, "Send one valid document, nested no deeper than 32."),
        Define(ErrorReason.FieldsInvalid, StatusCode.InvalidArgument, "Correct every field that the violations name."),
        Define(ErrorReason.FilterInvalid, StatusCode.InvalidArgument, "Use the fields and operators that the violation names."),
        Define(ErrorReason.PageTokenInvalid, StatusCode.InvalidArgument, "Start from the first page, with the same filter for all pages."),
        Define(ErrorReason.UpdateMaskInvalid, StatusCode.InvalidArgument, "Name fields that exist and can be changed."),
        Define(ErrorReason.ConfigurationInvalid, StatusCode.InvalidArgument, "Correct every place that the violations name; `providerTypes` has the schemas."),
        Define(ErrorReason.PolicyInvalid, StatusCode.InvalidArgument, "Correct every place that the violations name. What was in force stays so."),
        Define(ErrorReason.ParametersInvalid, StatusCode.InvalidArgument, "Send the parameters that the role declares, within their values or patterns."),
        Define(ErrorReason.AlreadyExists, StatusCode.AlreadyExists, "Choose another name, or update what is there."),
        Define(ErrorReason.NameWasUsed, StatusCode.AlreadyExists, "Choose another name, or say with `reuse_name` that it's meant: nothing is inherited."),
        Define(ErrorReason.EtagMismatch, StatusCode.Aborted, "Read it again, and decide whether your change still holds."),
        Define(ErrorReason.RequestIdReused, StatusCode.AlreadyExists, "Use a new request id for a new request."),
        Define(ErrorReason.RequestSuperseded, StatusCode.Aborted, "A newer attempt of the same request is under way or answered: use that one's answer."),
        Define(ErrorReason.ConcurrentChange, StatusCode.Aborted, "Try again after the time in the details."),
        Define(ErrorReason.NameInPolicies, StatusCode.AlreadyExists, "Take the name out of what the metadata lists, or choose another: what is said of the name would hold for the new one."),
        Define(ErrorReason.TaskEnded, StatusCode.FailedPrecondition, "Create a new task."),
        Define(ErrorReason.LeaseDead, StatusCode.FailedPrecondition, "Issue a new lease."),
        Define(ErrorReason.NotRenewable, StatusCode.FailedPrecondition, "Issue a new lease."),
        Define(ErrorReason.HasLiveLeases, StatusCode.FailedPrecondition, "Wait until they are proven dead, or delete with `force` to drain it."),
        Define(ErrorReason.LiveLeasesWouldDie, StatusCode.FailedPrecondition, "Look at `policySets/{set}:preview`; if that is meant, send the number in `expect_revoked`."),
        Define(ErrorReason.TargetIdentityChanged, StatusCode.FailedPrecondition, "If the target was rebuilt or moved, accept it by `providers/{provider}:acceptIdentity`; else correct the configuration."),
        Define(ErrorReason.ReviewOverdue, StatusCode.FailedPrecondition, "Its owner reviews it and sets a new `review_by`."),
        Define(ErrorReason.ProviderDraining, StatusCode.FailedPrecondition, "Use another provider."),
        Define(ErrorReason.LifeTooShort, StatusCode.FailedPrecondition, "Use a task with more time left."),
        Define(ErrorReason.ReferenceNotFound, StatusCode.FailedPrecondition, "Create what it refers to first."),
        Define(ErrorReason.TaskRunning, StatusCode.FailedPrecondition, "Ask again when the task has ended."),
        Define(ErrorReason.NoHeartbeatExpected, StatusCode.FailedPrecondition, "Create tasks with a `heartbeat_interval` to send heartbeats."),
        Define(ErrorReason.ProviderQuarantined, StatusCode.FailedPrecondition, "An administrator looks at `credbroker quarantine show`, and reconciles or releases the provider."),
        Define(ErrorReason.StateConflict, StatusCode.FailedPrecondition, "Read it again; the message says which state is needed."),
        Define(ErrorReason.QuotaExceeded, StatusCode.ResourceExhausted, "End what is no longer needed; the metadata names the quota. For `group`, wait for the time in the details, or ask for shorter lives: places in a shared document are free by time alone."),
        Define(ErrorReason.RateLimited, StatusCode.ResourceExhausted, "Wait for the time in the details."),
        Define(ErrorReason.ProviderUnavailable, StatusCode.Unavailable, "Try again after the time in the details, with the same request id and a higher attempt."),
        Define(ErrorReason.ProviderFailed, StatusCode.Internal, "An administrator runs `credbroker provider check`."),
        Define(ErrorReason.BrokerUnavailable, StatusCode.Unavailable, "Try again after the time in the details."),
        Define(ErrorReason.DeadlineExceeded, StatusCode.DeadlineExceeded, "Ask how far it got, or call again with a longer deadline."),
        Define(ErrorReason.CallCancelled, StatusCode.Cancelled, "Nothing: the caller itself went away."),
        Define(ErrorReason.Internal, StatusCode.Internal, "Give whoever runs the broker the trace id of the metadata."),
    ];

    private static readonly Dictionary<string, ErrorDefinition> ByName = All.ToDictionary(definition => definition.Name, StringComparer.Ordinal);

    /// <summary>The definition of a reason.</summary>
    public static ErrorDefinition Of(ErrorReason reason) => ByName[NameOf(reason)];

    /// <summary>The definition of a reason by its name; that of INTERNAL for one that isn't listed.</summary>
    public static ErrorDefinition Of(string name) => ByName.GetValueOrDefault(name) ?? Of(ErrorReason.Internal);

    /// <summary>The reason as it is sent.</summary>
    public static string NameOf(ErrorReason reason) => Names[reason];

    private static ErrorDefinition Define(ErrorReason reason, StatusCode code, string remedy, int? http = null) =>
        new(reason, code, http ?? HttpOf(code), remedy);

    // As JSON transcoding maps them, so that both ways to an answer agree.
    private static int HttpOf(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => 400,
        StatusCode.Unauthenticated => 401,
        StatusCode.PermissionDenied => 403,
        StatusCode.NotFound => 404,
        StatusCode.AlreadyExists or StatusCode.Aborted => 409,
        StatusCode.ResourceExhausted => 429,
        StatusCode.Cancelled => 499,
        StatusCode.Unimplemented => 501,
        StatusCode.Unavailable => 503,
        StatusCode.DeadlineExceeded => 504,
        _ => 500,
    };
}

using CredBroker.Abstractions;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Status = Google.Rpc.Status;

namespace CredBroker.AspNetCore.Errors;

/// <summary>The one form of an error on both transports: <c>google.rpc.Status</c> with its details.</summary>
public static class ErrorStatus
{
    /// <summary>The domain of every <c>ErrorInfo</c>.</summary>
    public const string Domain = "credbroker";

    /// <summary>More violations than this are cut: who sent so many has one cause.</summary>
    public const int MostViolations = 100;

    /// <summary>The types that can be in an error's details, for JSON.</summary>
    public static TypeRegistry DetailTypes { get; } =
        TypeRegistry.FromMessages(ErrorInfo.Descriptor, BadRequest.Descriptor, RetryInfo.Descriptor, ResourceInfo.Descriptor);

    /// <summary>Makes an error of the transport's own.</summary>
    public static BrokerError Error(ErrorReason reason, string message) => new(ErrorReasons.NameOf(reason), message);

    /// <summary>Makes an error about fields.</summary>
    public static BrokerError Error(ErrorReason reason, string message, IReadOnlyList<ValidationError> violations) =>
        new(ErrorReasons.NameOf(reason), message) { Violations = violations };

    /// <summary>The status of an error.</summary>
    public static Status Of(BrokerError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var definition = ErrorReasons.Of(error.Reason);
        var info = new ErrorInfo { Reason = definition.Name, Domain = Domain };
        foreach (var (key, value) in error.Metadata.Where(pair => pair.Key != ResourceKey)) info.Metadata[key] = value;
        var status = new Status { Code = (int)definition.Code, Message = error.Message, Details = { Any.Pack(info) } };
        if (error.Violations.Count > 0) status.Details.Add(Any.Pack(BadRequestOf(error.Violations)));
        if (error.RetryAfter is { } wait) status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(wait) }));
        if (error.Metadata.TryGetValue(ResourceKey, out var resource)) status.Details.Add(Any.Pack(ResourceOf(resource, error.Message)));
        return status;
    }

    /// <summary>The exception that carries an error through gRPC and transcoding.</summary>
    public static RpcException Exception(BrokerError error) => Of(error).ToRpcException();

    /// <summary>Says which resource is missing.</summary>
    public static BrokerError Missing(string name) =>
        Error(ErrorReason.ResourceNotFound, "There is no such resource that you may see.") with
        {
            Metadata = new Dictionary<string, string> { [ResourceKey] = name },
        };

    /// <summary>The status as JSON, as transcoding writes it.</summary>
    public static string ToJson(Status status) => Formatter.Format(status);

    private const string ResourceKey = "resource";

    private static readonly JsonFormatter Formatter = new(new JsonFormatter.Settings(formatDefaultValues: false, DetailTypes));

    private static BadRequest BadRequestOf(IReadOnlyList<ValidationError> violations) => new()
    {
        FieldViolations =
        {
            violations.Take(MostViolations).Select(violation => new BadRequest.Types.FieldViolation { Field = violation.Path, Description = violation.Message }),
        },
    };

    private static ResourceInfo ResourceOf(string name, string message) => new()
    {
        ResourceType = "credbroker.v1/" + name.Split('/')[^(name.Count(c => c == '/') % 2 == 1 ? 2 : 1)],
        ResourceName = name,
        Description = message,
    };
}

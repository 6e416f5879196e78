using System.Net.Sockets;
using System.Security.Authentication;
using Google.Rpc;
using Grpc.Core;

namespace CredBroker.Client.Transport;

/// <summary>Turns gRPC's exception and the status details into the client's one exception.</summary>
internal static class ErrorMapping
{
    private const string Domain = "credbroker";

    public static BrokerException Map(RpcException fault)
    {
        // The token source's own errors are clear already, and come wrapped by the transport.
        for (Exception? inner = fault.Status.DebugException ?? fault.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (inner is BrokerException own) return own;
        }

        var status = fault.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        if (status is null || info is null || info.Domain != Domain) return new(fault.StatusCode, "", WithoutBroker(fault), fault);

        return new(fault.StatusCode, info.Reason, status.Message, fault)
        {
            Metadata = info.Metadata.ToDictionary(),
            FieldViolations = status.GetDetail<BadRequest>()?.FieldViolations.Select(v => new FieldViolation(v.Field, v.Description)).ToArray() ?? [],
            RetryDelay = status.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan(),
            ResourceName = status.GetDetail<ResourceInfo>()?.ResourceName,
        };
    }

    private static string WithoutBroker(RpcException fault)
    {
        for (Exception? inner = fault.Status.DebugException; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException or AuthenticationException) return $"The broker can't be reached: {inner.Message}";
        }

        return fault.StatusCode switch
        {
            StatusCode.DeadlineExceeded => "No answer came in time.",
            StatusCode.Cancelled => "The call was cancelled.",
            _ => $"The broker gave no answer that can be understood ({fault.StatusCode}): {fault.Status.Detail}",
        };
    }
}

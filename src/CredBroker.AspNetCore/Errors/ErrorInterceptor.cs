using System.Diagnostics;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using CredBroker.Core.Leases;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CredBroker.AspNetCore.Errors;

/// <summary>
/// Whatever a service throws leaves as one error model, on both transports: transcoding alone would answer an exception's text. A fault is logged
/// here with its trace id, and the caller gets the id alone.
/// </summary>
internal sealed partial class ErrorInterceptor(ILogger<ErrorInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception e) when (e is not RpcException { Status.StatusCode: not StatusCode.Unknown })
        {
            throw Translate(e, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception e) when (e is not RpcException { Status.StatusCode: not StatusCode.Unknown })
        {
            throw Translate(e, context);
        }
    }

    private RpcException Translate(Exception exception, ServerCallContext context)
    {
        switch (exception)
        {
            case OperationCanceledException when context.CancellationToken.IsCancellationRequested:
                return context.Deadline != DateTime.MaxValue
                    ? ErrorStatus.Exception(ErrorStatus.Error(ErrorReason.DeadlineExceeded, "The call's deadline passed, or its caller is gone."))
                    : ErrorStatus.Exception(ErrorStatus.Error(ErrorReason.CallCancelled, "The caller is gone."));
            case StoreUnavailableException unavailable:
                LogStore(logger, unavailable, context.Method);
                return ErrorStatus.Exception(Unavailable(unavailable));
            default:
                var trace = TraceOf(context.GetHttpContext());
                LogFault(logger, exception, context.Method, trace);
                return ErrorStatus.Exception(Fault(trace));
        }
    }

    /// <summary>The store can't take or answer something now.</summary>
    public static BrokerError Unavailable(StoreUnavailableException fault) => ErrorStatus.Error(ErrorReason.BrokerUnavailable, fault.OutcomeUnknown
        ? "The broker's database did not answer: it is not known whether this happened."
        : "The broker's database cannot take this now.") with
    {
        RetryAfter = fault.RetryAfter ?? TimeSpan.FromSeconds(1),
    };

    /// <summary>What the log and the caller can both name.</summary>
    public static string TraceOf(HttpContext context) => Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;

    /// <summary>A fault, by its trace id alone.</summary>
    public static BrokerError Fault(string trace) => ErrorStatus.Error(ErrorReason.Internal, "The broker failed. Its log knows more under the trace id.") with
    {
        Metadata = new Dictionary<string, string> { ["trace_id"] = trace },
    };

    [LoggerMessage(1, LogLevel.Error, "{Method} failed, trace {Trace}")]
    private static partial void LogFault(ILogger logger, Exception exception, string method, string trace);

    [LoggerMessage(2, LogLevel.Warning, "The store was not available to {Method}")]
    private static partial void LogStore(ILogger logger, Exception exception, string method);
}

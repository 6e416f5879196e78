using System.Globalization;
using CredBroker.Core;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Status = Google.Rpc.Status;

namespace CredBroker.AspNetCore.Errors;

/// <summary>Writes an error where no service was reached: as JSON to HTTP, as trailers to gRPC.</summary>
public static class ErrorResponse
{
    /// <summary>Whether the request speaks gRPC.</summary>
    public static bool IsGrpc(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.ContentType is { } type && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Answers the error.</summary>
    public static Task WriteAsync(HttpContext context, BrokerError error)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(error);
        if (context.Response.HasStarted) return Task.CompletedTask;
        return IsGrpc(context.Request) ? WriteTrailersAsync(context, ErrorStatus.Of(error)) : WriteJsonAsync(context, error);
    }

    /// <summary>Puts a status into trailers, in place of what is there.</summary>
    public static void SetTrailers(IHeaderDictionary trailers, Status status)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        ArgumentNullException.ThrowIfNull(status);
        trailers["grpc-status"] = status.Code.ToString(CultureInfo.InvariantCulture);
        trailers["grpc-message"] = Uri.EscapeDataString(status.Message);
        trailers["grpc-status-details-bin"] = Convert.ToBase64String(status.ToByteArray());
    }

    private static Task WriteJsonAsync(HttpContext context, BrokerError error)
    {
        var response = context.Response;
        response.StatusCode = ErrorReasons.Of(error.Reason).Http;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        if (response.StatusCode == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = "Bearer";
        if (error.RetryAfter is { } wait) response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.WriteAsync(ErrorStatus.ToJson(ErrorStatus.Of(error)));
    }

    // An answer of trailers alone travels as headers, which every gRPC client reads.
    private static Task WriteTrailersAsync(HttpContext context, Status status)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = "application/grpc";
        SetTrailers(context.Response.Headers, status);
        return context.Response.CompleteAsync();
    }
}

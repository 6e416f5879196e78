using CredBroker.Contracts.V1;
using CredBroker.Core.Leases;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CredBroker.AspNetCore.Errors;

/// <summary>Gives answers without a body (404, 405, 413, 415, a fault outside of any service) the error model's form, on both transports.</summary>
internal static class ErrorPages
{
    public static void UseErrorPages(this IApplicationBuilder app)
    {
        app.Use(CompleteGrpcErrors);
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = AnswerFault, AllowStatusCode404Response = true });
        app.UseStatusCodePages(AnswerStatusCode);
    }

    private static Task AnswerFault(HttpContext context)
    {
        var fault = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        return ErrorResponse.WriteAsync(context, fault switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => ErrorStatus.Error(ErrorReason.BodyTooLarge, "The body is larger than allowed."),
            StoreUnavailableException store => ErrorInterceptor.Unavailable(store),
            _ => ErrorInterceptor.Fault(ErrorInterceptor.TraceOf(context)),
        });
    }

    private static Task AnswerStatusCode(StatusCodeContext page)
    {
        var context = page.HttpContext;
        var error = context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => ErrorStatus.Error(ErrorReason.MethodNotFound, "There is nothing at this path."),
            StatusCodes.Status405MethodNotAllowed => ErrorStatus.Error(ErrorReason.HttpMethodNotAllowed, "This path does not take this HTTP method."),
            StatusCodes.Status413PayloadTooLarge => ErrorStatus.Error(ErrorReason.BodyTooLarge, "The body is larger than allowed."),
            StatusCodes.Status406NotAcceptable or StatusCodes.Status415UnsupportedMediaType =>
                ErrorStatus.Error(ErrorReason.MediaTypeNotSupported, "This media type is not spoken here."),
            StatusCodes.Status400BadRequest => ErrorStatus.Error(ErrorReason.BodyUnreadable, "The request cannot be read."),
            _ => null,
        };
        return error is null ? Task.CompletedTask : ErrorResponse.WriteAsync(context, error);
    }

    // What gRPC itself refuses (a message that it can't parse, one too large, an unknown method) never reaches an interceptor: its trailers are
    // completed here, while they can still be changed.
    private static async Task CompleteGrpcErrors(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (!ErrorResponse.IsGrpc(context.Request)) return;
        var trailers = context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers;
        var holder = !context.Response.HasStarted && context.Response.Headers.ContainsKey("grpc-status") ? context.Response.Headers
            : trailers is { IsReadOnly: false } && trailers.ContainsKey("grpc-status") ? trailers : null;
        if (holder is null || holder.ContainsKey("grpc-status-details-bin") || !int.TryParse(holder["grpc-status"], out var code)) return;
        var error = (StatusCode)code switch
        {
            StatusCode.Unimplemented => ErrorStatus.Error(ErrorReason.MethodNotFound, "There is no such method."),
            StatusCode.ResourceExhausted => ErrorStatus.Error(ErrorReason.BodyTooLarge, "The message is larger than allowed."),
            StatusCode.Unknown or StatusCode.Internal => ErrorStatus.Error(ErrorReason.BodyUnreadable, "The message cannot be read."),
            StatusCode.DeadlineExceeded => ErrorStatus.Error(ErrorReason.DeadlineExceeded, "The call's deadline passed."),
            StatusCode.Cancelled => ErrorStatus.Error(ErrorReason.CallCancelled, "The caller is gone."),
            _ => null,
        };
        if (error is not null) ErrorResponse.SetTrailers(holder, ErrorStatus.Of(error));
    }
}

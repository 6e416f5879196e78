using CredBroker.AspNetCore.Errors;
using CredBroker.Contracts.V1;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;

namespace CredBroker.AspNetCore.Authentication;

/// <summary>Answers callers that aren't known in the error model, on both transports, instead of by a bare 401.</summary>
internal sealed class RefusalWriter : IAuthorizationMiddlewareResultHandler
{
    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Succeeded) return next(context);
        var error = context.Features.Get<AuthenticationFault>()?.Error ?? (authorizeResult.Challenged
            ? ErrorStatus.Error(ErrorReason.CredentialsMissing, "An Authorization header with a Bearer token is needed.")
            : ErrorStatus.Error(ErrorReason.PermissionDenied, "You may not do this."));
        return ErrorResponse.WriteAsync(context, error);
    }
}

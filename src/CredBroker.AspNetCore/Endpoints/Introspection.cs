using System.Text.Json;
using CredBroker.AspNetCore.Authentication;
using CredBroker.AspNetCore.Errors;
using CredBroker.Contracts.V1;
using CredBroker.Core.Introspection;
using CredBroker.Core.Signing;
using CredBroker.Core.Workloads;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CredBroker.AspNetCore.Endpoints;

/// <summary>
/// Token introspection (RFC 7662) for attested callers. What isn't a live token of an audience that the caller may ask about gets one answer, byte for
/// byte the same: <c>{"active":false}</c>.
/// </summary>
internal static class Introspection
{
    private const int MostBytes = 32 * 1024;
    private static readonly byte[] Inactive = """{"active":false}"""u8.ToArray();

    public static void MapIntrospection(this IEndpointRouteBuilder routes) => routes.MapPost("/oauth2/introspect", IntrospectAsync).RequireAuthorization(BearerHandler.Name);

    private static async Task IntrospectAsync(HttpContext context, IntrospectionService introspection, InstallationOptions installation)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!context.Request.HasFormContentType || context.Request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            await ErrorResponse.WriteAsync(context, ErrorStatus.Error(ErrorReason.MediaTypeNotSupported, "The body is application/x-www-form-urlencoded (RFC 7662, section 2.1)."));
            return;
        }

        if (await BodyReader.ReadAsync(context.Request, MostBytes, context.RequestAborted) is not { } body)
        {
            await ErrorResponse.WriteAsync(context, ErrorStatus.Error(ErrorReason.BodyTooLarge, "The body is larger than 32 KiB."));
            return;
        }

        var tokens = FormReader.Values(body, "token").ToList();
        if (tokens is not [{ Length: > 0 } token])
        {
            await ErrorResponse.WriteAsync(context, ErrorStatus.Error(ErrorReason.FieldsInvalid, "One token is needed.", [new("token", "It is needed once.")]));
            return;
        }

        var caller = context.Features.Get<Caller>() ?? throw new InvalidOperationException("Introspection was reached without authentication.");
        var found = await introspection.IntrospectAsync(caller, token, context.RequestAborted);
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(found is { } live ? Active(live.Token, live.Lease, installation) : Inactive, context.RequestAborted);
    }

    private static byte[] Active(VerifiedLeaseToken token, Core.Leases.Lease lease, InstallationOptions installation) => JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
    {
        ["active"] = true,
        ["iss"] = installation.IssuerOf(KeyFamily.Lease),
        ["sub"] = token.Subject,
        ["aud"] = token.Audience,
        ["scope"] = token.Scope,
        ["jti"] = token.LeaseId.ToString(),
        ["iat"] = token.IssuedAt.ToUnixTimeSeconds(),
        ["exp"] = token.ExpiresAt.ToUnixTimeSeconds(),
        ["token_type"] = "Bearer",
        ["task_id"] = token.TaskId.ToString(),
        ["role"] = lease.RoleName,
    });
}

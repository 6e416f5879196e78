using System.Net;
using CredBroker.Abstractions;
using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.Webhooks;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using CredBroker.Core.Hooks;
using CredBroker.Core.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace CredBroker.AspNetCore.Endpoints;

/// <summary>Takes an orchestrator's signed signals. Whoever can't sign learns nothing: an unknown hook and a wrong signature are answered alike.</summary>
internal sealed partial class HookEndpoint(HookService hooks, ISecretSources secrets, TimeProvider time, ILogger<HookEndpoint> logger)
{
    private const int MostBytes = 64 * 1024;

    // A hook that isn't there is verified against nothing at all, as one that is.
    private static readonly HookSpec Nobody = new() { IdentitySources = [] };

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/hooks/{hook}", (string hook, HttpContext context, HookEndpoint endpoint) => endpoint.HandleAsync(hook, context)).AllowAnonymous();

    private async Task HandleAsync(string name, HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var body = await BodyReader.ReadAsync(context.Request, MostBytes, context.RequestAborted);
        if (body is null)
        {
            await ErrorResponse.WriteAsync(context, ErrorStatus.Error(ErrorReason.BodyTooLarge, "The body is larger than 64 KiB."));
            return;
        }

        var hook = hooks.Find(name);
        var headers = new WebhookHeaders(Header(context, "webhook-id"), Header(context, "webhook-timestamp"), Header(context, "webhook-signature"));
        var verdict = (await VerifierAsync(hook, context.RequestAborted)).Verify(headers, body, time.GetUtcNow());
        if (hook is null || verdict != WebhookVerdict.Valid)
        {
            LogRefused(logger, Validation.Printable.Quote(name), hook is null ? "there is no such hook" : verdict.ToString());
            await ErrorResponse.WriteAsync(context, ErrorStatus.Error(ErrorReason.TokenRejected, "The signal's signature or time stamp isn't accepted."));
            return;
        }

        var error = await HandleAsync(hook, HookBody.Read(body, headers, time.GetUtcNow()), context);
        if (error is null) context.Response.StatusCode = StatusCodes.Status204NoContent;
        else await ErrorResponse.WriteAsync(context, error);
    }

    // A signal of another type is none of the broker's business: it's taken, and nothing happens.
    private async Task<BrokerError?> HandleAsync(Registered<HookSpec> hook, Result<HookSignal?> read, HttpContext context)
    {
        if (read is Result<HookSignal?>.Refused { Error: var wrong }) return wrong;
        if (read is not Result<HookSignal?>.Ok { Value: { } signal }) return null;
        var handled = await hooks.HandleAsync(hook, signal, context.Connection.RemoteIpAddress ?? IPAddress.None, context.RequestAborted);
        return handled.Match<BrokerError?>(_ => null, error => error);
    }

    private async Task<StandardWebhooks> VerifierAsync(Registered<HookSpec>? hook, CancellationToken cancellationToken)
    {
        var spec = hook?.Spec ?? Nobody;
        var keys = spec.PublicKeys.Select(StandardWebhooks.ReadPublicKey).OfType<byte[]>().ToList();
        return new StandardWebhooks(await SecretsAsync(hook, cancellationToken), keys, spec.Tolerance);
    }

    private async Task<IReadOnlyList<byte[]>> SecretsAsync(Registered<HookSpec>? hook, CancellationToken cancellationToken)
    {
        if (hook is null || hook.Spec.Secret.Length == 0) return [];
        try
        {
            // During a rotation the source holds the new secret and the old one, on a line each.
            var secret = await secrets.ReadAsync(hook.Spec.Secret, new SecretConsumer("hook", hook.Name, ""), cancellationToken);
            return [.. secret.Reveal().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(StandardWebhooks.ReadSecret).OfType<byte[]>()];
        }
        catch (ProviderException e)
        {
            LogNoSecret(logger, e, hook.Name);
            return [];
        }
    }

    private static string Header(HttpContext context, string name) => context.Request.Headers[name] is [{ } only] ? only : "";

    [LoggerMessage(1, LogLevel.Warning, "A signal for the hook {Hook} was refused: {Why}")]
    private static partial void LogRefused(ILogger logger, string hook, string why);

    [LoggerMessage(2, LogLevel.Error, "The secret of the hook {Hook} can't be read")]
    private static partial void LogNoSecret(ILogger logger, Exception exception, string hook);
}

using System.Collections.Concurrent;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.AspNetCore.Endpoints;
using CredBroker.AspNetCore.Errors;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using HttpRule = Google.Api.HttpRule;

namespace CredBroker.AspNetCore.Json;

/// <summary>
/// Refuses a REST call whose body or query isn't exactly what its method takes, before transcoding builds anything from it. Everything wrong is reported.
/// </summary>
internal static class StrictJson
{
    /// <summary>The largest body.</summary>
    public const int MostBytes = 64 * 1024;

    /// <summary>The largest body that carries a policy set: below gRPC's own limit of 4 MiB.</summary>
    public const int MostPolicyBytes = 3 * 1024 * 1024;

    private static readonly ConcurrentDictionary<string, PathTemplate?> Templates = new(StringComparer.Ordinal);

    public static void UseStrictJson(this IApplicationBuilder app) => app.Use(CheckAsync);

    private static async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var metadata = context.GetEndpoint()?.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>();
        if (metadata is null || ErrorResponse.IsGrpc(context.Request))
        {
            await next(context);
            return;
        }

        var error = await FaultAsync(context, metadata.MethodDescriptor, metadata.HttpRule);
        if (error is null) await next(context);
        else await ErrorResponse.WriteAsync(context, error);
    }

    private static async Task<BrokerError?> FaultAsync(HttpContext context, MethodDescriptor method, HttpRule rule)
    {
        var template = Templates.GetOrAdd(PatternOf(rule), PathTemplate.Parse);
        var violations = QueryCheck.Run(context.Request.QueryString.Value ?? "", method.InputType, rule.Body, template?.Field).ToList();
        if (rule.Body.Length == 0)
        {
            if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0) violations.Add(new("body", "This method takes no body."));
            return violations.Count == 0 ? null : Refusal(violations);
        }

        var most = method.InputType.Name.EndsWith("PolicySetRequest", StringComparison.Ordinal) ? MostPolicyBytes : MostBytes;
        var body = await BodyReader.ReadAsync(context.Request, most, context.RequestAborted);
        if (body is null) return ErrorStatus.Error(ErrorReason.BodyTooLarge, $"The body is larger than {most / 1024} KiB.");
        if (body.Length == 0) body = "{}"u8.ToArray();
        else if (!IsJson(context.Request)) return ErrorStatus.Error(ErrorReason.MediaTypeNotSupported, "The body is not application/json in UTF-8.");

        var message = rule.Body == "*" ? method.InputType : method.InputType.FindFieldByName(rule.Body).MessageType;
        var findings = JsonBodyCheck.Run(body, message);
        if (findings.Unreadable is { } why) return ErrorStatus.Error(ErrorReason.BodyUnreadable, $"The body cannot be read. {why}");
        violations.AddRange(findings.Violations);
        if (violations.Count == 0 && template is not null) violations.AddRange(PathConflict(body, template, rule.Body, context.Request.Path.Value ?? ""));
        if (violations.Count > 0) return Refusal(violations);

        context.Request.Body = new MemoryStream(body, writable: false);
        context.Request.ContentLength = body.Length;
        context.Request.ContentType = "application/json";
        return null;
    }

    private static BrokerError Refusal(IReadOnlyList<ValidationError> violations) =>
        ErrorStatus.Error(ErrorReason.FieldsInvalid, $"The request breaks the contract: {violations[0].Path}: {violations[0].Message}", violations);

    // The path wins over the body. A body that says otherwise isn't meant for this path.
    private static IEnumerable<ValidationError> PathConflict(byte[] body, PathTemplate template, string bodyField, string path)
    {
        var field = template.Field;
        if (bodyField != "*" && !field.StartsWith(bodyField + ".", StringComparison.Ordinal)) yield break;
        if (bodyField != "*") field = field[(bodyField.Length + 1)..];
        using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = JsonBodyCheck.MostDepth });
        if (document.RootElement.TryGetProperty(field, out var said) && said.ValueKind == JsonValueKind.String && said.GetString() != template.ValueIn(path))
            yield return new(field, "The path says otherwise.");
    }

    private static bool IsJson(HttpRequest request) =>
        request.Headers.ContentEncoding.Count == 0
        && Microsoft.Net.Http.Headers.MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || type.Charset.Value.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static string PatternOf(HttpRule rule) => rule.PatternCase switch
    {
        HttpRule.PatternOneofCase.Get => rule.Get,
        HttpRule.PatternOneofCase.Post => rule.Post,
        HttpRule.PatternOneofCase.Patch => rule.Patch,
        HttpRule.PatternOneofCase.Delete => rule.Delete,
        HttpRule.PatternOneofCase.Put => rule.Put,
        _ => rule.Custom.Path,
    };
}

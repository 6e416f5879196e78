using CredBroker.AspNetCore.Errors;
using CredBroker.Contracts.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace CredBroker.AspNetCore.Validation;

/// <summary>No request reaches a service that breaks a rule of the contract, on whichever transport it came.</summary>
internal sealed class ValidationInterceptor : Interceptor
{
    private static readonly RequestValidator ByProtoNames = new(jsonNames: false);
    private static readonly RequestValidator ByJsonNames = new(jsonNames: true);

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Validate(request, context);
        return continuation(request, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Validate(request, context);
        return continuation(request, responseStream, context);
    }

    private static void Validate<TRequest>(TRequest request, ServerCallContext context)
    {
        if (request is not IMessage message || message.Descriptor.File.Package != "credbroker.v1") return;
        var rest = !ErrorResponse.IsGrpc(context.GetHttpContext().Request);
        if (rest && message.Descriptor.FindFieldByName("update_mask")?.Accessor.GetValue(message) is FieldMask mask) UseProtoNames(mask);
        var violations = (rest ? ByJsonNames : ByProtoNames).Validate(message);
        if (violations.Count == 0) return;
        throw ErrorStatus.Exception(ErrorStatus.Error(
            ErrorReason.FieldsInvalid, $"The request breaks the contract's rules: {violations[0].Path}: {violations[0].Message}", violations));
    }

    // A body's mask is read in lowerCamelCase, one in a query string as it stands (both are JSON's way to write it).
    private static void UseProtoNames(FieldMask mask)
    {
        for (var i = 0; i < mask.Paths.Count; i++)
            mask.Paths[i] = string.Concat(mask.Paths[i].Select(c => char.IsAsciiLetterUpper(c) ? $"_{char.ToLowerInvariant(c)}" : c.ToString()));
    }
}

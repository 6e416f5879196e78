using CredBroker.Abstractions;
using CredBroker.AspNetCore.Errors;
using CredBroker.Core;
using CredBroker.Core.Workloads;
using Grpc.Core;

namespace CredBroker.AspNetCore.Services;

/// <summary>What every service does with a call and with what came of it.</summary>
internal static class Calls
{
    /// <summary>Who calls. Services are only reached by callers that are known.</summary>
    public static Caller Caller(this ServerCallContext context) =>
        context.GetHttpContext().Features.Get<Caller>() ?? throw new InvalidOperationException("A service was reached without authentication.");

    /// <summary>The value, or the refusal as the exception that carries it.</summary>
    /// <param name="result">What came of a call.</param>
    /// <param name="context">The call, whose transport decides how fields are called.</param>
    /// <param name="name">The resource that was asked for, if one was.</param>
    public static T OrThrow<T>(this Result<T> result, ServerCallContext context, string name = "") => result.Match(
        value => value,
        error => throw Refusal(error, context, name));

    /// <summary>The refusal as the exception that carries it.</summary>
    public static RpcException Refusal(BrokerError error, ServerCallContext context, string name = "")
    {
        if (error.Reason == Reasons.ResourceNotFound && name.Length > 0) return ErrorStatus.Exception(ErrorStatus.Missing(name));
        if (error.Violations.Count == 0 || ErrorResponse.IsGrpc(context.GetHttpContext().Request)) return ErrorStatus.Exception(error);
        return ErrorStatus.Exception(error with { Violations = [.. error.Violations.Select(v => v with { Path = FieldPaths.ToJson(v.Path) })] });
    }

    /// <summary>The id in a part of a resource name. One that isn't well-formed names nothing.</summary>
    public static Uid UidIn(string name, int part) =>
        Uid.TryParse(name.Split('/')[part], out var uid) ? uid : throw ErrorStatus.Exception(ErrorStatus.Missing(name));
}

/// <summary>How fields are called on the transports.</summary>
internal static class FieldPaths
{
    /// <summary>A path of .proto names as JSON calls it.</summary>
    public static string ToJson(string path) =>
        string.Concat(path.Select((c, i) => c == '_' ? "" : i > 0 && path[i - 1] == '_' ? char.ToUpperInvariant(c).ToString() : c.ToString()));

    /// <summary>A path of JSON names as the .proto files call it. Inside of free-form objects names stay as they are.</summary>
    public static string ToProto(string path)
    {
        var free = path.StartsWith("config.", StringComparison.Ordinal) || path.StartsWith("template.", StringComparison.Ordinal) ? path.IndexOf('.', StringComparison.Ordinal) : path.Length;
        return string.Concat(path[..free].Select(c => char.IsAsciiLetterUpper(c) ? $"_{char.ToLowerInvariant(c)}" : c.ToString())) + path[free..];
    }
}

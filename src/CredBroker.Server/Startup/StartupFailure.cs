using System.Data.Common;
using System.Security.Cryptography;
using CredBroker.Core.Leases;
using CredBroker.Manifests;

namespace CredBroker.Server.Startup;

/// <summary>Why the server cannot start, in words for the operator; a fault of ours keeps its stack trace.</summary>
internal static class StartupFailure
{
    public static string? Explain(Exception exception) => exception switch
    {
        StartupException => exception.Message,
        StoreUnavailableException => $"The database cannot be used: {SafeText.Line(exception.Message)}{Inner(exception)}",
        DbException => $"The database cannot be used: {SafeText.Line(exception.Message)}{Inner(exception)}",
        CryptographicException => $"The keys in the database cannot be read: {SafeText.Line(exception.Message)}",
        IOException => SafeText.Line(exception.Message),
        _ => null,
    };

    private static string Inner(Exception exception) => exception.InnerException is { } inner ? $" ({SafeText.Line(inner.Message)})" : "";
}

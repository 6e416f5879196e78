namespace CredBroker.Client.Transport;

internal static class Deadlines
{
    /// <summary>A gRPC deadline. gRPC compares it with the system's clock, so it is made from that one, whatever the client's is.</summary>
    public static DateTime In(TimeSpan timeout) => TimeProvider.System.GetUtcNow().UtcDateTime + timeout;
}

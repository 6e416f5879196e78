using System.Net;
using CredBroker.Core;
using CredBroker.Core.Identity;
using Microsoft.Extensions.Logging;

namespace CredBroker.AspNetCore.Authentication;

/// <summary>
/// Says to the operator why a token was refused, which its sender is not told: whoever tries tokens out would learn from it which issuers are trusted, and
/// what to change. A line holds the rule, the source's name and nothing of the token; only the first lines of a minute are written for each rule and source,
/// so that nobody can fill the disk with bad tokens. The metric counts all.
/// </summary>
internal sealed partial class RefusalLog(ILogger<RefusalLog> logger, BrokerMetrics metrics, TimeProvider time)
{
    /// <summary>Lines for each rule and source in a minute.</summary>
    public const int MostLines = 10;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Rule, string Source), Counted> _counted = [];

    public void Write(Attestation.Refused refused, IPAddress address)
    {
        metrics.TokenRefused(refused.Reason, refused.Source);
        if (!MayWrite((refused.Reason, refused.Source), out var unwritten)) return;
        if (unwritten > 0) LogUnwritten(logger, unwritten, refused.Reason, refused.Source);
        if (refused.Source.Length == 0) LogRefused(logger, address, refused.Reason, refused.Message);
        else LogRefusedBySource(logger, address, refused.Reason, refused.Source, refused.Message);
    }

    /// <summary>Whether a line may be written, and how many weren't since the last minute that had lines.</summary>
    private bool MayWrite((string Rule, string Source) key, out int unwritten)
    {
        var now = time.GetTimestamp();
        unwritten = 0;
        lock (_gate)
        {
            if (!_counted.TryGetValue(key, out var counted) || time.GetElapsedTime(counted.Since, now) >= Window)
            {
                unwritten = Math.Max(0, (counted?.Refusals ?? 0) - MostLines);
                _counted[key] = counted = new Counted(now);
            }

            return ++counted.Refusals <= MostLines;
        }
    }

    [LoggerMessage(EventId = 1601, Level = LogLevel.Information, Message = "A bearer token from {Address} was refused: {Rule}: {Why}")]
    private static partial void LogRefused(ILogger logger, IPAddress address, string rule, string why);

    [LoggerMessage(EventId = 1602, Level = LogLevel.Information, Message = "A bearer token from {Address} was refused: {Rule} by identity source {Source}: {Why}")]
    private static partial void LogRefusedBySource(ILogger logger, IPAddress address, string rule, string source, string why);

    [LoggerMessage(EventId = 1603, Level = LogLevel.Information, Message = "{Count} more bearer tokens were refused without a line of their own: {Rule} by identity source '{Source}'")]
    private static partial void LogUnwritten(ILogger logger, int count, string rule, string source);

    private sealed class Counted(long since)
    {
        public long Since { get; } = since;
        public int Refusals { get; set; }
    }
}

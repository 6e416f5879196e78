using CredBroker.Abstractions;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocation;

/// <summary>What failed in one look. It is told once and not tried again in that look; everything else goes on.</summary>
public sealed partial class LookFaults(ILogger logger)
{
    private readonly HashSet<Uid> _failed = [];

    /// <summary>The first fault; null while there is none.</summary>
    public Exception? First { get; private set; }

    /// <summary>Claims for one provider or group, unless that has failed in this look.</summary>
    public async Task ClaimAsync(Uid claimant, Func<Task> claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claim);
        if (_failed.Contains(claimant)) return;
        try
        {
            await claim();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            _failed.Add(claimant);
            Add($"claiming for {claimant}", e);
        }
    }

    /// <summary>A step has failed.</summary>
    public void Add(string step, Exception fault)
    {
        First ??= fault;
        LogStepFailed(logger, step, fault);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A look failed at {Step}; the rest of it is done, and it is tried again")]
    private static partial void LogStepFailed(ILogger logger, string step, Exception error);
}

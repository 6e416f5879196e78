using CredBroker.Core.Policies;
using CredBroker.Core.Workloads;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Diagnosis;

/// <summary>Says in plain words what is wrong and what to do. For those who may see everything.</summary>
public sealed partial class DiagnosisService(IEnumerable<IExamination> examinations, Decider decider, ILogger<DiagnosisService> logger)
{
    /// <summary>Everything that is wrong, the gravest first.</summary>
    public async Task<Result<IReadOnlyList<Ailment>>> DiagnoseAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (!decider.MaySeeAll(caller)) return Errors.Denied("see what is wrong with the broker");
        var found = new List<Ailment>();
        foreach (var examination in examinations)
        {
            try
            {
                found.AddRange(await examination.LookAsync(cancellationToken));
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                LogFailed(logger, examination.Name, e);
                found.Add(new Ailment(Severity.Critical, "not-examined", examination.Name, $"This could not be looked at ({e.GetType().Name}).", "See the server's log, and whether the database answers."));
            }
        }

        return new Result<IReadOnlyList<Ailment>>.Ok([.. found.OrderByDescending(ailment => ailment.Severity).ThenBy(ailment => ailment.Code, StringComparer.Ordinal).ThenBy(ailment => ailment.Subject, StringComparer.Ordinal)]);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Examining {What} failed")]
    private static partial void LogFailed(ILogger logger, string what, Exception error);
}

using CredBroker.Abstractions;
using CredBroker.Testing.Conformance;
using CredBroker.Testing.Scripted;

namespace CredBroker.Core.Tests.Testing;

/// <summary>Lets a scripted target misbehave as the suite asks for it.</summary>
internal sealed class ScriptedMisbehaviour(ScriptedTarget target)
{
    private static readonly ScriptedOperation[] Calls = [ScriptedOperation.Issue, ScriptedOperation.Revoke, ScriptedOperation.RevokeGroup, ScriptedOperation.Renew];

    public Misbehaviour Begin(TargetFault fault, int sparing)
    {
        var gate = new ScriptedGate();
        var step = fault switch
        {
            TargetFault.Throttled => ScriptedStep.Refuses(ProviderFault.Throttled) with { RetryAfter = TimeSpan.FromSeconds(7) },
            TargetFault.Denied => ScriptedStep.Refuses(ProviderFault.Denied),
            TargetFault.AnswerLost => ScriptedStep.LosesTheAnswer(),
            TargetFault.Hanging => new ScriptedStep { After = gate },
            TargetFault.Slow => new ScriptedStep { Before = gate },
            _ => null,
        };
        if (fault == TargetFault.ClockBehind) target.ClockOffset = -Misbehaviour.ClockOffset;
        // An issue is one call here, so that sparing one spares all of it.
        target.Calls.Next(ScriptedOperation.Issue, Enumerable.Repeat(new ScriptedStep(), sparing));
        foreach (var operation in Calls) target.Calls.Always(operation, step);
        var misbehaviour = new Misbehaviour(() => End(gate));
        _ = gate.Reached.ContinueWith(_ => misbehaviour.Meet(), TaskScheduler.Default);
        if (fault == TargetFault.Slow) _ = Task.Delay(TimeSpan.FromSeconds(0.5), TimeProvider.System).ContinueWith(_ => gate.Open(), TaskScheduler.Default);
        return misbehaviour;
    }

    private ValueTask End(ScriptedGate gate)
    {
        target.ClockOffset = TimeSpan.Zero;
        foreach (var operation in Calls) target.Calls.Always(operation, null);
        gate.Open();
        return ValueTask.CompletedTask;
    }
}

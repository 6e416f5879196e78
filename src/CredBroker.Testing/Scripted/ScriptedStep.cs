using CredBroker.Abstractions;

namespace CredBroker.Testing.Scripted;

/// <summary>What a provider can be asked for.</summary>
public enum ScriptedOperation
{
    /// <summary><see cref="IProvider.IssueAsync"/>.</summary>
    Issue = 1,

    /// <summary><see cref="IProvider.RevokeAsync"/>.</summary>
    Revoke = 2,

    /// <summary><see cref="IRenewingProvider.RenewAsync"/>.</summary>
    Renew = 3,

    /// <summary><see cref="IProvider.CheckAsync"/>.</summary>
    Check = 4,

    /// <summary><see cref="IListingProvider.ListAsync"/>.</summary>
    List = 5,

    /// <summary><see cref="IGroupRevokingProvider.RevokeGroupAsync"/>; the call is noted under the group's name.</summary>
    RevokeGroup = 6,

    /// <summary><see cref="IProbingProvider.ProbeAsync"/>.</summary>
    Probe = 7,
}

/// <summary>When a call does at the target what it was asked for.</summary>
public enum ScriptedActs
{
    /// <summary>At once.</summary>
    AtOnce = 1,

    /// <summary>Never.</summary>
    Never = 2,

    /// <summary>Half: an issue records its handle in the journal and stops there; a revocation disables and cuts, but does not delete.</summary>
    HalfWay = 3,

    /// <summary>After <see cref="ScriptedStep.ActsAfter"/>, by the target's clock, whatever was answered meanwhile.</summary>
    Later = 4,
}

/// <summary>How one call goes. The default is a call that does what it was asked for and answers.</summary>
public sealed record ScriptedStep
{
    /// <summary>What the target does.</summary>
    public ScriptedActs Acts { get; init; } = ScriptedActs.AtOnce;

    /// <summary>With <see cref="ScriptedActs.Later"/>: how long after the call.</summary>
    public TimeSpan ActsAfter { get; init; }

    /// <summary>The fault that the caller gets instead of an answer; null for an answer.</summary>
    public ProviderFault? Fault { get; init; }

    /// <summary>The effect that the fault declares.</summary>
    public ProviderEffect Effect { get; init; }

    /// <summary>How long the target asks to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Where the call waits before it acts.</summary>
    public ScriptedGate? Before { get; init; }

    /// <summary>Where the call waits after it acted, before it answers.</summary>
    public ScriptedGate? After { get; init; }

    /// <summary>Whether the call goes on waiting at a gate when it is cancelled.</summary>
    public bool IgnoresCancellation { get; init; }

    /// <summary>How much later than asked the credential ends.</summary>
    public TimeSpan OutlivesBy { get; init; }

    /// <summary>Nothing was made, definitely.</summary>
    public static ScriptedStep Refuses(ProviderFault fault) => new() { Acts = ScriptedActs.Never, Fault = fault, Effect = ProviderEffect.None };

    /// <summary>The answer is lost, and nothing was done.</summary>
    public static ScriptedStep Fails(ProviderFault fault) => new() { Acts = ScriptedActs.Never, Fault = fault };

    /// <summary>The answer is lost, though it was done.</summary>
    public static ScriptedStep LosesTheAnswer() => new() { Fault = ProviderFault.Unreachable };

    /// <summary>The answer is lost, and it is done only later.</summary>
    public static ScriptedStep ActsLate(TimeSpan after) => new() { Acts = ScriptedActs.Later, ActsAfter = after, Fault = ProviderFault.Unreachable };

    /// <summary>It is done half, then the answer is lost.</summary>
    public static ScriptedStep StopsHalfWay() => new() { Acts = ScriptedActs.HalfWay, Fault = ProviderFault.Unreachable };

    /// <summary>It does not return until the gate opens, not even when it is cancelled.</summary>
    public static ScriptedStep Hangs(ScriptedGate gate) => new() { Before = gate, IgnoresCancellation = true };
}

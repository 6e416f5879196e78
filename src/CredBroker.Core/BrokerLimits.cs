namespace CredBroker.Core;

/// <summary>The limits and periods of one installation. The defaults are safe for a small one.</summary>
public sealed record BrokerLimits
{
    /// <summary>How long after its reservation a lease's issuing call may still be started.</summary>
    public TimeSpan IssueDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a repeated request supersedes the lease that it made before.</summary>
    public TimeSpan SupersedeWindow { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a request id is remembered at least; longer while what it made still runs.</summary>
    public TimeSpan RequestIdsKept { get; init; } = TimeSpan.FromDays(7);

    /// <summary>The life of a task whose opener names none.</summary>
    public TimeSpan DefaultTaskLife { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The longest life of a task.</summary>
    public TimeSpan LongestTaskLife { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The least grace after a missed heartbeat; otherwise three times the interval.</summary>
    public TimeSpan ShortestHeartbeatGrace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How deep a tree of tasks may be; its root has depth 0.</summary>
    public int TreeDepth { get; init; } = 8;

    /// <summary>How many tasks a tree may have, ended ones included.</summary>
    public int TreeSize { get; init; } = 1000;

    /// <summary>How many leases a task and its descendants may hold that are not proven dead.</summary>
    public int LeasesPerTask { get; init; } = 100;

    /// <summary>How many leases a workload may hold that are not proven dead.</summary>
    public int LeasesPerWorkload { get; init; } = 1000;

    /// <summary>How many leases a role may have that are not proven dead, unless the role says fewer.</summary>
    public int LeasesPerRole { get; init; } = 10_000;

    /// <summary>How many leases a provider may have that are not proven dead, unless the provider says fewer.</summary>
    public int LeasesPerProvider { get; init; } = 100_000;

    /// <summary>How many leases of one provider a workload may hold that are not proven dead.</summary>
    public int LeasesPerWorkloadAndProvider { get; init; } = 500;

    /// <summary>How many running tasks a workload may have opened.</summary>
    public int TasksPerWorkload { get; init; } = 1000;

    /// <summary>Issues a minute and node, for each workload.</summary>
    public int IssuesPerMinutePerWorkload { get; init; } = 600;

    /// <summary>Issues a minute and node, for each task.</summary>
    public int IssuesPerMinutePerTask { get; init; } = 300;

    /// <summary>Issues a minute and node, for each role.</summary>
    public int IssuesPerMinutePerRole { get; init; } = 6000;

    /// <summary>Issues a minute and node, for each provider, unless the provider says fewer.</summary>
    public int IssuesPerMinutePerProvider { get; init; } = 12_000;

    /// <summary>Requests for a credential that a node decides and records at once. Who waits for a provider is not counted.</summary>
    public int IssuesAtOnce { get; init; } = 64;

    /// <summary>How many more may wait for that, an eighth of them at most of one workload; those beyond are told to come again.</summary>
    public int IssuesWaiting { get; init; } = 512;

    /// <summary>Issuing calls that one provider serves at once, per node.</summary>
    public int IssueSlots { get; init; } = 32;

    /// <summary>Revocations that one provider serves at once, per node.</summary>
    public int RevokeSlots { get; init; } = 16;

    /// <summary>How long a node holds a claimed lease before another may try.</summary>
    public TimeSpan ClaimFor { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long one attempt to revoke may take before it is given up (it keeps its slot until it truly returns).</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a call that was cancelled may need to return, before another node may write the same document at the target.</summary>
    public TimeSpan ReturnGrace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>After so many failed attempts a lease goes to the slow lane, and someone is told.</summary>
    public int AttemptsBeforeSlow { get; init; } = 8;

    /// <summary>How often what a target lists is held against the database, for each provider that can list.</summary>
    public TimeSpan ReconcileEvery { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long one such listing, and what follows from it, may take.</summary>
    public TimeSpan ReconcileTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many leases one run changes at most, at providers that are swept.</summary>
    public int ReconcileMost { get; init; } = 100;

    /// <summary>If a listing lacks more than so many of a hundred live leases (and more than five), it is doubted, and none is ended for it.</summary>
    public int ReconcileAlarmPercent { get; init; } = 10;

    /// <summary>What was activated or closed so shortly before a listing began says nothing against it: nodes' clocks differ.</summary>
    public TimeSpan ReconcileMargin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many live leases a node decides again in a second after a change.</summary>
    public int ReevaluationsPerSecond { get; init; } = 500;

    /// <summary>How many of them are decided in one transaction.</summary>
    public int ReevaluationPage { get; init; } = 200;

    /// <summary>How long after a change of policies live leases are decided again: changes that belong together come within it.</summary>
    public TimeSpan ReevaluationDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A change of policies that would end more live leases than this is made only by who names their number.</summary>
    public int UnconfirmedRevocations { get; init; } = 10;

    /// <summary>How long a signing key signs before its successor does.</summary>
    public TimeSpan SigningKeyLife { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long a tree of tasks is kept after its end, with its leases and receipts. The audit trail is kept longer.</summary>
    public TimeSpan TreesKept { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long changes may wait to be written before new tasks and credentials are refused: what takes rights away, and what targets have answered, is written before them.</summary>
    public TimeSpan LongestQueueAge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a jump of the clock is not believed. Meanwhile nothing is ended by time, and beyond 30 s nothing is issued.</summary>
    public TimeSpan ClockDoubt { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a task whose heartbeats are missing lives on.</summary>
    public TimeSpan GraceOf(TimeSpan heartbeatInterval) => heartbeatInterval * 3 > ShortestHeartbeatGrace ? heartbeatInterval * 3 : ShortestHeartbeatGrace;

    /// <summary>
    /// Until when a task counts as alive by a sign of life, and whether that is to be written: only when less than half of the grace remains, so that most
    /// signs of life cost no write.
    /// </summary>
    internal (DateTimeOffset AliveUntil, bool IsNew) SignOfLife(Tasks.AgentTask task, TimeSpan interval, DateTimeOffset now)
    {
        var grace = GraceOf(interval);
        return task.AliveUntil is { } known && known - now > grace / 2 ? (known, false) : (Instants.Truncate(now + grace), true);
    }
}

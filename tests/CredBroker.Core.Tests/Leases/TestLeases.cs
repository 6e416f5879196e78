using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Leases;

/// <summary>Leases to start from.</summary>
internal static class TestLeases
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly FakeTimeProvider Clock = new(Start);

    public static Lease Pending()
    {
        var id = Uid.New(Clock);
        var task = Uid.New(Clock);
        return new Lease
        {
            Id = id,
            TaskId = task,
            TaskPath = task.ToString(),
            Gates = new LeaseGates(new Gate(Uid.New(Clock), 0), new Gate(Uid.New(Clock), 0), new Gate(Uid.New(Clock), 0), new Gate(Uid.New(Clock), 0)),
            ProviderVersion = 1,
            RoleVersion = 1,
            RoleName = "providers/db/roles/read",
            RoleKind = "login",
            WorkloadName = "ci/agent",
            ExternalName = $"cb_abc123_{id}",
            TargetIdentity = "target-1",
            Local = false,
            Revocability = new Revocability(RevocabilityKind.DeletesAndCutsSessions, TimeSpan.FromSeconds(5), ""),
            CanMint = false,
            ParametersJson = "{}",
            DecisionId = Uid.New(Clock),
            IssueDeadline = Start.AddSeconds(30),
            LateEffect = TimeSpan.FromSeconds(10),
            ReservedAt = Start,
            ExpiresAt = Start.AddMinutes(15),
            PossibleDeathAt = Start.AddMinutes(15),
            MaxExpiresAt = Start.AddHours(1),
            DueAt = Start.AddSeconds(30),
        };
    }

    public static Lease Active() => Step(Pending(), new LeaseEvent.Issued(new Handle("oid:1"), Start.AddMinutes(15)), Start.AddSeconds(1));

    public static Lease Revoking() => Step(Active(), new LeaseEvent.Ended(EndReason.TaskEnded), Start.AddSeconds(2));

    public static Lease Revoked() => Step(Revoking(), new LeaseEvent.ProvenGone(Gone(Start.AddSeconds(8))), Start.AddSeconds(8));

    public static Lease Step(Lease lease, LeaseEvent @event, DateTimeOffset now, bool live = true) =>
        LeaseMachine.Apply(lease, @event, live, now) is LeaseStep.Moved(var next) ? next : throw new InvalidOperationException($"{@event} does not move a {lease.State} lease.");

    public static Evidence Gone(DateTimeOffset at) => new("role_absent", "no such role", at);

    public static AttemptError Error(DateTimeOffset at, ProviderFault fault = ProviderFault.Unreachable) => new(fault, "no route", at);
}

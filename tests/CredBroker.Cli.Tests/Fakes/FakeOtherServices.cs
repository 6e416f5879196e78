using CredBroker.Contracts.V1;
using Grpc.Core;

namespace CredBroker.Cli.Tests.Fakes;

internal sealed class FakeSuspensions(FakeState state) : Suspensions.SuspensionsBase
{
    public override Task<Suspension> CreateSuspension(CreateSuspensionRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
    {
        var made = new Suspension(r.Suspension) { UnprovenLeases = state.Leases.Count, Active = !r.ValidateOnly };
        if (r.ValidateOnly) return made;
        made.Name = $"suspensions/{state.NewId()}";
        state.Suspensions.Add(made);
        return made;
    });

    public override Task<ListSuspensionsResponse> ListSuspensions(ListSuspensionsRequest r, ServerCallContext c) =>
        state.AnswerAsync(r, c, () => new ListSuspensionsResponse { Suspensions = { state.Suspensions } });

    public override Task<Suspension> LiftSuspension(LiftSuspensionRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
    {
        var found = state.Suspensions.Find(s => s.Name == r.Name) ?? throw FakeState.NotFound(r.Name);
        found.Active = false;
        return found;
    });
}

internal sealed class FakeReceipts(FakeState state) : Receipts.ReceiptsBase
{
    public override Task<Receipt> GetReceipt(GetReceiptRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
    {
        var receipt = new Receipt { Name = r.Name, Task = r.Name.Replace("/receipt", "", StringComparison.Ordinal), Revision = 1, State = Receipt.Types.State.Closed };
        receipt.Leases.AddRange(state.Leases.Values.Select(lease => new ReceiptLease
        {
            Lease = lease.Name,
            Role = lease.Role,
            State = lease.State,
            ProvenDeadTime = new() { Seconds = 1_900_000_002 },
            TimeToDead = new() { Seconds = 2 },
            Evidence = new() { Kind = "inactive" },
        }));
        if (state.Leases.Values.Any(lease => lease.State == Lease.Types.State.Active)) receipt.State = Receipt.Types.State.Open;
        return receipt;
    });
}

internal sealed class FakeAuditEvents(FakeState state) : AuditEvents.AuditEventsBase
{
    public override Task<ListAuditEventsResponse> ListAuditEvents(ListAuditEventsRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => new ListAuditEventsResponse
    {
        AuditEvents = { new AuditEvent { Name = "auditEvents/1-1", Type = "task.opened", Principal = "workloads/1", Time = new() { Seconds = 1_900_000_000 } } },
    });
}

using CredBroker.Client;
using CredBroker.Contracts.V1;

namespace Quickstart;

/// <summary>Prints what a task held, and how each thing died.</summary>
internal static class ReceiptPrinter
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    /// <summary>The receipt, once it is closed: when its last lease is proven dead.</summary>
    public static async Task PrintAsync(BrokerClient agent, string task, Narrator narrator, CancellationToken cancellationToken)
    {
        narrator.Step("The task's receipt: what it held, and how each thing died");
        var receipt = await ClosedAsync(agent, task, cancellationToken);
        narrator.Say($"{receipt.Name}, revision {receipt.Revision}: {receipt.State}, {receipt.Outcome}");
        foreach (var lease in receipt.Leases)
        {
            narrator.Say($"{lease.Role}: {lease.State}");
            narrator.Say($"  issued {Time(lease.IssueTime)}, dead in effect {Time(lease.DeadInEffectTime)}, proven dead {Time(lease.ProvenDeadTime)}");
            narrator.Say($"  time to dead {lease.TimeToDead?.ToTimeSpan().TotalMilliseconds:0} ms; evidence: {lease.Evidence?.Text}");
            if (lease.Residual.Length > 0) narrator.Say($"  what remains: {lease.Residual}");
        }

        narrator.Expect(receipt.State == Receipt.Types.State.Closed && receipt.Leases.Any(lease => lease.State == Lease.Types.State.Revoked), "the receipt is closed: everything is proven dead");
    }

    private static async Task<Receipt> ClosedAsync(BrokerClient agent, string task, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        for (var waited = TimeSpan.Zero; ; waited += timer.Period)
        {
            var receipt = await agent.Receipts.GetReceiptAsync(new() { Name = $"{task}/receipt" }, cancellationToken: cancellationToken);
            if (receipt.State == Receipt.Types.State.Closed || waited > Bound) return receipt;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static string Time(Google.Protobuf.WellKnownTypes.Timestamp? time) => time is null ? "never" : $"{time.ToDateTimeOffset():HH:mm:ss.fff}";
}

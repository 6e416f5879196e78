using System.Net;
using AwsAgent;
using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Contracts.V1;

// An agent that reads an object of S3 for one task: it has no AWS key of its own before, and none afterwards.
if (Settings.FromEnvironment() is not { } settings)
{
    Console.Error.WriteLine(Settings.Usage);
    return 2;
}

using var broker = new BrokerClient(new BrokerClientOptions { Address = settings.Broker, Token = TokenSource.FromFile(settings.TokenFile) });
await using var task = await broker.StartTaskAsync("read what this task needs, and no longer than it runs");
var lease = await task.IssueAsync(settings.Role);
Console.WriteLine($"{lease.Name} until {lease.ExpireTime:HH:mm:ss} UTC");

using var bucket = new Bucket(lease);
var before = await bucket.ReadAsync(settings.Object);
Console.WriteLine($"GET {settings.Object}: {(int)before}");

// The task is over for the broker at once. AWS takes its time, and the broker does not call the session dead before.
var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(1));
Console.WriteLine($"{ended.Task.Name} has ended, {ended.Unproven} not yet proven dead");
var receipt = await Waiting.UntilAsync(
    async () => await broker.Receipts.GetReceiptAsync(new() { Name = $"{task.Name}/receipt" }), receipt => receipt.State == Receipt.Types.State.Closed, settings.Patience);

var after = await bucket.ReadAsync(settings.Object);
Console.WriteLine($"GET {settings.Object}: {(int)after}");
foreach (var held in receipt.Leases) Console.WriteLine($"{held.Role}: {held.State}; {held.Evidence?.Text}{(held.Residual.Length > 0 ? $" What remains: {held.Residual}" : "")}");
return before == HttpStatusCode.OK && after == HttpStatusCode.Forbidden && receipt.State == Receipt.Types.State.Closed ? 0 : 1;

using System.Net;
using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Contracts.V1;
using VaultAgent;

// An agent that needs a token of Vault or OpenBao for one task: it has no secret of its own before, and none afterwards.
if (Settings.FromEnvironment() is not { } settings)
{
    Console.Error.WriteLine(Settings.Usage);
    return 2;
}

using var broker = new BrokerClient(new BrokerClientOptions { Address = settings.Broker, Token = TokenSource.FromFile(settings.TokenFile) });
await using var task = await broker.StartTaskAsync("read what this task needs, and no longer than it runs");
var lease = await task.IssueAsync(settings.Role);
Console.WriteLine($"{lease.Name} until {lease.ExpireTime:HH:mm:ss} UTC");

using var vault = await VaultSession.OpenAsync(lease);
var before = await vault.ReadAsync(settings.Path);
Console.WriteLine($"GET {settings.Path}: {(int)before}");

var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(30));
var after = await vault.ReadAsync(settings.Path);
Console.WriteLine($"{ended.Task.Name} has ended, {ended.Unproven} not yet proven dead; GET {settings.Path}: {(int)after}");

var receipt = await broker.Receipts.GetReceiptAsync(new() { Name = $"{task.Name}/receipt" });
foreach (var held in receipt.Leases) Console.WriteLine($"{held.Role}: {held.State}; {held.Evidence?.Text}");
return before == HttpStatusCode.OK && after == HttpStatusCode.Forbidden && ended.Unproven == 0 ? 0 : 1;

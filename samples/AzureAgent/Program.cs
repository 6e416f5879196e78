using System.Net;
using AzureAgent;
using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Contracts.V1;

// An agent that needs to read something at Azure for one task: it has no secret of its own before, and none afterwards.
if (Settings.FromEnvironment() is not { } settings)
{
    Console.Error.WriteLine(Settings.Usage);
    return 2;
}

using var broker = new BrokerClient(new BrokerClientOptions { Address = settings.Broker, Token = TokenSource.FromFile(settings.TokenFile) });
await using var task = await broker.StartTaskAsync("read what this task needs, and no longer than it runs");
var lease = await task.IssueAsync(settings.Role);
Console.WriteLine($"{lease.Name} until {lease.ExpireTime:HH:mm:ss} UTC");

using var azure = new AzureSession(lease);
var before = await azure.ReadPatientlyAsync(settings.Resource);
Console.WriteLine($"GET {settings.Resource.AbsolutePath}: {(int)before}");

var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(30));
Console.WriteLine($"{ended.Task.Name} has ended, {ended.Unproven} not yet proven dead: Azure takes its time, and the receipt says until when at most");

// A token that was taken before outlives its secret; what it may do ends with its roles, within minutes.
var loggedIn = await azure.LogInAsync();
Console.WriteLine(loggedIn ? "a new token was given all the same" : "no new token can be had");
Console.WriteLine($"GET {settings.Resource.AbsolutePath} with the token from before: {(int)await azure.ReadAsync(settings.Resource)}");

var receipt = await broker.Receipts.GetReceiptAsync(new() { Name = $"{task.Name}/receipt" });
foreach (var held in receipt.Leases) Console.WriteLine($"{held.Role}: {held.State}; {held.Residual}");
return before == HttpStatusCode.OK && !loggedIn ? 0 : 1;

using DevIdentity;

if (args is not ([] or ["--urls", _]))
{
    Console.Error.WriteLine("usage: DevIdentity [--urls http://127.0.0.1:PORT]");
    return 2;
}

await using var source = await DevIdentitySource.StartAsync(args.Length == 2 ? args[1] : "http://127.0.0.1:0");
Console.WriteLine($"The development identity source listens on {source.Issuer}");
Console.WriteLine("It vouches for whatever it is asked to: for development on this machine alone.");
Console.WriteLine($$"""Try: curl -s {{source.Issuer}}/token -H 'Content-Type: application/json' -d '{"subject":"agent-1","audience":"credbroker:dev000"}'""");
await source.WaitForShutdownAsync();
return 0;

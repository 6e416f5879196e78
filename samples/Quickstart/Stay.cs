namespace Quickstart;

/// <summary>Leaves everything running, for who wants to look around.</summary>
internal static class Stay
{
    public static async Task UntilToldAsync(Installation installation, Narrator narrator, CancellationToken cancellationToken)
    {
        narrator.Step("Everything stays. Try it with curl, as agent-2 (its token is good for one hour)");
        var header = installation.Place.Write("agent.header", $"Authorization: Bearer {installation.AgentToken("agent-2", TimeSpan.FromHours(1))}\n");
        var body = """'{"intent":{"what":"look around"},"ttl":"600s"}'""";
        narrator.Say($"curl -s -H @{header} -H 'Content-Type: application/json' -d {body} {installation.Place.Http}v1/tasks");
        narrator.Say($"curl -s -H @{header} {installation.Place.Http}v1/tasks");
        narrator.Say($"curl -s -H @{header} {installation.Place.Http}v1/tasks/-/leases");
        narrator.Say("Ctrl+C ends it all and removes what it made.");
        await installation.WaitForExitAsync(cancellationToken);
        throw new QuickstartException("The server ended by itself.");
    }
}

using CredBroker.Providers.Azure.Tests.StandIn;

namespace CredBroker.Providers.Azure.Tests;

/// <summary>How many calls each kind takes when nothing lags and the broker is logged in: the documentation's table.</summary>
public sealed class RoundTripTests
{
    [TestCase("app-password", 4, 12)]
    [TestCase("app-federated", 5, 11)]
    [TestCase("shared-app-password", 2, 4)]
    [TestCase("role-assignment", 2, 4)]
    [TestCase("keyvault-secret-write", 2, 4)]
    [TestCase("keyvault-secret-read", 1, 2)]
    public async Task Takes_as_many_calls_as_documented(string kind, int issue, int revoke)
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        var before = target.Host.Log.Count;
        var request = target.NewRequest(kind);
        var credential = await provider.IssueAsync(request, new Journal(), CancellationToken.None);
        var issued = target.Host.Log.Count;
        await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, credential.Handle));
        var issuing = target.Host.Log.Lines(before).Take(issued - before).ToList();
        var revoking = target.Host.Log.Lines(issued).Where(line => !line.EndsWith("/oauth2/v2.0/token", StringComparison.Ordinal)).ToList();
        Assert.That(issuing, Has.Count.EqualTo(issue), string.Join('\n', issuing));
        Assert.That(revoking, Has.Count.EqualTo(revoke), string.Join('\n', revoking));
    }
}

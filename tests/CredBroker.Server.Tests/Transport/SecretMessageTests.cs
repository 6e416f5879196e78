using CredBroker.Contracts.V1;

namespace CredBroker.Server.Tests.Transport;

[TestFixture]
internal sealed class SecretMessageTests
{
    private const string Secret = "hunter2-hunter2";

    [Test]
    public void Never_prints_a_credential()
    {
        var field = new CredentialField { Value = Secret, MediaType = "text/plain" };
        var issued = new IssueLeaseResponse { Lease = new Lease { Name = "tasks/a/leases/b" }, Credential = { ["password"] = field } };
        var renewed = new RenewLeaseResponse { Lease = new Lease { Name = "tasks/a/leases/b" }, Credential = { ["password"] = field } };

        Assert.That(new[] { field.ToString(), issued.ToString(), renewed.ToString() }, Has.None.Contains(Secret));
        Assert.That(issued.ToString(), Does.Contain("tasks/a/leases/b"));
    }
}

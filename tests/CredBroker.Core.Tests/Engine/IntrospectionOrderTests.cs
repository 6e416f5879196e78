using System.Reflection;
using CredBroker.Abstractions;
using CredBroker.Core.Clocks;
using CredBroker.Core.Introspection;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Nobody makes the broker look things up by sending tokens that are none.</summary>
public sealed class IntrospectionOrderTests : EngineTests
{
    [Test]
    public async Task A_forged_token_costs_a_signature_check_and_no_look_into_the_database()
    {
        Ok(await Resources.CreateAsync(
            RegistryAuthor.Operator, ResourceTypes.PolicySet, "services", null, new PolicySetSpec { Text = """permit (principal, action == Action::"introspect", resource);""" },
            new ChangeOptions(), CancellationToken.None));
        var caller = await Broker.CallerAsync();
        var lease = new LeaseToken
        {
            LeaseId = Uid.New(Broker.Time),
            TaskId = Uid.New(Broker.Time),
            Subject = "ci/agent",
            Audience = "orders",
            ExpiresAt = Broker.Time.GetUtcNow().AddMinutes(5),
        };
        var genuine = (await Broker.Get<ILeaseTokenSigner>().SignAsync(lease, CancellationToken.None)).Reveal();
        var store = DispatchProxy.Create<ILeaseStore, CountedStore>();
        var counted = (CountedStore)(object)store;
        counted.Inner = Broker.Leases;
        var introspection = new IntrospectionService(Broker.Get<LeaseTokenVerifier>(), store, Broker.Get<Decider>(), Broker.Get<StoreTime>());

        var parts = genuine.Split('.');
        var forged = new[]
        {
            "garbage", "", "a.b.c", $"{parts[0]}.{parts[1]}.", $"{parts[0]}.{parts[1]}.{(parts[2][0] == 'A' ? 'B' : 'A')}{parts[2][1..]}",
            $"{parts[0]}.{Changed(parts[1])}.{parts[2]}", $"eyJhbGciOiJub25lIn0.{parts[1]}.", new string('a', 20_000),
        };
        foreach (var token in forged) Assert.That(await introspection.IntrospectAsync(caller, token, CancellationToken.None), Is.Null);
        Assert.That(counted.Calls, Is.Zero);
        Assert.That(await introspection.IntrospectAsync(caller, genuine, CancellationToken.None), Is.Null, "its lease is not there");
        Assert.That(counted.Calls, Is.EqualTo(1), "a genuine one is looked up");
    }

    /// <summary>The same claims for another lease.</summary>
    private static string Changed(string payload)
    {
        var claims = System.Text.Json.Nodes.JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(payload))!;
        claims["jti"] = new string('0', 26);
        return System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(claims.ToJsonString()));
    }

    /// <summary>A store that counts what it is asked. Made by a proxy, which cannot seal it.</summary>
    public class CountedStore : DispatchProxy
    {
        public ILeaseStore Inner { get; set; } = null!;

        public int Calls { get; private set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Calls++;
            return targetMethod!.Invoke(Inner, args);
        }
    }
}

using CredBroker.Abstractions;
using CredBroker.Core.Issuance;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Policy sees what is granted, and is not moved by what is merely said.</summary>
public sealed class DecisionInputTests : EngineTests
{
    private static readonly string[] Hostile =
    [
        "", "orders", "table=orders", "\"orders\"", "items\", \"table\": \"orders", "x\" || true || \"", "'; DROP TABLE leases; --", "{{table}}", "*", "ci/table", "../orders", "orders\u0000", "\u202esredro",
        "Role::\"db/read\"", "permit (principal, action, resource);", new('a', 10_000),
    ];

    [Test]
    public async Task Any_change_of_what_is_granted_changes_the_decisions_input_hash()
    {
        var asked = await IssueQuestionAsync(("table", "orders"), ("mode", "read"));
        var decider = Broker.Get<Decider>();
        var same = decider.Issue(asked).InputHash;
        Assert.That(decider.Issue(asked with { Parameters = Parameters(("mode", "read"), ("table", "orders")) }).InputHash, Is.EqualTo(same), "the order of parameters is none of its business");
        IssueQuestion[] others =
        [
            .. Hostile.Where(value => value != "orders").Select(value => asked with { Parameters = Parameters(("table", value), ("mode", "read")) }),
            .. Hostile.Select(value => asked with { Parameters = Parameters(("table", "orders"), ("mode", "read"), (value, "1")) }),
            asked with { Parameters = Parameters(("table", "read"), ("mode", "orders")) },
            asked with { Parameters = Parameters(("table", "orders")) },
            asked with { Parameters = Parameters(("Table", "orders"), ("mode", "read")) },
            asked with { Parameters = Parameters() },
            asked with { Ttl = asked.Ttl + TimeSpan.FromSeconds(1) },
            asked with { Destination = "elsewhere" },
            asked with { DeclaredDestination = "elsewhere" },
            asked with { CanMint = true },
            asked with { Revocability = new Revocability(RevocabilityKind.ExpiresOnly, TimeSpan.Zero, "") },
            asked with { Action = "renew" },
            asked with { Counters = new LeaseCounts(1, 0, 0, 0) },
            asked with { ParentDeadline = Broker.Time.Now().AddMinutes(1) },
            asked with { Provider = asked.Provider with { Entry = asked.Provider.Entry with { TargetIdentity = "another" } } },
        ];
        Assert.That(others.Select(other => decider.Issue(other).InputHash).Append(same), Is.Unique);
    }

    [Test]
    public async Task No_flip_of_what_is_declared_widens_what_a_task_may_get()
    {
        var attested = new PolicySetSpec
        {
            Text = """
                @id("reads") @max_ttl("5m")
                permit (principal in IdentitySource::"ci", action == Action::"issue", resource) when { context.params.hasTag("table") && context.params.getTag("table") == "orders" };
                @id("opens") permit (principal, action == Action::"createTask", resource);
                """,
        };
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, attested, new ChangeOptions(), CancellationToken.None));
        var decider = Broker.Get<Decider>();
        foreach (var table in new[] { "orders", "items" })
        {
            var asked = await IssueQuestionAsync(("table", table));
            foreach (var intent in Hostile.SelectMany(Intents))
            {
                var decision = decider.Issue(asked with { Task = asked.Task with { Intent = intent } });
                Assert.That((decision.Allowed, decision.MaxTtl), Is.EqualTo(table == "orders" ? (true, TimeSpan.FromMinutes(5)) : (false, (TimeSpan?)null)), $"{table}: {intent}");
                Assert.That(decision.Input.ToJsonString(), intent.What.Length > 1000 ? Does.Not.Contain(intent.What) : Is.Not.Empty, "what is said freely stays out of the audit trail");
            }

            foreach (var destination in Hostile)
            {
                var decision = decider.Issue(asked with { DeclaredDestination = destination });
                Assert.That((decision.Allowed, decision.MaxTtl), Is.EqualTo(table == "orders" ? (true, TimeSpan.FromMinutes(5)) : (false, (TimeSpan?)null)), $"{table}: {destination}");
                Assert.That(decision.Input.ToJsonString(), destination.Length > 1000 ? Does.Not.Contain(destination) : Is.Not.Empty);
            }
        }
    }

    [Test]
    public async Task What_is_declared_counts_only_for_a_permit_that_trusts_it_and_for_forbids()
    {
        var spec = new PolicySetSpec
        {
            Text = """
                permit (principal, action == Action::"createTask", resource);
                @trusts_declared("agents say which copy they read") permit (principal, action in [Action::"issue", Action::"renew"], resource == Role::"db/read")
                when { context.declared has destination && context.declared.destination == "replica.example" };
                forbid (principal, action == Action::"issue", resource) when { context.declared has destination && context.declared.destination like "*.example/public*" };
                """,
        };
        Assert.That(Refused(await UpdateAsync(spec with { Text = spec.Text.Replace("@trusts_declared(\"agents say which copy they read\")", "", StringComparison.Ordinal) })).Reason, Is.EqualTo(Reasons.PolicyInvalid));
        Ok(await UpdateAsync(spec));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var issued = Ok(await DeclareAsync("replica.example", "a"));
        Assert.That(Refused(await DeclareAsync("")).Reason, Is.EqualTo(Reasons.PolicyDenied));
        Assert.That(Refused(await DeclareAsync("primary.example")).Reason, Is.EqualTo(Reasons.PolicyDenied));
        Assert.That(Refused(await DeclareAsync("replica.example/public")).Reason, Is.EqualTo(Reasons.PolicyDenied));

        // What is declared is a part of the request: the same id with another word is another request.
        Ok(await UpdateAsync(new PolicySetSpec { Text = "permit (principal, action in [Action::\"issue\", Action::\"renew\"], resource);" }));
        Assert.That(Refused(await DeclareAsync("primary.example", "a")).Reason, Is.EqualTo(Reasons.RequestIdReused));
        Ok(await UpdateAsync(spec));
        var renewal = Broker.Get<Renewal>();
        Assert.That(Refused(await renewal.RenewAsync(agent, null, issued.Lease.Lease.Id, null, "", CancellationToken.None)).Reason, Is.EqualTo(Reasons.PolicyDenied), "it is not remembered");
        Ok(await renewal.RenewAsync(agent, null, issued.Lease.Lease.Id, null, "replica.example", CancellationToken.None));

        Task<Result<IssuedLease>> DeclareAsync(string destination, string request = "") => Broker.Issuance.IssueAsync(
            new IssueCommand { Caller = agent, Task = task.Id, Provider = "db", Role = "read", DeclaredDestination = destination, RequestId = request }, CancellationToken.None);
    }

    private Task<Result<Registered<PolicySetSpec>>> UpdateAsync(PolicySetSpec spec) =>
        Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, spec, new ChangeOptions(), CancellationToken.None);

    private static IEnumerable<Intent> Intents(string text)
    {
        var none = new Dictionary<string, string>();
        yield return new Intent(text, "", "", none);
        yield return new Intent("a", text, "", none);
        yield return new Intent("a", "", text, none);
        yield return new Intent("a", "", "", new Dictionary<string, string> { ["table"] = text });
        yield return new Intent("a", "", "", new Dictionary<string, string> { [text] = "orders" });
    }
}

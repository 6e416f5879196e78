using CredBroker.Abstractions;
using CredBroker.AspNetCore.Mapping;
using CredBroker.Contracts.V1;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Tasks;
using Lease = CredBroker.Contracts.V1.Lease;
using ReconciliationFinding = CredBroker.Contracts.V1.ReconciliationFinding;

namespace CredBroker.Server.Tests.Mapping;

/// <summary>A value that is added to the domain must be added to the contract, or it would be shown as unspecified.</summary>
[TestFixture]
internal sealed class EnumMappingTests
{
    [Test]
    public void Shows_every_value_as_another() => Assert.Multiple(() =>
    {
        ShowsEach<LeaseState, Lease.Types.State>(value => value.ToProto());
        ShowsEach<EndReason, Lease.Types.EndReason>(value => ((EndReason?)value).ToProto());
        ShowsEach<RevocabilityKind, CredBroker.Contracts.V1.Revocability>(value => value.ToProto());
        ShowsEach<TaskOutcome, Outcome>(value => ((TaskOutcome?)value).ToProto());
        ShowsEach<TaskEndReason, CredBroker.Contracts.V1.AgentTask.Types.EndReason>(value => ((TaskEndReason?)value).ToProto());
        ShowsEach<FindingKind, ReconciliationFinding.Types.Kind>(value => value.ToProto());
        ShowsEach<CredBroker.Core.Diagnosis.Severity, Ailment.Types.Severity>(value => value.ToProto());
        ShowsEach<QuarantineReason, QuarantinedProvider.Types.Reason>(value => value.ToProto());
        ShowsEach<ReconciliationMode, Provider.Types.Reconciliation>(value => value.ToProto());
        ShowsEach<FindingLevel, CheckFinding.Types.Severity>(value => (CheckFinding.Types.Severity)value);
    });

    [Test]
    public void Reads_every_state_as_it_shows_it() =>
        Assert.That(Enum.GetValues<LeaseState>().Select(state => state.ToProto().ToDomain()), Is.EqualTo(Enum.GetValues<LeaseState>()));

    [Test]
    public void Calls_findings_as_the_domain_does() =>
        Assert.That(Enum.GetValues<FindingLevel>().Select(level => ((CheckFinding.Types.Severity)level).ToString()), Is.EqualTo(Enum.GetNames<FindingLevel>()));

    private static void ShowsEach<TDomain, TProto>(Func<TDomain, TProto> show)
        where TDomain : struct, Enum
        where TProto : struct, Enum
    {
        var shown = Enum.GetValues<TDomain>().Select(show).ToList();

        Assert.That(shown, Is.Unique, typeof(TDomain).Name);
        Assert.That(shown, Has.None.EqualTo(default(TProto)), typeof(TDomain).Name);
        Assert.That(shown.All(value => Enum.IsDefined(value)), typeof(TDomain).Name);
    }
}

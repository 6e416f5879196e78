using CredBroker.Contracts.V1;
using Grpc.Core;

namespace CredBroker.Cli.Tests.Fakes;

internal sealed class FakeOperations(FakeState state) : Operations.OperationsBase
{
    public override Task<Diagnosis> Diagnose(DiagnoseRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => state.Diagnosis);

    public override Task<Quarantine> GetQuarantine(GetQuarantineRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => new Quarantine { Providers = { state.Quarantined } });

    public override Task<QuarantinedProvider> ReleaseProvider(ReleaseProviderRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
    {
        var found = state.Quarantined.Find(one => one.Provider == r.Name) ?? throw FakeState.NotFound(r.Name);
        if (!r.ValidateOnly) state.Quarantined.Remove(found);
        return found;
    });

    public override Task<Reconciliation> ReconcileProvider(ReconcileProviderRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => state.Reconciliation);
}

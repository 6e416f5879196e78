using CredBroker.AspNetCore.Mapping;
using CredBroker.Contracts.V1;
using CredBroker.Core.Reconciliation;
using Grpc.Core;

namespace CredBroker.AspNetCore.Services;

/// <summary>The service of operators.</summary>
internal sealed class OperationsApi(ReconciliationService reconciliation, TimeProvider time) : Operations.OperationsBase
{
    public override async Task<Reconciliation> GetReconciliation(GetReconciliationRequest request, ServerCallContext context) =>
        Show(request.Name, (await reconciliation.GetAsync(context.Caller(), request.Name.Split('/')[1], context.CancellationToken)).OrThrow(context, request.Name));

    public override async Task<Reconciliation> ReconcileProvider(ReconcileProviderRequest request, ServerCallContext context) =>
        Show($"{request.Name}/reconciliation", (await reconciliation.RunAsync(context.Caller(), request.Name.Split('/')[1], context.CancellationToken)).OrThrow(context, request.Name));

    private Reconciliation Show(string name, ReconciliationStatus status) => status.ToProto(name, time.GetUtcNow());
}

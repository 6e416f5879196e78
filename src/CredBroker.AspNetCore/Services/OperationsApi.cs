using CredBroker.AspNetCore.Mapping;
using CredBroker.Contracts.V1;
using CredBroker.Core.Diagnosis;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using Grpc.Core;

namespace CredBroker.AspNetCore.Services;

/// <summary>The service of operators.</summary>
internal sealed class OperationsApi(ReconciliationService reconciliation, QuarantineService quarantine, DiagnosisService diagnosis, TimeProvider time) : Operations.OperationsBase
{
    public override async Task<Reconciliation> GetReconciliation(GetReconciliationRequest request, ServerCallContext context) =>
        Show(request.Name, (await reconciliation.GetAsync(context.Caller(), request.Name.Split('/')[1], context.CancellationToken)).OrThrow(context, request.Name));

    public override async Task<Reconciliation> ReconcileProvider(ReconcileProviderRequest request, ServerCallContext context) =>
        Show($"{request.Name}/reconciliation", (await reconciliation.RunAsync(context.Caller(), request.Name.Split('/')[1], context.CancellationToken)).OrThrow(context, request.Name));

    public override async Task<Quarantine> GetQuarantine(GetQuarantineRequest request, ServerCallContext context) =>
        new() { Providers = { (await quarantine.ListAsync(context.Caller(), context.CancellationToken)).OrThrow(context).Select(one => one.ToProto()) } };

    public override async Task<QuarantinedProvider> QuarantineProvider(QuarantineProviderRequest request, ServerCallContext context) =>
        (await quarantine.StartAsync(context.Caller(), request.Name.Split('/')[1], request.Reason, context.CancellationToken)).OrThrow(context, request.Name).ToProto();

    public override async Task<QuarantinedProvider> ReleaseProvider(ReleaseProviderRequest request, ServerCallContext context) =>
        (await quarantine.ReleaseAsync(context.Caller(), request.Name.Split('/')[1], request.Reason, request.ValidateOnly, context.CancellationToken)).OrThrow(context, request.Name).ToProto();

    public override async Task<Diagnosis> Diagnose(DiagnoseRequest request, ServerCallContext context) =>
        new() { Ailments = { (await diagnosis.DiagnoseAsync(context.Caller(), context.CancellationToken)).OrThrow(context).Select(one => one.ToProto()) } };

    private Reconciliation Show(string name, ReconciliationStatus status) => status.ToProto(name, time.GetUtcNow());
}

using CredBroker.EntityFrameworkCore.Model;
using Microsoft.EntityFrameworkCore.Metadata;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>The tables, as the writer names them.</summary>
internal sealed class Tables(IModel model)
{
    public RowTable<TaskRow> Tasks { get; } = new(model);
    public RowTable<LivenessRow> Liveness { get; } = new(model);
    public RowTable<TextRow> Texts { get; } = new(model);
    public RowTable<LabelRow> Labels { get; } = new(model);
    public RowTable<DeliveryRow> Deliveries { get; } = new(model);
    public RowTable<FanOutRow> FanOuts { get; } = new(model);
    public RowTable<ReevaluationRow> Reevaluations { get; } = new(model);
    public RowTable<GroupRow> Groups { get; } = new(model);
    public RowTable<ReceiptRow> Receipts { get; } = new(model);
    public RowTable<LeaseRow> Leases { get; } = new(model);
    public RowTable<RegistryRow> Registry { get; } = new(model);
    public RowTable<GateRow> Gates { get; } = new(model);
    public RowTable<GenerationRow> Generations { get; } = new(model);
    public RowTable<CounterRow> Counters { get; } = new(model);
    public RowTable<RequestRow> Requests { get; } = new(model);
    public RowTable<SuspensionRow> Suspensions { get; } = new(model);
    public RowTable<ReconciliationRow> Reconciliations { get; } = new(model);
    public RowTable<WorkloadRow> Workloads { get; } = new(model);
    public RowTable<EpochRow> Epochs { get; } = new(model);
    public RowTable<LifeRow> Life { get; } = new(model);
    public RowTable<SchemaFloorRow> SchemaFloor { get; } = new(model);
    public RowTable<WriterRow> Writers { get; } = new(model);
    public RowTable<AuditRow> Audit { get; } = new(model);
    public RowTable<AuditTextRow> AuditTexts { get; } = new(model);
    public RowTable<SecretBindingRow> SecretBindings { get; } = new(model);
    public RowTable<SigningKeyRow> SigningKeys { get; } = new(model);
    public RowTable<ProtectionKeyRow> ProtectionKeys { get; } = new(model);
}

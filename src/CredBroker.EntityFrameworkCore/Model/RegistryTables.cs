using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>What is registered, what is suspended, who was seen, and the numbers that guard them.</summary>
internal static class RegistryTables
{
    public static void Configure(ModelBuilder model)
    {
        model.Entity<RegistryRow>(entity =>
        {
            entity.ToTable("registry", table => table.HasCheckConstraint("ck_registry_kind", "kind BETWEEN 1 AND 5 AND version >= 1 AND (kind = 3) = (parent_uid IS NOT NULL)"));
            entity.HasKey(row => row.Uid);
            // Two indexes, because null parents are not equal to each other.
            entity.HasIndex(row => new { row.Kind, row.Name }, "ux_registry_name").IsUnique().HasFilter("parent_uid IS NULL AND deleted_at IS NULL");
            entity.HasIndex(row => new { row.ParentUid, row.Name }, "ux_registry_child_name").IsUnique().HasFilter("parent_uid IS NOT NULL AND deleted_at IS NULL");
        });
        model.Entity<GateRow>(entity =>
            entity.ToTable("gates", table => table.HasCheckConstraint("ck_gates_numbers", "version >= 0 AND suspension >= 0 AND (quarantined_at IS NULL) = (quarantine_reason IS NULL)")).HasKey(row => row.Uid));
        model.Entity<GenerationRow>(entity =>
        {
            entity.ToTable("registry_generation", table => table.HasCheckConstraint("ck_registry_generation_one", "id = 1")).HasKey(row => row.Id);
            entity.Property(row => row.Id).ValueGeneratedNever();
            entity.HasData(new GenerationRow { Id = 1, Generation = 1 });
        });
        model.Entity<CounterRow>(entity =>
            entity.ToTable("counters", table => table.HasCheckConstraint("ck_counters_value", "value >= 0")).HasKey(row => row.Key));
        model.Entity<RequestRow>(entity =>
        {
            entity.ToTable("requests", table => table.HasCheckConstraint("ck_requests_attempt", "attempt >= 0")).HasKey(row => row.Key);
            entity.HasIndex(row => row.At, "ix_requests_at");
        });
        model.Entity<SecretBindingRow>(entity => entity.ToTable("secret_bindings").HasKey(row => new { row.ConsumerKind, row.ConsumerName, row.Source, row.Host }));
        model.Entity<ReconciliationRow>(entity =>
            entity.ToTable("reconciliations", table => table.HasCheckConstraint("ck_reconciliations_fence", "fence >= 0")).HasKey(row => row.ProviderUid));
        model.Entity<SuspensionRow>(entity =>
        {
            entity.ToTable("suspensions").HasKey(row => row.Id);
            entity.HasIndex(row => row.Target, "ix_suspensions_in_force").HasFilter("lifted_at IS NULL");
            entity.HasIndex(row => row.Until, "ix_suspensions_until").HasFilter("lifted_at IS NULL AND until IS NOT NULL");
        });
        model.Entity<WorkloadRow>(entity =>
        {
            entity.ToTable("workloads").HasKey(row => row.Uid);
            entity.HasIndex(row => new { row.SourceUid, row.Subject }, "ux_workloads_subject").IsUnique().HasFilter("replaced_at IS NULL");
        });
    }
}

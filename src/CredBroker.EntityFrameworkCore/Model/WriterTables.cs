using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>What the writer keeps of itself, the audit trail, and keys.</summary>
internal static class WriterTables
{
    public static void Configure(ModelBuilder model)
    {
        model.Entity<EpochRow>(entity =>
        {
            entity.ToTable("epochs", table => table.HasCheckConstraint("ck_epochs_id", "id >= 1")).HasKey(row => row.Id);
            entity.Property(row => row.Id).ValueGeneratedNever();
        });
        model.Entity<LifeRow>(entity =>
        {
            entity.ToTable("broker_life", table => table.HasCheckConstraint("ck_broker_life_one", "id = 1 AND (down_from IS NULL) = (down_to IS NULL)")).HasKey(row => row.Id);
            entity.Property(row => row.Id).ValueGeneratedNever();
        });
        model.Entity<SchemaFloorRow>(entity =>
        {
            entity.ToTable("schema_floor", table => table.HasCheckConstraint("ck_schema_floor_one", "id = 1")).HasKey(row => row.Id);
            entity.Property(row => row.Id).ValueGeneratedNever();
            // Always there: a migration that takes something away raises it.
            entity.HasData(new SchemaFloorRow { Id = 1 });
        });
        model.Entity<WriterRow>(entity => entity.ToTable("writers").HasKey(row => row.Uid));
        model.Entity<AuditRow>(entity =>
        {
            entity.ToTable("audit_events", table => table.HasCheckConstraint("ck_audit_events_sequence", "sequence >= 1"));
            entity.HasKey(row => new { row.Writer, row.Sequence });
            entity.HasIndex(row => new { row.At, row.Writer, row.Sequence }, "ix_audit_events_at");
            entity.HasIndex(row => new { row.TaskId, row.At }, "ix_audit_events_task").HasFilter("task_id IS NOT NULL");
            entity.HasIndex(row => row.LeaseId, "ix_audit_events_lease").HasFilter("lease_id IS NOT NULL");
            entity.HasIndex(row => row.DecisionId, "ix_audit_events_decision").HasFilter("decision_id IS NOT NULL");
        });
        model.Entity<AuditTextRow>(entity => entity.ToTable("audit_texts").HasKey(row => new { row.Writer, row.Sequence, row.Name }));
        model.Entity<SigningKeyRow>(entity =>
        {
            entity.ToTable("signing_keys", table => table.HasCheckConstraint("ck_signing_keys_ordinal", "ordinal >= 1")).HasKey(row => row.Uid);
            entity.HasIndex(row => new { row.Family, row.Ordinal }).IsUnique();
        });
        model.Entity<ProtectionKeyRow>(entity => entity.ToTable("data_protection_keys").HasKey(row => row.Id));
    }
}

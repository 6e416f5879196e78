using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>Tasks, leases and what belongs to them, with what the database itself holds true of them.</summary>
internal static class WorkTables
{
    public static void Configure(ModelBuilder model, string? byteOrder)
    {
        Tasks(model, byteOrder);
        Leases(model);
        model.Entity<FanOutRow>(entity =>
        {
            entity.ToTable("fan_outs", table => table.HasCheckConstraint("ck_fan_outs_one", "(gate IS NULL) <> (task_id IS NULL)")).HasKey(row => row.Id);
        });
        model.Entity<ReevaluationRow>(entity => entity.ToTable("reevaluations", table => table.HasCheckConstraint("ck_reevaluations_scope", "workload IS NULL OR task_id IS NULL")).HasKey(row => row.Id));
        model.Entity<GroupRow>(entity => entity.ToTable("exclusive_groups", table => table.HasCheckConstraint("ck_exclusive_groups_fence", "fence >= 0")).HasKey(row => row.Uid));
        model.Entity<ReceiptRow>(entity =>
        {
            // Closed revisions are even, those that were opened again odd.
            entity.ToTable("receipts", table => table.HasCheckConstraint("ck_receipts_body", "revision % 2 = 0 OR body IS NULL"));
            entity.HasKey(row => new { row.TaskId, row.Revision });
        });
    }

    private static void Tasks(ModelBuilder model, string? byteOrder)
    {
        model.Entity<TaskRow>(entity =>
        {
            entity.ToTable("tasks", table =>
            {
                table.HasCheckConstraint("ck_tasks_end", "(ended_at IS NULL) = (end_reason IS NULL) AND (ended_at IS NULL) = (outcome IS NULL)");
                table.HasCheckConstraint("ck_tasks_reason", "end_reason BETWEEN 1 AND 5 AND outcome BETWEEN 1 AND 3");
                table.HasCheckConstraint("ck_tasks_root", "(parent_id IS NULL) = (root_id = id)");
            }).HasKey(row => row.Id);
            entity.HasIndex(row => row.Path).IsUnique();
            entity.HasIndex(row => row.Deadline).HasFilter("ended_at IS NULL");
            entity.HasIndex(row => row.OpenerWorkload);
            entity.HasIndex(row => row.PerformerWorkload);
            entity.HasIndex(row => new { row.PerformerSource, row.PerformerSubject });
            if (byteOrder is not null) entity.Property(row => row.Path).UseCollation(byteOrder);
        });
        model.Entity<LivenessRow>(entity =>
        {
            entity.ToTable("task_liveness").HasKey(row => row.TaskId);
            entity.HasIndex(row => row.AliveUntil).HasFilter("watched");
        });
        model.Entity<TextRow>(entity => entity.ToTable("texts").HasKey(row => row.OwnerUid));
        model.Entity<LabelRow>(entity =>
        {
            entity.ToTable("task_labels").HasKey(row => new { row.TaskId, row.Name });
            entity.HasIndex(row => new { row.Name, row.Value });
        });
        model.Entity<DeliveryRow>(entity =>
        {
            entity.ToTable("webhook_deliveries").HasKey(row => new { row.Hook, row.DeliveryId });
            entity.HasIndex(row => row.KeepUntil);
        });
    }

    private static void Leases(ModelBuilder model) => model.Entity<LeaseRow>(entity =>
    {
        const string unproven = "state <= 3";
        entity.ToTable("leases", table =>
        {
            table.HasCheckConstraint("ck_leases_state", "state BETWEEN 1 AND 6 AND lane BETWEEN 0 AND 3");
            table.HasCheckConstraint("ck_leases_numbers", "version >= 1 AND fence >= 0 AND attempts >= 0");
            // Whatever is not proven dead has a time at which somebody looks at it: nothing can be forgotten.
            table.HasCheckConstraint("ck_leases_due", "(state <= 3) = (due_at IS NOT NULL)");
            table.HasCheckConstraint("ck_leases_closed", "(state <= 3) = (closed_at IS NULL)");
            table.HasCheckConstraint("ck_leases_evidence", "state NOT IN (4, 5) OR evidence_kind IS NOT NULL");
            table.HasCheckConstraint("ck_leases_reason", "state <> 3 OR end_reason IS NOT NULL");
            table.HasCheckConstraint("ck_leases_group", "(group_uid IS NULL) = (exclusive_group IS NULL) AND (group_uid IS NULL) = (group_capacity IS NULL)");
        }).HasKey(row => row.Id);
        entity.HasIndex(row => row.ExternalName).IsUnique();
        entity.HasIndex(row => new { row.ProviderUid, row.Lane, row.DueAt, row.WorkloadUid }, "ix_leases_due").HasFilter("due_at IS NOT NULL AND group_uid IS NULL");
        // Nothing of a group is in the index of what is claimed alone, and the other way round.
        entity.HasIndex(row => new { row.DueAt, row.GroupUid, row.ProviderUid }, "ix_leases_group_agenda").HasFilter("due_at IS NOT NULL AND group_uid IS NOT NULL");
        entity.HasIndex(row => new { row.GroupUid, row.DueAt }, "ix_leases_group_due").HasFilter("due_at IS NOT NULL AND group_uid IS NOT NULL");
        entity.HasIndex(row => new { row.GroupUid, row.PossibleDeathAt }, "ix_leases_group_slots").HasFilter("group_uid IS NOT NULL");
        entity.HasIndex(row => new { row.TaskId, row.Id }, "ix_leases_task");
        entity.HasIndex(row => new { row.TaskId, row.Id }, "ix_leases_task_unproven").HasFilter(unproven);
        entity.HasIndex(row => new { row.SourceUid, row.Id }, "ix_leases_source_unproven").HasFilter(unproven);
        entity.HasIndex(row => new { row.WorkloadUid, row.Id }, "ix_leases_workload_unproven").HasFilter(unproven);
        entity.HasIndex(row => new { row.ProviderUid, row.Id }, "ix_leases_provider_unproven").HasFilter(unproven);
        entity.HasIndex(row => new { row.RoleUid, row.Id }, "ix_leases_role_unproven").HasFilter(unproven);
        entity.HasIndex(row => row.Id, "ix_leases_live").HasFilter("state <= 2");
        entity.HasIndex(row => new { row.ProviderUid, row.ErrorFault, row.RevokingAt }, "ix_leases_revoking").HasFilter("state = 3");
        entity.HasIndex(row => row.ProviderUid, "ix_leases_pending").HasFilter("state = 1");
        // Which keys are still needed is asked at every start, whatever lives then.
        entity.HasIndex(row => row.HandleKey, "ix_leases_handle_key").HasFilter("state <= 3 AND handle_key IS NOT NULL");
        entity.HasIndex(row => row.MarkKeyId, "ix_leases_mark_key").HasFilter("state <= 3 AND mark_key_id <> ''");
    });
}

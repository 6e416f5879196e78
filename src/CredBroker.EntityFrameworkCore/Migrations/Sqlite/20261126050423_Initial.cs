using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_events",
                columns: table => new
                {
                    writer = table.Column<byte[]>(type: "BLOB", nullable: false),
                    sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    type = table.Column<string>(type: "TEXT", nullable: false),
                    by_kind = table.Column<string>(type: "TEXT", nullable: false),
                    by_name = table.Column<string>(type: "TEXT", nullable: false),
                    task_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    lease_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    decision_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    resource = table.Column<string>(type: "TEXT", nullable: false),
                    detail = table.Column<string>(type: "TEXT", nullable: false),
                    previous_hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    hash = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_events", x => new { x.writer, x.sequence });
                    table.CheckConstraint("ck_audit_events_sequence", "sequence >= 1");
                });

            migrationBuilder.CreateTable(
                name: "audit_texts",
                columns: table => new
                {
                    writer = table.Column<byte[]>(type: "BLOB", nullable: false),
                    sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    body = table.Column<string>(type: "TEXT", nullable: false),
                    salt = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_texts", x => new { x.writer, x.sequence, x.name });
                });

            migrationBuilder.CreateTable(
                name: "broker_life",
                columns: table => new
                {
                    id = table.Column<int>(type: "INTEGER", nullable: false),
                    alive_at = table.Column<long>(type: "INTEGER", nullable: false),
                    down_from = table.Column<long>(type: "INTEGER", nullable: true),
                    down_to = table.Column<long>(type: "INTEGER", nullable: true),
                    cursor = table.Column<byte[]>(type: "BLOB", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_broker_life", x => x.id);
                    table.CheckConstraint("ck_broker_life_one", "id = 1 AND (down_from IS NULL) = (down_to IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "counters",
                columns: table => new
                {
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    value = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_counters", x => x.key);
                    table.CheckConstraint("ck_counters_value", "value >= 0");
                });

            migrationBuilder.CreateTable(
                name: "data_protection_keys",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    xml = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_data_protection_keys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "epochs",
                columns: table => new
                {
                    id = table.Column<int>(type: "INTEGER", nullable: false),
                    epoch = table.Column<byte[]>(type: "BLOB", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_epochs", x => x.id);
                    table.CheckConstraint("ck_epochs_id", "id >= 1");
                });

            migrationBuilder.CreateTable(
                name: "exclusive_groups",
                columns: table => new
                {
                    uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    target_identity = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    fence = table.Column<long>(type: "INTEGER", nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: false),
                    denied_before = table.Column<long>(type: "INTEGER", nullable: true),
                    killed_before = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_exclusive_groups", x => x.uid);
                    table.CheckConstraint("ck_exclusive_groups_fence", "fence >= 0");
                });

            migrationBuilder.CreateTable(
                name: "fan_outs",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    gate = table.Column<byte[]>(type: "BLOB", nullable: true),
                    generation = table.Column<long>(type: "INTEGER", nullable: false),
                    task_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    gate_column = table.Column<int>(type: "INTEGER", nullable: false),
                    cursor = table.Column<byte[]>(type: "BLOB", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fan_outs", x => x.id);
                    table.CheckConstraint("ck_fan_outs_one", "(gate IS NULL) <> (task_id IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "gates",
                columns: table => new
                {
                    uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false),
                    suspension = table.Column<long>(type: "INTEGER", nullable: false),
                    suspended = table.Column<bool>(type: "INTEGER", nullable: false),
                    quarantined_at = table.Column<long>(type: "INTEGER", nullable: true),
                    quarantine_reason = table.Column<int>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gates", x => x.uid);
                    table.CheckConstraint("ck_gates_numbers", "version >= 0 AND suspension >= 0 AND (quarantined_at IS NULL) = (quarantine_reason IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "leases",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    task_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    task_path = table.Column<string>(type: "TEXT", nullable: false),
                    source_uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    source_suspension = table.Column<long>(type: "INTEGER", nullable: false),
                    workload_uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    workload_suspension = table.Column<long>(type: "INTEGER", nullable: false),
                    provider_uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    provider_suspension = table.Column<long>(type: "INTEGER", nullable: false),
                    role_uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    role_suspension = table.Column<long>(type: "INTEGER", nullable: false),
                    provider_version = table.Column<long>(type: "INTEGER", nullable: false),
                    role_version = table.Column<long>(type: "INTEGER", nullable: false),
                    role_name = table.Column<string>(type: "TEXT", nullable: false),
                    role_kind = table.Column<string>(type: "TEXT", nullable: false),
                    workload_name = table.Column<string>(type: "TEXT", nullable: false),
                    external_name = table.Column<string>(type: "TEXT", nullable: false),
                    target_identity = table.Column<string>(type: "TEXT", nullable: false),
                    local = table.Column<bool>(type: "INTEGER", nullable: false),
                    revocability_kind = table.Column<int>(type: "INTEGER", nullable: false),
                    settles_within = table.Column<long>(type: "INTEGER", nullable: false),
                    residual = table.Column<string>(type: "TEXT", nullable: false),
                    can_mint = table.Column<bool>(type: "INTEGER", nullable: false),
                    parameters_json = table.Column<string>(type: "TEXT", nullable: false),
                    decision_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    asked = table.Column<string>(type: "TEXT", nullable: false),
                    issue_deadline = table.Column<long>(type: "INTEGER", nullable: false),
                    late_effect = table.Column<long>(type: "INTEGER", nullable: false),
                    reserved_at = table.Column<long>(type: "INTEGER", nullable: false),
                    max_expires_at = table.Column<long>(type: "INTEGER", nullable: false),
                    supersedes = table.Column<byte[]>(type: "BLOB", nullable: true),
                    group_uid = table.Column<byte[]>(type: "BLOB", nullable: true),
                    exclusive_group = table.Column<string>(type: "TEXT", nullable: true),
                    group_capacity = table.Column<int>(type: "INTEGER", nullable: true),
                    mark_key_id = table.Column<string>(type: "TEXT", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: false),
                    possible_death_at = table.Column<long>(type: "INTEGER", nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false),
                    fence = table.Column<long>(type: "INTEGER", nullable: false),
                    due_at = table.Column<long>(type: "INTEGER", nullable: true),
                    lane = table.Column<int>(type: "INTEGER", nullable: false),
                    issue_answered = table.Column<bool>(type: "INTEGER", nullable: false),
                    handle = table.Column<byte[]>(type: "BLOB", nullable: true),
                    handle_key = table.Column<byte[]>(type: "BLOB", nullable: true),
                    activated_at = table.Column<long>(type: "INTEGER", nullable: true),
                    revoking_at = table.Column<long>(type: "INTEGER", nullable: true),
                    first_attempt_at = table.Column<long>(type: "INTEGER", nullable: true),
                    closed_at = table.Column<long>(type: "INTEGER", nullable: true),
                    end_reason = table.Column<int>(type: "INTEGER", nullable: true),
                    end_decision_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    evidence_kind = table.Column<string>(type: "TEXT", nullable: true),
                    evidence_text = table.Column<string>(type: "TEXT", nullable: true),
                    evidence_at = table.Column<long>(type: "INTEGER", nullable: true),
                    asserted = table.Column<bool>(type: "INTEGER", nullable: false),
                    attempts = table.Column<int>(type: "INTEGER", nullable: false),
                    error_fault = table.Column<int>(type: "INTEGER", nullable: true),
                    error_words = table.Column<string>(type: "TEXT", nullable: true),
                    error_at = table.Column<long>(type: "INTEGER", nullable: true),
                    superseded_by = table.Column<byte[]>(type: "BLOB", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_leases", x => x.id);
                    table.CheckConstraint("ck_leases_closed", "(state <= 3) = (closed_at IS NULL)");
                    table.CheckConstraint("ck_leases_due", "(state <= 3) = (due_at IS NOT NULL)");
                    table.CheckConstraint("ck_leases_evidence", "state NOT IN (4, 5) OR evidence_kind IS NOT NULL");
                    table.CheckConstraint("ck_leases_group", "(group_uid IS NULL) = (exclusive_group IS NULL) AND (group_uid IS NULL) = (group_capacity IS NULL)");
                    table.CheckConstraint("ck_leases_numbers", "version >= 1 AND fence >= 0 AND attempts >= 0");
                    table.CheckConstraint("ck_leases_reason", "state <> 3 OR end_reason IS NOT NULL");
                    table.CheckConstraint("ck_leases_state", "state BETWEEN 1 AND 6 AND lane BETWEEN 0 AND 3");
                });

            migrationBuilder.CreateTable(
                name: "receipts",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    revision = table.Column<int>(type: "INTEGER", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    leases = table.Column<int>(type: "INTEGER", nullable: false),
                    body = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_receipts", x => new { x.task_id, x.revision });
                    table.CheckConstraint("ck_receipts_body", "revision % 2 = 0 OR body IS NULL");
                });

            migrationBuilder.CreateTable(
                name: "reconciliations",
                columns: table => new
                {
                    provider_uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    fence = table.Column<long>(type: "INTEGER", nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: true),
                    due_at = table.Column<long>(type: "INTEGER", nullable: false),
                    complete_at = table.Column<long>(type: "INTEGER", nullable: true),
                    accepted_at = table.Column<long>(type: "INTEGER", nullable: true),
                    report = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reconciliations", x => x.provider_uid);
                    table.CheckConstraint("ck_reconciliations_fence", "fence >= 0");
                });

            migrationBuilder.CreateTable(
                name: "reevaluations",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    workload = table.Column<byte[]>(type: "BLOB", nullable: true),
                    task_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    requested_at = table.Column<long>(type: "INTEGER", nullable: false),
                    due_at = table.Column<long>(type: "INTEGER", nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: false),
                    fence = table.Column<long>(type: "INTEGER", nullable: false),
                    cursor = table.Column<byte[]>(type: "BLOB", nullable: true),
                    again = table.Column<bool>(type: "INTEGER", nullable: false),
                    examined = table.Column<long>(type: "INTEGER", nullable: false),
                    revoked = table.Column<long>(type: "INTEGER", nullable: false),
                    unclear = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reevaluations", x => x.id);
                    table.CheckConstraint("ck_reevaluations_scope", "workload IS NULL OR task_id IS NULL");
                });

            migrationBuilder.CreateTable(
                name: "registry",
                columns: table => new
                {
                    uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    parent_uid = table.Column<byte[]>(type: "BLOB", nullable: true),
                    version = table.Column<long>(type: "INTEGER", nullable: false),
                    spec_json = table.Column<string>(type: "TEXT", nullable: false),
                    managed_by = table.Column<string>(type: "TEXT", nullable: false),
                    target_identity = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false),
                    deleted_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_registry", x => x.uid);
                    table.CheckConstraint("ck_registry_kind", "kind BETWEEN 1 AND 5 AND version >= 1 AND (kind = 3) = (parent_uid IS NOT NULL)");
                });

            migrationBuilder.CreateTable(
                name: "registry_generation",
                columns: table => new
                {
                    id = table.Column<int>(type: "INTEGER", nullable: false),
                    generation = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_registry_generation", x => x.id);
                    table.CheckConstraint("ck_registry_generation_one", "id = 1");
                });

            migrationBuilder.CreateTable(
                name: "requests",
                columns: table => new
                {
                    key = table.Column<byte[]>(type: "BLOB", nullable: false),
                    body = table.Column<byte[]>(type: "BLOB", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    made = table.Column<byte[]>(type: "BLOB", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_requests", x => x.key);
                    table.CheckConstraint("ck_requests_attempt", "attempt >= 0");
                });

            migrationBuilder.CreateTable(
                name: "schema_floor",
                columns: table => new
                {
                    id = table.Column<int>(type: "INTEGER", nullable: false),
                    oldest_migration = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schema_floor", x => x.id);
                    table.CheckConstraint("ck_schema_floor_one", "id = 1");
                });

            migrationBuilder.CreateTable(
                name: "secret_bindings",
                columns: table => new
                {
                    consumer_kind = table.Column<string>(type: "TEXT", nullable: false),
                    consumer_name = table.Column<string>(type: "TEXT", nullable: false),
                    source = table.Column<string>(type: "TEXT", nullable: false),
                    host = table.Column<string>(type: "TEXT", nullable: false),
                    uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    bound_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_secret_bindings", x => new { x.consumer_kind, x.consumer_name, x.source, x.host });
                });

            migrationBuilder.CreateTable(
                name: "signing_keys",
                columns: table => new
                {
                    uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    family = table.Column<int>(type: "INTEGER", nullable: false),
                    ordinal = table.Column<int>(type: "INTEGER", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false),
                    encrypted = table.Column<byte[]>(type: "BLOB", nullable: false),
                    published_at = table.Column<long>(type: "INTEGER", nullable: false),
                    use_from = table.Column<long>(type: "INTEGER", nullable: false),
                    retire_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_signing_keys", x => x.uid);
                    table.CheckConstraint("ck_signing_keys_ordinal", "ordinal >= 1");
                });

            migrationBuilder.CreateTable(
                name: "suspensions",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    target = table.Column<byte[]>(type: "BLOB", nullable: false),
                    target_name = table.Column<string>(type: "TEXT", nullable: false),
                    by_kind = table.Column<string>(type: "TEXT", nullable: false),
                    by_name = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: true),
                    generation = table.Column<long>(type: "INTEGER", nullable: false),
                    lifted_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_suspensions", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "task_labels",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    value = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_task_labels", x => new { x.task_id, x.name });
                });

            migrationBuilder.CreateTable(
                name: "task_liveness",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    alive_until = table.Column<long>(type: "INTEGER", nullable: false),
                    watched = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_task_liveness", x => x.task_id);
                });

            migrationBuilder.CreateTable(
                name: "tasks",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    root_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    parent_id = table.Column<byte[]>(type: "BLOB", nullable: true),
                    path = table.Column<string>(type: "TEXT", nullable: false),
                    opener_workload = table.Column<byte[]>(type: "BLOB", nullable: true),
                    opener_source = table.Column<byte[]>(type: "BLOB", nullable: false),
                    opener_source_name = table.Column<string>(type: "TEXT", nullable: false),
                    opener_subject = table.Column<string>(type: "TEXT", nullable: false),
                    opener_instance = table.Column<string>(type: "TEXT", nullable: true),
                    performer_workload = table.Column<byte[]>(type: "BLOB", nullable: true),
                    performer_source = table.Column<byte[]>(type: "BLOB", nullable: false),
                    performer_source_name = table.Column<string>(type: "TEXT", nullable: false),
                    performer_subject = table.Column<string>(type: "TEXT", nullable: false),
                    performer_instance = table.Column<string>(type: "TEXT", nullable: true),
                    performer_attributes = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    deadline = table.Column<long>(type: "INTEGER", nullable: false),
                    heartbeat_interval = table.Column<long>(type: "INTEGER", nullable: true),
                    charged_to = table.Column<string>(type: "TEXT", nullable: false),
                    ended_at = table.Column<long>(type: "INTEGER", nullable: true),
                    outcome = table.Column<int>(type: "INTEGER", nullable: true),
                    end_reason = table.Column<int>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_tasks", x => x.id);
                    table.CheckConstraint("ck_tasks_end", "(ended_at IS NULL) = (end_reason IS NULL) AND (ended_at IS NULL) = (outcome IS NULL)");
                    table.CheckConstraint("ck_tasks_reason", "end_reason BETWEEN 1 AND 5 AND outcome BETWEEN 1 AND 3");
                    table.CheckConstraint("ck_tasks_root", "(parent_id IS NULL) = (root_id = id)");
                });

            migrationBuilder.CreateTable(
                name: "texts",
                columns: table => new
                {
                    owner_uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    body = table.Column<string>(type: "TEXT", nullable: false),
                    salt = table.Column<byte[]>(type: "BLOB", nullable: false),
                    hash = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_texts", x => x.owner_uid);
                });

            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                columns: table => new
                {
                    hook = table.Column<byte[]>(type: "BLOB", nullable: false),
                    delivery_id = table.Column<string>(type: "TEXT", nullable: false),
                    task_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    keep_until = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_deliveries", x => new { x.hook, x.delivery_id });
                });

            migrationBuilder.CreateTable(
                name: "workloads",
                columns: table => new
                {
                    uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    source_uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    source_name = table.Column<string>(type: "TEXT", nullable: false),
                    subject = table.Column<string>(type: "TEXT", nullable: false),
                    stable_ids = table.Column<string>(type: "TEXT", nullable: false),
                    attributes = table.Column<string>(type: "TEXT", nullable: false),
                    teams = table.Column<string>(type: "TEXT", nullable: false),
                    instance = table.Column<string>(type: "TEXT", nullable: true),
                    refused_stable_ids = table.Column<string>(type: "TEXT", nullable: true),
                    first_seen_at = table.Column<long>(type: "INTEGER", nullable: false),
                    last_seen_at = table.Column<long>(type: "INTEGER", nullable: false),
                    replaced_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_workloads", x => x.uid);
                });

            migrationBuilder.CreateTable(
                name: "writers",
                columns: table => new
                {
                    uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    epoch = table.Column<byte[]>(type: "BLOB", nullable: false),
                    commits = table.Column<long>(type: "INTEGER", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    migration = table.Column<string>(type: "TEXT", nullable: false),
                    retired = table.Column<bool>(type: "INTEGER", nullable: false),
                    audit_sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    audit_hash = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_writers", x => x.uid);
                });

            migrationBuilder.InsertData(
                table: "registry_generation",
                columns: new[] { "id", "generation" },
                values: new object[] { 1, 1L });

            migrationBuilder.InsertData(
                table: "schema_floor",
                columns: new[] { "id", "oldest_migration" },
                values: new object[] { 1, "" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_at",
                table: "audit_events",
                columns: new[] { "at", "writer", "sequence" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_decision",
                table: "audit_events",
                column: "decision_id",
                filter: "decision_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_lease",
                table: "audit_events",
                column: "lease_id",
                filter: "lease_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_task",
                table: "audit_events",
                columns: new[] { "task_id", "at" },
                filter: "task_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_leases_external_name",
                table: "leases",
                column: "external_name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_leases_due",
                table: "leases",
                columns: new[] { "provider_uid", "lane", "due_at", "workload_uid" },
                filter: "due_at IS NOT NULL AND group_uid IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_group_agenda",
                table: "leases",
                columns: new[] { "due_at", "group_uid", "provider_uid" },
                filter: "due_at IS NOT NULL AND group_uid IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_group_due",
                table: "leases",
                columns: new[] { "group_uid", "due_at" },
                filter: "due_at IS NOT NULL AND group_uid IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_group_slots",
                table: "leases",
                columns: new[] { "group_uid", "possible_death_at" },
                filter: "group_uid IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_handle_key",
                table: "leases",
                column: "handle_key",
                filter: "state <= 3 AND handle_key IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_live",
                table: "leases",
                column: "id",
                filter: "state <= 2");

            migrationBuilder.CreateIndex(
                name: "ix_leases_mark_key",
                table: "leases",
                column: "mark_key_id",
                filter: "state <= 3 AND mark_key_id <> ''");

            migrationBuilder.CreateIndex(
                name: "ix_leases_pending",
                table: "leases",
                column: "provider_uid",
                filter: "state = 1");

            migrationBuilder.CreateIndex(
                name: "ix_leases_provider_unproven",
                table: "leases",
                columns: new[] { "provider_uid", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_revoking",
                table: "leases",
                columns: new[] { "provider_uid", "error_fault", "revoking_at" },
                filter: "state = 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_role_unproven",
                table: "leases",
                columns: new[] { "role_uid", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_source_unproven",
                table: "leases",
                columns: new[] { "source_uid", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_task",
                table: "leases",
                columns: new[] { "task_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_leases_task_unproven",
                table: "leases",
                columns: new[] { "task_id", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_workload_unproven",
                table: "leases",
                columns: new[] { "workload_uid", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ux_registry_child_name",
                table: "registry",
                columns: new[] { "parent_uid", "name" },
                unique: true,
                filter: "parent_uid IS NOT NULL AND deleted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ux_registry_name",
                table: "registry",
                columns: new[] { "kind", "name" },
                unique: true,
                filter: "parent_uid IS NULL AND deleted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_requests_at",
                table: "requests",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "IX_signing_keys_family_ordinal",
                table: "signing_keys",
                columns: new[] { "family", "ordinal" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_suspensions_in_force",
                table: "suspensions",
                column: "target",
                filter: "lifted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_suspensions_until",
                table: "suspensions",
                column: "until",
                filter: "lifted_at IS NULL AND until IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_task_labels_name_value",
                table: "task_labels",
                columns: new[] { "name", "value" });

            migrationBuilder.CreateIndex(
                name: "IX_task_liveness_alive_until",
                table: "task_liveness",
                column: "alive_until",
                filter: "watched");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_deadline",
                table: "tasks",
                column: "deadline",
                filter: "ended_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_opener_workload",
                table: "tasks",
                column: "opener_workload");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_path",
                table: "tasks",
                column: "path",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_tasks_performer_source_performer_subject",
                table: "tasks",
                columns: new[] { "performer_source", "performer_subject" });

            migrationBuilder.CreateIndex(
                name: "IX_tasks_performer_workload",
                table: "tasks",
                column: "performer_workload");

            migrationBuilder.CreateIndex(
                name: "IX_webhook_deliveries_keep_until",
                table: "webhook_deliveries",
                column: "keep_until");

            migrationBuilder.CreateIndex(
                name: "ux_workloads_subject",
                table: "workloads",
                columns: new[] { "source_uid", "subject" },
                unique: true,
                filter: "replaced_at IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_events");

            migrationBuilder.DropTable(
                name: "audit_texts");

            migrationBuilder.DropTable(
                name: "broker_life");

            migrationBuilder.DropTable(
                name: "counters");

            migrationBuilder.DropTable(
                name: "data_protection_keys");

            migrationBuilder.DropTable(
                name: "epochs");

            migrationBuilder.DropTable(
                name: "exclusive_groups");

            migrationBuilder.DropTable(
                name: "fan_outs");

            migrationBuilder.DropTable(
                name: "gates");

            migrationBuilder.DropTable(
                name: "leases");

            migrationBuilder.DropTable(
                name: "receipts");

            migrationBuilder.DropTable(
                name: "reconciliations");

            migrationBuilder.DropTable(
                name: "reevaluations");

            migrationBuilder.DropTable(
                name: "registry");

            migrationBuilder.DropTable(
                name: "registry_generation");

            migrationBuilder.DropTable(
                name: "requests");

            migrationBuilder.DropTable(
                name: "schema_floor");

            migrationBuilder.DropTable(
                name: "secret_bindings");

            migrationBuilder.DropTable(
                name: "signing_keys");

            migrationBuilder.DropTable(
                name: "suspensions");

            migrationBuilder.DropTable(
                name: "task_labels");

            migrationBuilder.DropTable(
                name: "task_liveness");

            migrationBuilder.DropTable(
                name: "tasks");

            migrationBuilder.DropTable(
                name: "texts");

            migrationBuilder.DropTable(
                name: "webhook_deliveries");

            migrationBuilder.DropTable(
                name: "workloads");

            migrationBuilder.DropTable(
                name: "writers");
        }
    }
}

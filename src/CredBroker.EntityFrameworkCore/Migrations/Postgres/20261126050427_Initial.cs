using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "credbroker");

            migrationBuilder.CreateTable(
                name: "audit_events",
                schema: "credbroker",
                columns: table => new
                {
                    writer = table.Column<Guid>(type: "uuid", nullable: false),
                    sequence = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    by_kind = table.Column<string>(type: "text", nullable: false),
                    by_name = table.Column<string>(type: "text", nullable: false),
                    task_id = table.Column<Guid>(type: "uuid", nullable: true),
                    lease_id = table.Column<Guid>(type: "uuid", nullable: true),
                    decision_id = table.Column<Guid>(type: "uuid", nullable: true),
                    resource = table.Column<string>(type: "text", nullable: false),
                    detail = table.Column<string>(type: "text", nullable: false),
                    previous_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_events", x => new { x.writer, x.sequence });
                    table.CheckConstraint("ck_audit_events_sequence", "sequence >= 1");
                });

            migrationBuilder.CreateTable(
                name: "audit_texts",
                schema: "credbroker",
                columns: table => new
                {
                    writer = table.Column<Guid>(type: "uuid", nullable: false),
                    sequence = table.Column<long>(type: "bigint", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    body = table.Column<string>(type: "text", nullable: false),
                    salt = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_texts", x => new { x.writer, x.sequence, x.name });
                });

            migrationBuilder.CreateTable(
                name: "broker_life",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    alive_at = table.Column<long>(type: "bigint", nullable: false),
                    down_from = table.Column<long>(type: "bigint", nullable: true),
                    down_to = table.Column<long>(type: "bigint", nullable: true),
                    cursor = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_broker_life", x => x.id);
                    table.CheckConstraint("ck_broker_life_one", "id = 1 AND (down_from IS NULL) = (down_to IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "counters",
                schema: "credbroker",
                columns: table => new
                {
                    key = table.Column<string>(type: "text", nullable: false),
                    value = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_counters", x => x.key);
                    table.CheckConstraint("ck_counters_value", "value >= 0");
                });

            migrationBuilder.CreateTable(
                name: "data_protection_keys",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    xml = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_data_protection_keys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "epochs",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    epoch = table.Column<Guid>(type: "uuid", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_epochs", x => x.id);
                    table.CheckConstraint("ck_epochs_id", "id >= 1");
                });

            migrationBuilder.CreateTable(
                name: "exclusive_groups",
                schema: "credbroker",
                columns: table => new
                {
                    uid = table.Column<Guid>(type: "uuid", nullable: false),
                    target_identity = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    denied_before = table.Column<long>(type: "bigint", nullable: true),
                    killed_before = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_exclusive_groups", x => x.uid);
                    table.CheckConstraint("ck_exclusive_groups_fence", "fence >= 0");
                });

            migrationBuilder.CreateTable(
                name: "fan_outs",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    gate = table.Column<Guid>(type: "uuid", nullable: true),
                    generation = table.Column<long>(type: "bigint", nullable: false),
                    task_id = table.Column<Guid>(type: "uuid", nullable: true),
                    gate_column = table.Column<int>(type: "integer", nullable: false),
                    cursor = table.Column<Guid>(type: "uuid", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fan_outs", x => x.id);
                    table.CheckConstraint("ck_fan_outs_one", "(gate IS NULL) <> (task_id IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "gates",
                schema: "credbroker",
                columns: table => new
                {
                    uid = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    suspension = table.Column<long>(type: "bigint", nullable: false),
                    suspended = table.Column<bool>(type: "boolean", nullable: false),
                    quarantined_at = table.Column<long>(type: "bigint", nullable: true),
                    quarantine_reason = table.Column<int>(type: "integer", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gates", x => x.uid);
                    table.CheckConstraint("ck_gates_numbers", "version >= 0 AND suspension >= 0 AND (quarantined_at IS NULL) = (quarantine_reason IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "leases",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    task_id = table.Column<Guid>(type: "uuid", nullable: false),
                    task_path = table.Column<string>(type: "text", nullable: false),
                    source_uid = table.Column<Guid>(type: "uuid", nullable: false),
                    source_suspension = table.Column<long>(type: "bigint", nullable: false),
                    workload_uid = table.Column<Guid>(type: "uuid", nullable: false),
                    workload_suspension = table.Column<long>(type: "bigint", nullable: false),
                    provider_uid = table.Column<Guid>(type: "uuid", nullable: false),
                    provider_suspension = table.Column<long>(type: "bigint", nullable: false),
                    role_uid = table.Column<Guid>(type: "uuid", nullable: false),
                    role_suspension = table.Column<long>(type: "bigint", nullable: false),
                    provider_version = table.Column<long>(type: "bigint", nullable: false),
                    role_version = table.Column<long>(type: "bigint", nullable: false),
                    role_name = table.Column<string>(type: "text", nullable: false),
                    role_kind = table.Column<string>(type: "text", nullable: false),
                    workload_name = table.Column<string>(type: "text", nullable: false),
                    external_name = table.Column<string>(type: "text", nullable: false),
                    target_identity = table.Column<string>(type: "text", nullable: false),
                    local = table.Column<bool>(type: "boolean", nullable: false),
                    revocability_kind = table.Column<int>(type: "integer", nullable: false),
                    settles_within = table.Column<long>(type: "bigint", nullable: false),
                    residual = table.Column<string>(type: "text", nullable: false),
                    can_mint = table.Column<bool>(type: "boolean", nullable: false),
                    parameters_json = table.Column<string>(type: "text", nullable: false),
                    decision_id = table.Column<Guid>(type: "uuid", nullable: false),
                    asked = table.Column<string>(type: "text", nullable: false),
                    issue_deadline = table.Column<long>(type: "bigint", nullable: false),
                    late_effect = table.Column<long>(type: "bigint", nullable: false),
                    reserved_at = table.Column<long>(type: "bigint", nullable: false),
                    max_expires_at = table.Column<long>(type: "bigint", nullable: false),
                    supersedes = table.Column<Guid>(type: "uuid", nullable: true),
                    group_uid = table.Column<Guid>(type: "uuid", nullable: true),
                    exclusive_group = table.Column<string>(type: "text", nullable: true),
                    group_capacity = table.Column<int>(type: "integer", nullable: true),
                    mark_key_id = table.Column<string>(type: "text", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    possible_death_at = table.Column<long>(type: "bigint", nullable: false),
                    state = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    lane = table.Column<int>(type: "integer", nullable: false),
                    issue_answered = table.Column<bool>(type: "boolean", nullable: false),
                    handle = table.Column<byte[]>(type: "bytea", nullable: true),
                    handle_key = table.Column<Guid>(type: "uuid", nullable: true),
                    activated_at = table.Column<long>(type: "bigint", nullable: true),
                    revoking_at = table.Column<long>(type: "bigint", nullable: true),
                    first_attempt_at = table.Column<long>(type: "bigint", nullable: true),
                    closed_at = table.Column<long>(type: "bigint", nullable: true),
                    end_reason = table.Column<int>(type: "integer", nullable: true),
                    end_decision_id = table.Column<Guid>(type: "uuid", nullable: true),
                    evidence_kind = table.Column<string>(type: "text", nullable: true),
                    evidence_text = table.Column<string>(type: "text", nullable: true),
                    evidence_at = table.Column<long>(type: "bigint", nullable: true),
                    asserted = table.Column<bool>(type: "boolean", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    error_fault = table.Column<int>(type: "integer", nullable: true),
                    error_words = table.Column<string>(type: "text", nullable: true),
                    error_at = table.Column<long>(type: "bigint", nullable: true),
                    superseded_by = table.Column<Guid>(type: "uuid", nullable: true)
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
                schema: "credbroker",
                columns: table => new
                {
                    task_id = table.Column<Guid>(type: "uuid", nullable: false),
                    revision = table.Column<int>(type: "integer", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    leases = table.Column<int>(type: "integer", nullable: false),
                    body = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_receipts", x => new { x.task_id, x.revision });
                    table.CheckConstraint("ck_receipts_body", "revision % 2 = 0 OR body IS NULL");
                });

            migrationBuilder.CreateTable(
                name: "reconciliations",
                schema: "credbroker",
                columns: table => new
                {
                    provider_uid = table.Column<Guid>(type: "uuid", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: true),
                    due_at = table.Column<long>(type: "bigint", nullable: false),
                    complete_at = table.Column<long>(type: "bigint", nullable: true),
                    accepted_at = table.Column<long>(type: "bigint", nullable: true),
                    report = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reconciliations", x => x.provider_uid);
                    table.CheckConstraint("ck_reconciliations_fence", "fence >= 0");
                });

            migrationBuilder.CreateTable(
                name: "reevaluations",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    workload = table.Column<Guid>(type: "uuid", nullable: true),
                    task_id = table.Column<Guid>(type: "uuid", nullable: true),
                    requested_at = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    cursor = table.Column<Guid>(type: "uuid", nullable: true),
                    again = table.Column<bool>(type: "boolean", nullable: false),
                    examined = table.Column<long>(type: "bigint", nullable: false),
                    revoked = table.Column<long>(type: "bigint", nullable: false),
                    unclear = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reevaluations", x => x.id);
                    table.CheckConstraint("ck_reevaluations_scope", "workload IS NULL OR task_id IS NULL");
                });

            migrationBuilder.CreateTable(
                name: "registry",
                schema: "credbroker",
                columns: table => new
                {
                    uid = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<int>(type: "integer", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    parent_uid = table.Column<Guid>(type: "uuid", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    spec_json = table.Column<string>(type: "text", nullable: false),
                    managed_by = table.Column<string>(type: "text", nullable: false),
                    target_identity = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    updated_at = table.Column<long>(type: "bigint", nullable: false),
                    deleted_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_registry", x => x.uid);
                    table.CheckConstraint("ck_registry_kind", "kind BETWEEN 1 AND 5 AND version >= 1 AND (kind = 3) = (parent_uid IS NOT NULL)");
                });

            migrationBuilder.CreateTable(
                name: "registry_generation",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    generation = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_registry_generation", x => x.id);
                    table.CheckConstraint("ck_registry_generation_one", "id = 1");
                });

            migrationBuilder.CreateTable(
                name: "requests",
                schema: "credbroker",
                columns: table => new
                {
                    key = table.Column<byte[]>(type: "bytea", nullable: false),
                    body = table.Column<byte[]>(type: "bytea", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    made = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_requests", x => x.key);
                    table.CheckConstraint("ck_requests_attempt", "attempt >= 0");
                });

            migrationBuilder.CreateTable(
                name: "schema_floor",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    oldest_migration = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schema_floor", x => x.id);
                    table.CheckConstraint("ck_schema_floor_one", "id = 1");
                });

            migrationBuilder.CreateTable(
                name: "secret_bindings",
                schema: "credbroker",
                columns: table => new
                {
                    consumer_kind = table.Column<string>(type: "text", nullable: false),
                    consumer_name = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    uid = table.Column<Guid>(type: "uuid", nullable: false),
                    bound_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_secret_bindings", x => new { x.consumer_kind, x.consumer_name, x.source, x.host });
                });

            migrationBuilder.CreateTable(
                name: "signing_keys",
                schema: "credbroker",
                columns: table => new
                {
                    uid = table.Column<Guid>(type: "uuid", nullable: false),
                    family = table.Column<int>(type: "integer", nullable: false),
                    ordinal = table.Column<int>(type: "integer", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    encrypted = table.Column<byte[]>(type: "bytea", nullable: false),
                    published_at = table.Column<long>(type: "bigint", nullable: false),
                    use_from = table.Column<long>(type: "bigint", nullable: false),
                    retire_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_signing_keys", x => x.uid);
                    table.CheckConstraint("ck_signing_keys_ordinal", "ordinal >= 1");
                });

            migrationBuilder.CreateTable(
                name: "suspensions",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    target = table.Column<Guid>(type: "uuid", nullable: false),
                    target_name = table.Column<string>(type: "text", nullable: false),
                    by_kind = table.Column<string>(type: "text", nullable: false),
                    by_name = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: true),
                    generation = table.Column<long>(type: "bigint", nullable: false),
                    lifted_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_suspensions", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "task_labels",
                schema: "credbroker",
                columns: table => new
                {
                    task_id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    value = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_task_labels", x => new { x.task_id, x.name });
                });

            migrationBuilder.CreateTable(
                name: "task_liveness",
                schema: "credbroker",
                columns: table => new
                {
                    task_id = table.Column<Guid>(type: "uuid", nullable: false),
                    alive_until = table.Column<long>(type: "bigint", nullable: false),
                    watched = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_task_liveness", x => x.task_id);
                });

            migrationBuilder.CreateTable(
                name: "tasks",
                schema: "credbroker",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    root_id = table.Column<Guid>(type: "uuid", nullable: false),
                    parent_id = table.Column<Guid>(type: "uuid", nullable: true),
                    path = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    opener_workload = table.Column<Guid>(type: "uuid", nullable: true),
                    opener_source = table.Column<Guid>(type: "uuid", nullable: false),
                    opener_source_name = table.Column<string>(type: "text", nullable: false),
                    opener_subject = table.Column<string>(type: "text", nullable: false),
                    opener_instance = table.Column<string>(type: "text", nullable: true),
                    performer_workload = table.Column<Guid>(type: "uuid", nullable: true),
                    performer_source = table.Column<Guid>(type: "uuid", nullable: false),
                    performer_source_name = table.Column<string>(type: "text", nullable: false),
                    performer_subject = table.Column<string>(type: "text", nullable: false),
                    performer_instance = table.Column<string>(type: "text", nullable: true),
                    performer_attributes = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    deadline = table.Column<long>(type: "bigint", nullable: false),
                    heartbeat_interval = table.Column<long>(type: "bigint", nullable: true),
                    charged_to = table.Column<string>(type: "text", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<int>(type: "integer", nullable: true),
                    end_reason = table.Column<int>(type: "integer", nullable: true)
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
                schema: "credbroker",
                columns: table => new
                {
                    owner_uid = table.Column<Guid>(type: "uuid", nullable: false),
                    body = table.Column<string>(type: "text", nullable: false),
                    salt = table.Column<byte[]>(type: "bytea", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_texts", x => x.owner_uid);
                });

            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                schema: "credbroker",
                columns: table => new
                {
                    hook = table.Column<Guid>(type: "uuid", nullable: false),
                    delivery_id = table.Column<string>(type: "text", nullable: false),
                    task_id = table.Column<Guid>(type: "uuid", nullable: false),
                    keep_until = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_deliveries", x => new { x.hook, x.delivery_id });
                });

            migrationBuilder.CreateTable(
                name: "workloads",
                schema: "credbroker",
                columns: table => new
                {
                    uid = table.Column<Guid>(type: "uuid", nullable: false),
                    source_uid = table.Column<Guid>(type: "uuid", nullable: false),
                    source_name = table.Column<string>(type: "text", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    stable_ids = table.Column<string>(type: "text", nullable: false),
                    attributes = table.Column<string>(type: "text", nullable: false),
                    teams = table.Column<string>(type: "text", nullable: false),
                    instance = table.Column<string>(type: "text", nullable: true),
                    refused_stable_ids = table.Column<string>(type: "text", nullable: true),
                    first_seen_at = table.Column<long>(type: "bigint", nullable: false),
                    last_seen_at = table.Column<long>(type: "bigint", nullable: false),
                    replaced_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_workloads", x => x.uid);
                });

            migrationBuilder.CreateTable(
                name: "writers",
                schema: "credbroker",
                columns: table => new
                {
                    uid = table.Column<Guid>(type: "uuid", nullable: false),
                    epoch = table.Column<Guid>(type: "uuid", nullable: false),
                    commits = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    migration = table.Column<string>(type: "text", nullable: false),
                    retired = table.Column<bool>(type: "boolean", nullable: false),
                    audit_sequence = table.Column<long>(type: "bigint", nullable: false),
                    audit_hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_writers", x => x.uid);
                });

            migrationBuilder.InsertData(
                schema: "credbroker",
                table: "registry_generation",
                columns: new[] { "id", "generation" },
                values: new object[] { 1, 1L });

            migrationBuilder.InsertData(
                schema: "credbroker",
                table: "schema_floor",
                columns: new[] { "id", "oldest_migration" },
                values: new object[] { 1, "" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_at",
                schema: "credbroker",
                table: "audit_events",
                columns: new[] { "at", "writer", "sequence" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_decision",
                schema: "credbroker",
                table: "audit_events",
                column: "decision_id",
                filter: "decision_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_lease",
                schema: "credbroker",
                table: "audit_events",
                column: "lease_id",
                filter: "lease_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_task",
                schema: "credbroker",
                table: "audit_events",
                columns: new[] { "task_id", "at" },
                filter: "task_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_leases_external_name",
                schema: "credbroker",
                table: "leases",
                column: "external_name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_leases_due",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "provider_uid", "lane", "due_at", "workload_uid" },
                filter: "due_at IS NOT NULL AND group_uid IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_group_agenda",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "due_at", "group_uid", "provider_uid" },
                filter: "due_at IS NOT NULL AND group_uid IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_group_due",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "group_uid", "due_at" },
                filter: "due_at IS NOT NULL AND group_uid IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_group_slots",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "group_uid", "possible_death_at" },
                filter: "group_uid IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_handle_key",
                schema: "credbroker",
                table: "leases",
                column: "handle_key",
                filter: "state <= 3 AND handle_key IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_leases_live",
                schema: "credbroker",
                table: "leases",
                column: "id",
                filter: "state <= 2");

            migrationBuilder.CreateIndex(
                name: "ix_leases_mark_key",
                schema: "credbroker",
                table: "leases",
                column: "mark_key_id",
                filter: "state <= 3 AND mark_key_id <> ''");

            migrationBuilder.CreateIndex(
                name: "ix_leases_pending",
                schema: "credbroker",
                table: "leases",
                column: "provider_uid",
                filter: "state = 1");

            migrationBuilder.CreateIndex(
                name: "ix_leases_provider_unproven",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "provider_uid", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_revoking",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "provider_uid", "error_fault", "revoking_at" },
                filter: "state = 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_role_unproven",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "role_uid", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_source_unproven",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "source_uid", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_task",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "task_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_leases_task_unproven",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "task_id", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ix_leases_workload_unproven",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "workload_uid", "id" },
                filter: "state <= 3");

            migrationBuilder.CreateIndex(
                name: "ux_registry_child_name",
                schema: "credbroker",
                table: "registry",
                columns: new[] { "parent_uid", "name" },
                unique: true,
                filter: "parent_uid IS NOT NULL AND deleted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ux_registry_name",
                schema: "credbroker",
                table: "registry",
                columns: new[] { "kind", "name" },
                unique: true,
                filter: "parent_uid IS NULL AND deleted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_requests_at",
                schema: "credbroker",
                table: "requests",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "IX_signing_keys_family_ordinal",
                schema: "credbroker",
                table: "signing_keys",
                columns: new[] { "family", "ordinal" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_suspensions_in_force",
                schema: "credbroker",
                table: "suspensions",
                column: "target",
                filter: "lifted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_suspensions_until",
                schema: "credbroker",
                table: "suspensions",
                column: "until",
                filter: "lifted_at IS NULL AND until IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_task_labels_name_value",
                schema: "credbroker",
                table: "task_labels",
                columns: new[] { "name", "value" });

            migrationBuilder.CreateIndex(
                name: "IX_task_liveness_alive_until",
                schema: "credbroker",
                table: "task_liveness",
                column: "alive_until",
                filter: "watched");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_deadline",
                schema: "credbroker",
                table: "tasks",
                column: "deadline",
                filter: "ended_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_opener_workload",
                schema: "credbroker",
                table: "tasks",
                column: "opener_workload");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_path",
                schema: "credbroker",
                table: "tasks",
                column: "path",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_tasks_performer_source_performer_subject",
                schema: "credbroker",
                table: "tasks",
                columns: new[] { "performer_source", "performer_subject" });

            migrationBuilder.CreateIndex(
                name: "IX_tasks_performer_workload",
                schema: "credbroker",
                table: "tasks",
                column: "performer_workload");

            migrationBuilder.CreateIndex(
                name: "IX_webhook_deliveries_keep_until",
                schema: "credbroker",
                table: "webhook_deliveries",
                column: "keep_until");

            migrationBuilder.CreateIndex(
                name: "ux_workloads_subject",
                schema: "credbroker",
                table: "workloads",
                columns: new[] { "source_uid", "subject" },
                unique: true,
                filter: "replaced_at IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_events",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "audit_texts",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "broker_life",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "counters",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "data_protection_keys",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "epochs",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "exclusive_groups",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "fan_outs",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "gates",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "leases",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "receipts",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "reconciliations",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "reevaluations",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "registry",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "registry_generation",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "requests",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "schema_floor",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "secret_bindings",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "signing_keys",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "suspensions",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "task_labels",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "task_liveness",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "tasks",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "texts",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "webhook_deliveries",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "workloads",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "writers",
                schema: "credbroker");
        }
    }
}

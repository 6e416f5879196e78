using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class GroupsAndMarkKeys : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_leases_due",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.AddColumn<int>(
                name: "group_capacity",
                schema: "credbroker",
                table: "leases",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "group_uid",
                schema: "credbroker",
                table: "leases",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "mark_key_id",
                schema: "credbroker",
                table: "leases",
                type: "text",
                nullable: false,
                defaultValue: "");

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
                    killed_before = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_exclusive_groups", x => x.uid);
                    table.CheckConstraint("ck_exclusive_groups_fence", "fence >= 0");
                });

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

            migrationBuilder.AddCheckConstraint(
                name: "ck_leases_group",
                schema: "credbroker",
                table: "leases",
                sql: "(group_uid IS NULL) = (exclusive_group IS NULL) AND (group_uid IS NULL) = (group_capacity IS NULL)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "exclusive_groups",
                schema: "credbroker");

            migrationBuilder.DropIndex(
                name: "ix_leases_due",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.DropIndex(
                name: "ix_leases_group_agenda",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.DropIndex(
                name: "ix_leases_group_due",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.DropIndex(
                name: "ix_leases_group_slots",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.DropCheckConstraint(
                name: "ck_leases_group",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.DropColumn(
                name: "group_capacity",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.DropColumn(
                name: "group_uid",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.DropColumn(
                name: "mark_key_id",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.CreateIndex(
                name: "ix_leases_due",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "provider_uid", "lane", "due_at", "workload_uid" },
                filter: "due_at IS NOT NULL");
        }
    }
}

using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class GroupsAndMarkKeys : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_leases_due",
                table: "leases");

            migrationBuilder.AddColumn<int>(
                name: "group_capacity",
                table: "leases",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<byte[]>(
                name: "group_uid",
                table: "leases",
                type: "BLOB",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "mark_key_id",
                table: "leases",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateTable(
                name: "exclusive_groups",
                columns: table => new
                {
                    uid = table.Column<byte[]>(type: "BLOB", nullable: false),
                    target_identity = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    fence = table.Column<long>(type: "INTEGER", nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: false),
                    killed_before = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_exclusive_groups", x => x.uid);
                    table.CheckConstraint("ck_exclusive_groups_fence", "fence >= 0");
                });

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

            migrationBuilder.AddCheckConstraint(
                name: "ck_leases_group",
                table: "leases",
                sql: "(group_uid IS NULL) = (exclusive_group IS NULL) AND (group_uid IS NULL) = (group_capacity IS NULL)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "exclusive_groups");

            migrationBuilder.DropIndex(
                name: "ix_leases_due",
                table: "leases");

            migrationBuilder.DropIndex(
                name: "ix_leases_group_agenda",
                table: "leases");

            migrationBuilder.DropIndex(
                name: "ix_leases_group_due",
                table: "leases");

            migrationBuilder.DropIndex(
                name: "ix_leases_group_slots",
                table: "leases");

            migrationBuilder.DropCheckConstraint(
                name: "ck_leases_group",
                table: "leases");

            migrationBuilder.DropColumn(
                name: "group_capacity",
                table: "leases");

            migrationBuilder.DropColumn(
                name: "group_uid",
                table: "leases");

            migrationBuilder.DropColumn(
                name: "mark_key_id",
                table: "leases");

            migrationBuilder.CreateIndex(
                name: "ix_leases_due",
                table: "leases",
                columns: new[] { "provider_uid", "lane", "due_at", "workload_uid" },
                filter: "due_at IS NOT NULL");
        }
    }
}

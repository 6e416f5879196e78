using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class BindingsTextsBacklog : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<byte[]>(
                name: "salt",
                schema: "credbroker",
                table: "texts",
                type: "bytea",
                nullable: false,
                defaultValue: new byte[0]);

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

            migrationBuilder.CreateIndex(
                name: "ix_leases_revoking",
                schema: "credbroker",
                table: "leases",
                columns: new[] { "provider_uid", "error_fault", "revoking_at" },
                filter: "state = 3");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_texts",
                schema: "credbroker");

            migrationBuilder.DropTable(
                name: "secret_bindings",
                schema: "credbroker");

            migrationBuilder.DropIndex(
                name: "ix_leases_revoking",
                schema: "credbroker",
                table: "leases");

            migrationBuilder.DropColumn(
                name: "salt",
                schema: "credbroker",
                table: "texts");
        }
    }
}

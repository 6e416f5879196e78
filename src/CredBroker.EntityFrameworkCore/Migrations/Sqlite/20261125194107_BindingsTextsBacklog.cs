using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class BindingsTextsBacklog : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<byte[]>(
                name: "salt",
                table: "texts",
                type: "BLOB",
                nullable: false,
                defaultValue: new byte[0]);

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

            migrationBuilder.CreateIndex(
                name: "ix_leases_revoking",
                table: "leases",
                columns: new[] { "provider_uid", "error_fault", "revoking_at" },
                filter: "state = 3");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_texts");

            migrationBuilder.DropTable(
                name: "secret_bindings");

            migrationBuilder.DropIndex(
                name: "ix_leases_revoking",
                table: "leases");

            migrationBuilder.DropColumn(
                name: "salt",
                table: "texts");
        }
    }
}

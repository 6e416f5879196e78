using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class PerformerAttributes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "performer_attributes",
                schema: "credbroker",
                table: "tasks",
                type: "text",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "performer_attributes",
                schema: "credbroker",
                table: "tasks");
        }
    }
}

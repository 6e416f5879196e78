using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class PerformerAttributes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "performer_attributes",
                table: "tasks",
                type: "TEXT",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "performer_attributes",
                table: "tasks");
        }
    }
}

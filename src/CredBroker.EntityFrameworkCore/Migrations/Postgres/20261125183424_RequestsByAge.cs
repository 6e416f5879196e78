using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CredBroker.EntityFrameworkCore.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class RequestsByAge : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_requests_at",
                schema: "credbroker",
                table: "requests",
                column: "at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_requests_at",
                schema: "credbroker",
                table: "requests");
        }
    }
}

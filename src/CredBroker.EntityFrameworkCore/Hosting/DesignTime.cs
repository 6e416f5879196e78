using CredBroker.EntityFrameworkCore.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>For <c>dotnet ef migrations add … --context SqliteBrokerContext --output-dir Migrations/Sqlite</c>: connects to nothing.</summary>
internal sealed class SqliteDesignTime : IDesignTimeDbContextFactory<SqliteBrokerContext>
{
    public SqliteBrokerContext CreateDbContext(string[] args) => new(new DbContextOptionsBuilder<SqliteBrokerContext>().UseSqlite("Data Source=:memory:").Options);
}

/// <summary>For <c>dotnet ef migrations add … --context PostgresBrokerContext --output-dir Migrations/Postgres</c>: connects to nothing.</summary>
internal sealed class PostgresDesignTime : IDesignTimeDbContextFactory<PostgresBrokerContext>
{
    public PostgresBrokerContext CreateDbContext(string[] args) => new(
        new DbContextOptionsBuilder<PostgresBrokerContext>()
            .UseNpgsql("Host=localhost", npgsql => npgsql.MigrationsHistoryTable("__ef_migrations_history", PostgresBrokerContext.SchemaName)).Options);
}

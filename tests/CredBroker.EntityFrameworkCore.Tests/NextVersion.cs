using System.Reflection;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>Makes of this build the version after it: the same code, with migrations that do not exist yet.</summary>
internal static class NextVersion
{
    /// <summary>The version that adds to the schema.</summary>
    public const string Adds = "99990101000000_Adds";

    /// <summary>The one after it, which takes away what that has replaced.</summary>
    public const string TakesAway = "99990201000000_TakesAway";

    /// <summary>What a migration of a version does.</summary>
    public static Action<DbContextOptionsBuilder> With(params Type[] migrations) => builder =>
    {
        // The service takes them from its options: EF makes it.
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new Extra(migrations));
        builder.ReplaceService<IMigrationsAssembly, WithMore>();
    };

    /// <summary>Present migrations and more.</summary>
    private sealed class WithMore(ICurrentDbContext current, IDbContextOptions options) : IMigrationsAssembly
    {
        public Assembly Assembly => typeof(BrokerContext).Assembly;

        public ModelSnapshot? ModelSnapshot => (ModelSnapshot)Activator.CreateInstance(Of<ModelSnapshot>(Assembly.GetTypes()).Single())!;

        public IReadOnlyDictionary<string, TypeInfo> Migrations => new SortedDictionary<string, TypeInfo>(
            Of<Migration>([.. Assembly.GetTypes(), .. options.FindExtension<Extra>()!.Types]).ToDictionary(type => type.GetCustomAttribute<MigrationAttribute>()!.Id, type => type.GetTypeInfo()), StringComparer.Ordinal);

        public Migration CreateMigration(TypeInfo migrationClass, string activeProvider)
        {
            var migration = (Migration)Activator.CreateInstance(migrationClass)!;
            migration.ActiveProvider = activeProvider;
            return migration;
        }

        public string? FindMigrationId(string nameOrId) => Migrations.Keys.FirstOrDefault(id => id == nameOrId);

        private IEnumerable<Type> Of<T>(IEnumerable<Type> types) =>
            types.Where(type => type.IsSubclassOf(typeof(T)) && (type.GetCustomAttribute<DbContextAttribute>()?.ContextType ?? current.Context.GetType()) == current.Context.GetType());
    }

    private sealed class Extra(IReadOnlyList<Type> types) : IDbContextOptionsExtension
    {
        public IReadOnlyList<Type> Types => types;

        public DbContextOptionsExtensionInfo Info => new OptionsInfo(this);

        public void ApplyServices(Microsoft.Extensions.DependencyInjection.IServiceCollection services)
        {
        }

        public void Validate(IDbContextOptions options)
        {
        }

        private sealed class OptionsInfo(Extra extension) : DbContextOptionsExtensionInfo(extension)
        {
            public override bool IsDatabaseProvider => false;

            public override string LogFragment => "";

            public override int GetServiceProviderHashCode() => 0;

            public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is OptionsInfo;

            public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
            {
            }
        }
    }
}

/// <summary>Adds a column that may be empty, one with a default, an index and a table: the version before goes on.</summary>
[Migration(NextVersion.Adds)]
internal sealed class Adds : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        var schema = ActiveProvider!.Contains("Sqlite", StringComparison.Ordinal) ? null : PostgresBrokerContext.SchemaName;
        foreach (var table in new[] { "leases", "tasks", "gates", "writers", "counters", "registry" })
        {
            migrationBuilder.AddColumn<long>("of_the_next", table, schema: schema, nullable: true);
            migrationBuilder.AddColumn<long>("counted_by_the_next", table, schema: schema, nullable: false, defaultValue: 7L);
        }

        migrationBuilder.CreateIndex("ix_leases_of_the_next", "leases", "of_the_next", schema);
        migrationBuilder.CreateTable("next", columns => new { id = columns.Column<long>() }, schema, columns => columns.PrimaryKey("pk_next", row => row.id));
    }
}

/// <summary>Takes a column away that only the version before the last still writes.</summary>
[Migration(NextVersion.TakesAway)]
internal sealed class TakesAway : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.ShutOutVersionsBefore(NextVersion.Adds);
        migrationBuilder.Sql($"ALTER TABLE {(ActiveProvider!.Contains("Sqlite", StringComparison.Ordinal) ? "" : "credbroker.")}tasks DROP COLUMN of_the_next");
    }
}
